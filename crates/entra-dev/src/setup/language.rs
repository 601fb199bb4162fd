//! What differs between languages.

use std::{fmt, str::FromStr};

use crate::directory::{App, Platform};

use super::{
    Setup, is_client,
    quoting::{shell_word, string_literal},
};

/// A language or platform whose libraries [`setup`](crate::setup) knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// .NET: MSAL, Azure.Identity, Microsoft.Identity.Web.
    Dotnet,
    /// Python: MSAL, Azure Identity.
    Python,
    /// Node.js: MSAL, Azure Identity.
    Node,
    /// Java: MSAL4J, Azure Identity.
    Java,
    /// Go: MSAL, azidentity.
    Go,
    /// Rust: the library of this crate, and any HTTP client.
    Rust,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 6] =
        [Self::Dotnet, Self::Python, Self::Node, Self::Java, Self::Go, Self::Rust];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dotnet => "dotnet",
            Self::Python => "python",
            Self::Node => "node",
            Self::Java => "java",
            Self::Go => "go",
            Self::Rust => "rust",
        }
    }

    /// How programs trust the certificate authority, and what else holds for every app.
    pub(super) fn trust(self, setup: &Setup<'_>) -> String {
        let (ca, https) = (shell_word(&setup.ca.display().to_string()), setup.https);
        match self {
            Self::Dotnet => format!(
                "export SSL_CERT_FILE={ca}    # on Linux; the public authorities stay trusted\n\
                 \n\
                 # Setting BackchannelHttpHandler is not enough: there are three HttpClients.\n\
                 # MSAL and Azure.Identity refuse http.\n\
                 # An API expects the issuer of the metadata that it reads. Start the tenant with\n\
                 #   --access-token-issuer https\n\
                 # or set token_issuer for the API in the directory file. Microsoft.Identity.Web\n\
                 # over http needs RequireHttpsMetadata = false and ValidIssuers instead.\n\
                 # Redirect URI of the template for web apps: https://localhost/signin-oidc (any\n\
                 # port); after sign-out: https://localhost/signout-callback-oidc\n\
                 \n\
                 // Microsoft.Identity.Web: instance discovery goes to the tenant.\n\
                 builder.Services.ConfigureHttpClientDefaults(http =>\n    \
                     http.AddHttpMessageHandler(() => new InstanceDiscovery()));\n\
                 class InstanceDiscovery : DelegatingHandler\n\
                 {{\n    \
                     protected override Task<HttpResponseMessage> SendAsync(\n        \
                         HttpRequestMessage request, CancellationToken stop)\n    \
                     {{\n        \
                         if (request.RequestUri!.AbsolutePath == \"/common/discovery/instance\")\n            \
                             request.RequestUri = new Uri(\n                \
                                 new Uri(\"{https}\"), request.RequestUri.PathAndQuery);\n        \
                         return base.SendAsync(request, stop);\n    \
                     }}\n\
                 }}\n"
            ),
            Self::Python => format!(
                "export REQUESTS_CA_BUNDLE={ca}    # msal, azure-identity\n\
                 export SSL_CERT_FILE={ca}         # httpx, urllib\n"
            ),
            Self::Node => format!("export NODE_EXTRA_CA_CERTS={ca}\n"),
            Self::Java => format!(
                "keytool -importcert -noprompt -alias entra-dev -file {ca} \\\n    \
                     -keystore entra-dev.p12 -storepass changeit\n\
                 export JAVA_TOOL_OPTIONS=\"-Djavax.net.ssl.trustStore=entra-dev.p12 \\\n    \
                     -Djavax.net.ssl.trustStorePassword=changeit\"\n"
            ),
            Self::Go => format!("export SSL_CERT_FILE={ca}\n"),
            Self::Rust => format!(
                "export SSL_CERT_FILE={ca}    # for clients with rustls-native-certs or OpenSSL\n\
                 \n\
                 # In a test, the tenant can run in the same process:\n\
                 #   let tenant = entra_dev::DevTenant::start().await?;\n"
            ),
        }
    }

    /// The calls that this app makes. Instance discovery is off, because otherwise MSAL asks
    /// login.microsoftonline.com about the authority.
    pub(super) fn calls(self, setup: &Setup<'_>, app: &App) -> String {
        let mut calls = Vec::new();
        if is_client(app) {
            calls.push(match (&app.agent_blueprint, app.secrets.first()) {
                (Some(blueprint), _) => self.agent(setup, app, blueprint),
                (None, Some(secret)) => self.confidential(setup, app, secret),
                (None, None) if app.is_confidential() => String::new(),
                (None, None) if is_only_in_browsers(app) => self.single_page(setup, app),
                (None, None) => self.public(setup, app),
            });
        }
        if app.is_api() {
            calls.extend(self.api(setup, app));
        }
        calls.retain(|call| !call.is_empty());
        calls.join("\n")
    }

    /// A client with a secret.
    fn confidential(self, setup: &Setup<'_>, app: &App, secret: &str) -> String {
        let (authority, https) = (setup.authority(app), setup.https);
        let App { client_id, tenant, .. } = app;
        let host = host_of(https);
        let secret = string_literal(secret);
        match self {
            Self::Dotnet => format!(
                "ConfidentialClientApplicationBuilder.Create(\"{client_id}\")\n    \
                     .WithClientSecret({secret}).WithAuthority(\"{authority}\", false)\n    \
                     .WithInstanceDiscovery(false).Build()\n\
                 new ClientSecretCredential(\"{tenant}\", \"{client_id}\", {secret},\n    \
                     new ClientSecretCredentialOptions {{\n        \
                         AuthorityHost = new Uri(\"{https}\"), DisableInstanceDiscovery = true }})\n"
            ),
            Self::Python => format!(
                "msal.ConfidentialClientApplication(\n    \
                     \"{client_id}\", client_credential={secret},\n    \
                     authority=\"{authority}\", instance_discovery=False)\n\
                 azure.identity.ClientSecretCredential(\n    \
                     \"{tenant}\", \"{client_id}\", {secret},\n    \
                     authority=\"{https}\", disable_instance_discovery=True)\n"
            ),
            Self::Node => format!(
                "new msal.ConfidentialClientApplication({{ auth: {{\n    \
                     clientId: \"{client_id}\", clientSecret: {secret},\n    \
                     authority: \"{authority}\", knownAuthorities: [\"{host}\"] }} }})\n\
                 new identity.ClientSecretCredential(\"{tenant}\", \"{client_id}\", {secret},\n    \
                     {{ authorityHost: \"{https}\", disableInstanceDiscovery: true }})\n"
            ),
            Self::Java => format!(
                "ConfidentialClientApplication.builder(\"{client_id}\",\n        \
                         ClientCredentialFactory.createFromSecret({secret}))\n    \
                     .authority(\"{authority}/\").instanceDiscovery(false).build()\n"
            ),
            Self::Go => format!(
                "credential, err := confidential.NewCredFromSecret({secret})\n\
                 client, err := confidential.New(\"{authority}\", \"{client_id}\", credential,\n    \
                     confidential.WithInstanceDiscovery(false))\n"
            ),
            Self::Rust => token_request(&authority, client_id, &secret),
        }
    }

    /// An agent, whose blueprint authenticates for it.
    fn agent(self, setup: &Setup<'_>, agent: &App, blueprint: &str) -> String {
        let authority = setup.authority(agent);
        let App { client_id, .. } = agent;
        let blueprint_app = setup.directory.app(blueprint);
        let secret = blueprint_app.and_then(|app| app.secrets.first()).map_or("..", String::as_str);
        let secret = string_literal(secret);
        match self {
            Self::Python => format!(
                "blueprint = msal.ConfidentialClientApplication(\n    \
                     \"{blueprint}\", client_credential={secret},\n    \
                     authority=\"{authority}\", instance_discovery=False)\n\
                 EXCHANGE = [\"api://AzureADTokenExchange/.default\"]\n\
                 assertion = lambda: blueprint.acquire_token_for_client(\n    \
                     EXCHANGE, fmi_path=\"{client_id}\")[\"access_token\"]\n\
                 msal.ConfidentialClientApplication(\n    \
                     \"{client_id}\", client_credential={{\"client_assertion\": assertion}},\n    \
                     authority=\"{authority}\", instance_discovery=False)\n"
            ),
            _ => format!(
                "POST {authority}/oauth2/v2.0/token\n\
                 1. as {blueprint}, with its credential: grant_type=client_credentials\n    \
                     scope=api://AzureADTokenExchange/.default fmi_path={client_id}\n\
                 2. as {client_id}, with the first token as client_assertion and\n    \
                     client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\n"
            ),
        }
    }

    /// A client without a secret.
    fn public(self, setup: &Setup<'_>, app: &App) -> String {
        let authority = setup.authority(app);
        let client_id = &app.client_id;
        let host = host_of(setup.https);
        match self {
            Self::Dotnet => format!(
                "PublicClientApplicationBuilder.Create(\"{client_id}\")\n    \
                     .WithAuthority(\"{authority}\", false)\n    \
                     .WithInstanceDiscovery(false).WithDefaultRedirectUri().Build()\n"
            ),
            Self::Python => format!(
                "msal.PublicClientApplication(\n    \
                     \"{client_id}\", authority=\"{authority}\", instance_discovery=False)\n"
            ),
            Self::Node => format!(
                "new msal.PublicClientApplication({{ auth: {{\n    \
                     clientId: \"{client_id}\",\n    \
                     authority: \"{authority}\", knownAuthorities: [\"{host}\"] }} }})\n"
            ),
            Self::Java => format!(
                "PublicClientApplication.builder(\"{client_id}\")\n    \
                     .authority(\"{authority}/\").instanceDiscovery(false).build()\n"
            ),
            Self::Go => format!(
                "client, err := public.New(\"{client_id}\",\n    \
                     public.WithAuthority(\"{authority}\"), public.WithInstanceDiscovery(false))\n"
            ),
            Self::Rust => String::new(),
        }
    }

    /// A single-page app. A token for it can be redeemed only in a browser.
    fn single_page(self, setup: &Setup<'_>, app: &App) -> String {
        let text = "a single-page app runs in a browser, with MSAL.js: see Node.js";
        match self {
            Self::Node => format!("// in a browser:\n{}", self.public(setup, app)),
            Self::Python => format!("# {text}\n"),
            Self::Dotnet | Self::Java | Self::Go | Self::Rust => format!("// {text}\n"),
        }
    }

    /// An API that checks access tokens.
    fn api(self, setup: &Setup<'_>, app: &App) -> Option<String> {
        let App { client_id, tenant, .. } = app;
        let keys = match app.access_token_version {
            1 => "discovery/keys",
            _ => "discovery/v2.0/keys",
        };
        let (issuer, authority) = (setup.issuer(app), setup.authority(app));
        match self {
            Self::Dotnet => Some(format!(
                "\"AzureAd\": {{ \"Instance\": \"{}/\", \"TenantId\": \"{tenant}\",\n    \
                     \"ClientId\": \"{client_id}\" }}    // appsettings.json\n",
                setup.https
            )),
            Self::Python => Some(format!("jwt.PyJWKClient(\"{authority}/{keys}\")    # PyJWT\n")),
            Self::Node => Some(format!(
                "jose.createRemoteJWKSet(new URL(\"{authority}/{keys}\"))    // jose\n"
            )),
            Self::Rust => Some(format!(
                "AAD_INSTANCE={issuer} AAD_TENANT_ID={tenant} API_CLIENT_ID={client_id}    # todo-api\n"
            )),
            Self::Java => Some(format!(
                "spring.security.oauth2.resourceserver.jwt.jwk-set-uri={authority}/{keys}\n"
            )),
            Self::Go => Some(format!("keyfunc.NewDefault([]string{{\"{authority}/{keys}\"}})\n")),
        }
    }
}

