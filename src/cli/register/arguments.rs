//! The command line, and what it wants together with the settings.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use url::Url;

use crate::{
    api::docs,
    config::{Environment, registration::RegistrationConfig},
    listener,
    register::{Audience, ClientIds, NEW_CLIENT_ID, Names, Wanted},
};

use super::{
    dry_run,
    interrupt::explain,
    removal, run,
    settings::audience_of,
    terminal::Terminal,
    values::{RoleAssignment, app_id_uri, client_id, complete, names, secure_url, tenant},
};

const EXAMPLES: &str = "\
Examples:
  todo-api register --use-az                           with the account of az login
  todo-api register --use-az --assign ada@contoso.com=Admin --allow-azure-cli
  todo-api register --client-id GUID --tenant contoso.com   sign in with a code
  GRAPH_TOKEN=... todo-api register                    with a token for Microsoft Graph
  todo-api register --dry-run                          print all calls and the manifests
  todo-api register --dry-run --format entra-dev > directory.toml
  todo-api register --use-az --destroy                 delete what it created

The command can be run again at any time: it changes only what is missing or different, and it
removes nothing that a person added. Afterwards: todo-api doctor

Exit code:
  0    the registrations are complete; with --dry-run, the changes were printed; with --destroy,
       what the command created is deleted, or there was nothing to delete
  1    it failed; the error says what was changed so far
  2    the command line is wrong
  130  it was stopped";

/// Create or complete the app registrations
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Register {
    /// Sign in with the account of the Azure CLI (az login)
    #[arg(long, conflicts_with = "client_id")]
    use_az: bool,
    /// Sign in with a code in a browser, through this public client of your tenant
    #[arg(long, value_name = "GUID", value_parser = client_id)]
    client_id: Option<String>,
    /// The tenant to sign in to, a GUID or a domain [default: AAD_TENANT_ID]
    #[arg(long, value_name = "TENANT", value_parser = tenant)]
    tenant: Option<String>,

    /// The name of the API's registration. The registration for Swagger UI is named after it
    #[arg(long, default_value = "Todo API", value_parser = names)]
    name: Names,
    /// Whose accounts may sign in [default: as registered; if new, those that AAD_TENANT_ID
    /// names]
    #[arg(long, value_enum)]
    audience: Option<AudienceName>,
    /// An App ID URI of the API; can be repeated, the first one is used in scopes [default:
    /// APP_ID_URI, otherwise api://{client id}]
    #[arg(long, value_name = "URI", value_parser = app_id_uri)]
    app_id_uri: Vec<String>,
    /// Let the Azure CLI get tokens for the API (az account get-access-token)
    #[arg(long)]
    allow_azure_cli: bool,
    /// Consent for everybody in the tenant
    #[arg(long)]
    admin_consent: bool,
    /// Assign an app role to a person, as in ada@contoso.com=Admin; can be repeated
    #[arg(long, value_name = "NAME=ROLE")]
    assign: Vec<RoleAssignment>,
    /// Create a secret for the API, unless API_CLIENT_SECRET is set
    #[arg(long)]
    with_secret: bool,

    /// Print the calls and the resulting manifests, and change nothing. Without a sign-in option,
    /// it assumes a new tenant and makes no calls
    #[arg(long, conflicts_with = "destroy")]
    dry_run: bool,
    /// What --dry-run prints: the calls and the manifests, or a directory file for the development
    /// tenant
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "dry_run")]
    format: Format,
    /// Delete the registrations that this command created
    #[arg(long)]
    destroy: bool,
    /// Do not ask before deleting
    #[arg(long, requires = "destroy")]
    yes: bool,

    /// The address of Microsoft Graph [default: that of the cloud in AAD_INSTANCE]
    #[arg(long, value_name = "URL", value_parser = secure_url)]
    graph_url: Option<Url>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AudienceName {
    /// The tenant's own
    MyOrg,
    /// Those of all tenants; ALLOWED_TENANTS lists whose tokens the API accepts
    AnyOrg,
    /// Those of all tenants, and personal Microsoft accounts
    AnyOrgAndPersonal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// The calls, the manifests and the lines of .env
    Text,
    /// A directory file in TOML, for entra-dev --config and DEV_TENANT_CONFIG
    EntraDev,
}

