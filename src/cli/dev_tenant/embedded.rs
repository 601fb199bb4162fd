//! Runs the development tenant in the same process as the server.

use std::path::Path;

use anyhow::{Context, ensure};
use entra_dev::{Directory, Options, ids};

use crate::{
    config::{Config, Environment},
    listener::Listener,
};

pub(in crate::cli) struct DevTenant(entra_dev::DevTenant);

impl DevTenant {
    /// Starts the tenant and makes it the authority in `config`. Its redirect URIs point to this
    /// server's docs page, whatever its port is.
    pub(in crate::cli) async fn start(
        config: &mut Config,
        listener: &Listener,
    ) -> anyhow::Result<Self> {
        let urls = [listener.url()].into_iter().chain(config.server.public_url.clone());
        let options = Options {
            spa_redirect_uris: urls.map(|url| format!("{url}/oauth2-redirect")).collect(),
            ..options(config)?
        };
        Self::start_with(config, options).await
    }

    /// The same with keys that are not stored, and without a server whose docs page uses it.
    pub(in crate::cli) async fn start_in_memory(config: &mut Config) -> anyhow::Result<Self> {
        let options = Options { data_dir: None, ..options(config)? };
        Self::start_with(config, options).await
    }

    async fn start_with(config: &mut Config, options: Options) -> anyhow::Result<Self> {
        let tenant = entra_dev::DevTenant::start_with(options)
            .await
            .context("failed to start the development tenant")?;
        config.entra.instance = tenant.base_url().to_owned();
        Ok(Self(tenant))
    }

    /// Starts the tenant so that its keys can be fetched, if it is not running and has issued
    /// tokens in this folder.
    pub(in crate::cli) async fn start_if_stopped(config: &Config) -> anyhow::Result<Option<Self>> {
        let options = Options { https_port: None, ..options(config)? };
        let keys = options.data_dir.as_ref().map(|folder| folder.join("signing-keys.json"));
        if !keys.is_some_and(|keys| keys.exists()) {
            return Ok(None);
        }
        // If a tenant is running, its port is in use.
        Ok(entra_dev::DevTenant::start_with(options).await.ok().map(Self))
    }

    /// The text that `serve --dev` prints: URLs, ids and people.
    pub(in crate::cli) fn welcome(&self, url: &str) -> String {
        let mut text = format!(
            "
  Todo API                 {url}/docs
  Development tenant       {0}/_dev
  Over HTTPS, for MSAL     {1}   (trust {2})

  FOR DEVELOPMENT ONLY: anyone who can reach this loopback address can sign in as anybody.

  Who can sign in          tenant {3}
",
            self.0.base_url(),
            self.0.https_url().unwrap_or_default(),
            self.0.ca_file().unwrap_or(Path::new("")).display(),
            ids::CONTOSO,
        );
        for person in self.0.people().iter().filter(|person| person.tenant == ids::CONTOSO) {
            let roles = match person.roles(ids::API_CLIENT_ID) {
                [] => "no role".to_owned(),
                roles => roles.join(", "),
            };
            let guest = if person.guest { ", guest" } else { "" };
            let (sign_in_name, name) = (&person.sign_in_name, &person.display_name);
            text += &format!("    {sign_in_name:<22} {name} ({roles}{guest})\n");
        }
        text += &format!(
            "
  API client id            {}
  Swagger UI client id     {}

  Try                      make token AS=uma
  Stop                     Ctrl+C

",
            ids::API_CLIENT_ID,
            ids::SWAGGER_UI_CLIENT_ID,
        );
        text
    }

    pub(in crate::cli) async fn stop(self) {
        self.0.stop().await;
    }
}

fn options(config: &Config) -> anyhow::Result<Options> {
    Ok(Options {
        port: config.dev_tenant.port,
        https_port: Some(config.dev_tenant.https_port),
        // The API writes scopes with its App ID URI, so the tenant must know it.
        api_app_id_uris: config.entra.app_id_uris.clone(),
        directory: directory(config)?,
        ..Options::default()
    })
}

pub(in crate::cli) fn read_config(environment: Environment) -> anyhow::Result<Config> {
    Ok(Config::read_dev(environment)?)
}

/// The access token that the running development tenant issues, whatever its keys and people are.
/// If no tenant answers at the configured port, signs one with the keys in the default folder.
pub(in crate::cli) fn access_token(config: &Config, person: &str) -> anyhow::Result<String> {
    let port = config.dev_tenant.port;
    if let Some(token) = entra_dev::running_access_token(port, person)? {
        return Ok(token);
    }
    Ok(entra_dev::access_token(&options(config)?, person)?)
}

/// The directory in the file that `DEV_TENANT_CONFIG` names, or the built-in one. The API is
/// configured with the built-in ids, so these must be in it.
fn directory(config: &Config) -> anyhow::Result<Directory> {
    let Some(file) = &config.dev_tenant.directory else { return Ok(Directory::default()) };
    let directory = Directory::read(file).context("DEV_TENANT_CONFIG cannot be used")?;
    let required = [
        ("tenant Contoso", ids::CONTOSO),
        ("app Todo API", ids::API_CLIENT_ID),
        ("app Todo API - Swagger UI", ids::SWAGGER_UI_CLIENT_ID),
    ];
    let missing = required.into_iter().filter(|(_, id)| !directory.contains(id));
    let missing: Vec<_> = missing.map(|(entry, id)| format!("{entry} ({id})")).collect();
    ensure!(
        missing.is_empty(),
        "DEV_TENANT_CONFIG cannot be used: {} lacks these entries, which the API needs: {}. Copy \
         them from the output of `entra-dev --example`",
        file.display(),
        missing.join(", ")
    );
    Ok(directory)
}