/// A token request without a library. The secret is a string literal.
fn token_request(authority: &str, client_id: &str, secret: &str) -> String {
    format!(
        "// POST {authority}/oauth2/v2.0/token\n\
         [(\"grant_type\", \"client_credentials\"), (\"client_id\", \"{client_id}\"),\n    \
             (\"client_secret\", {secret}), (\"scope\", ..)]\n"
    )
}

/// Whether the app signs people in only on pages of its own.
fn is_only_in_browsers(app: &App) -> bool {
    let is_single_page = |(platform, _): &(Platform, String)| *platform == Platform::SinglePage;
    !app.public_client && app.redirect_uris.iter().all(is_single_page)
}

/// The host and port of a URL.
fn host_of(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, host)| host)
}

impl FromStr for Language {
    type Err = BadLanguage;

    fn from_str(name: &str) -> Result<Self, BadLanguage> {
        let named = Self::ALL.into_iter().find(|language| language.name() == name);
        named.ok_or(BadLanguage)
    }
}

/// The name of the platform.
impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dotnet => ".NET",
            Self::Python => "Python",
            Self::Node => "Node.js",
            Self::Java => "Java",
            Self::Go => "Go",
            Self::Rust => "Rust",
        })
    }
}

/// An unknown language.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the languages are dotnet, python, node, java, go and rust")]
pub struct BadLanguage;