/// The command with its settings.
pub(super) struct Request {
    pub(super) config: RegistrationConfig,
    pub(super) wanted: Wanted,
    pub(super) sign_in: Option<SignIn>,
    pub(super) tenant: Option<String>,
    pub(super) graph_url: Option<Url>,
    pub(super) with_secret: bool,
}

/// How to get a token for Microsoft Graph.
pub(super) enum SignIn {
    /// `GRAPH_TOKEN`.
    Token(String),
    /// The Azure CLI.
    AzureCli,
    /// The device code flow, with the client id of a public client.
    DeviceCode(String),
}

impl Register {
    pub(in crate::cli) fn run(self) -> anyhow::Result<ExitCode> {
        let (is_dry_run, format) = (self.dry_run, self.format);
        let (destroy, is_confirmed) = (self.destroy, self.yes);
        let request = match self.request() {
            Ok(request) => request,
            Err(error) => return Ok(explain(&error, &Terminal::default())),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            match (is_dry_run, destroy) {
                (true, _) => dry_run::run(request, format).await,
                (_, true) => removal::run(request, is_confirmed).await,
                _ => run::run(request).await,
            }
        })
    }

    fn request(self) -> anyhow::Result<Request> {
        let mut config = RegistrationConfig::read(&Environment::load()?)?;
        if let Some(problem) = config.server.redirect_problem() {
            anyhow::bail!("{problem}. Correct it before the redirect URI is registered");
        }
        if let Some(Err(problem)) = config.tenant.as_deref().map(tenant) {
            anyhow::bail!("AAD_TENANT_ID cannot be used: {problem}");
        }
        if config.api_client_id.is_some() && config.api_client_id == config.swagger_ui_client_id {
            anyhow::bail!(
                "API_CLIENT_ID and SWAGGER_UI_CLIENT_ID are the same, but the API and Swagger UI are \
                 two registrations. Empty SWAGGER_UI_CLIENT_ID, and the second one is created"
            );
        }
        let is_new = config.api_client_id.is_none();
        if is_new {
            // APP_ID_URI may refer to API_CLIENT_ID.
            let with_id = Environment::load_with("API_CLIENT_ID", NEW_CLIENT_ID)?;
            config.app_id_uris = RegistrationConfig::read(&with_id)?.app_id_uris;
        }
        // A deletion needs no URI.
        for uri in config.app_id_uris.iter().filter(|_| !self.destroy) {
            app_id_uri(uri).and_then(|uri| complete(uri, is_new)).map_err(|problem| {
                anyhow::anyhow!("APP_ID_URI contains {uri}: {problem}. Or leave APP_ID_URI empty")
            })?;
        }
        let server = &config.server;
        let local = listener::url(&server.host, server.port, server.tls.as_ref());
        let url = server.public_url.clone().unwrap_or(local);
        let wanted = Wanted {
            names: self.name,
            client_ids: ClientIds {
                api: config.api_client_id.clone(),
                swagger_ui: config.swagger_ui_client_id.clone(),
            },
            audience: self.audience.map(|audience| match audience {
                AudienceName::MyOrg => Audience::MyOrganization,
                AudienceName::AnyOrg => Audience::AnyOrganization,
                AudienceName::AnyOrgAndPersonal => Audience::AnyOrganizationAndPersonal,
            }),
            new_audience: audience_of(config.tenant.as_deref().unwrap_or_default()),
            app_id_uris: in_order(self.app_id_uri, &config.app_id_uris),
            redirect_uris: vec![docs::redirect_uri(&url)],
            allow_azure_cli: self.allow_azure_cli,
            admin_consent: self.admin_consent,
            assignments: self.assign.into_iter().map(|it| (it.user, it.role)).collect(),
        };
        let sign_in = match (self.use_az, self.client_id) {
            (true, _) => Some(SignIn::AzureCli),
            (false, Some(client_id)) => Some(SignIn::DeviceCode(client_id)),
            (false, None) => crate::config::graph_token().map(SignIn::Token),
        };
        let (tenant, graph_url, with_secret) = (self.tenant, self.graph_url, self.with_secret);
        Ok(Request { config, wanted, sign_in, tenant, graph_url, with_secret })
    }
}

/// The first list, followed by what only the second one contains.
fn in_order(mut first: Vec<String>, second: &[String]) -> Vec<String> {
    for item in second {
        if !first.contains(item) {
            first.push(item.clone());
        }
    }
    first
}
