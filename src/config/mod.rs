//! The settings. They are read from the environment and from `.env`, and checked together, so that
//! all faults are reported at once.

pub mod dev_tenant;
pub mod env_file;
mod env_text;
mod environment;
mod reader;
pub mod registration;
mod variables;

use std::{
    fmt,
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use poem_entra::Settings;

use crate::{proxies::TrustedProxies, store, tls::Tls};

use self::reader::Reader;
pub use self::{
    dev_tenant::DevTenantConfig,
    environment::{Environment, FILE, graph_token},
    variables::{VARIABLES, Variable},
};

/// All settings of the server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which tokens are accepted: `AAD_TENANT_ID`, `AAD_INSTANCE`, `API_CLIENT_ID`, `APP_ID_URI`
    /// (default `api://{API_CLIENT_ID}`), `API_AUDIENCE`, `ALLOWED_TENANTS`, `CLAIMS_MAPPING`
    /// (default `false`), `TOKEN_…` and `KEY_…`.
    pub entra: Settings,
    /// `SWAGGER_UI_CLIENT_ID`, required: the client id of the app registration that people use to
    /// sign in on the docs page.
    pub swagger_ui_client_id: String,
    /// Where the server listens, and how callers reach it.
    pub server: ServerConfig,
    /// Where the todos are stored: `DATABASE_URL` (default `sqlite://data/todo.db`),
    /// `DATABASE_CONNECTIONS` (default 8) and `DATABASE_TIMEOUT` (in seconds, default 5). How many
    /// todos one owner may have: `TODO_LIMIT` (default 10000).
    pub database: store::Options,
    /// What is logged, and in which format.
    pub log: LogConfig,
    /// Where the embedded development tenant listens.
    pub dev_tenant: DevTenantConfig,
    /// Settings that have no effect, one sentence for each.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads and checks all settings.
    ///
    /// # Errors
    ///
    /// [`InvalidConfig`] lists everything that is missing or wrong.
    pub fn read(environment: &Environment) -> Result<Self, InvalidConfig> {
        let mut reader = Reader::new(environment);
        let server = reader.server();
        let entra = reader.entra(server.public_url.as_deref());
        let warnings = reader.warnings(&entra, &server);
        let swagger_ui_client_id = reader.swagger_ui_client_id();
        let database = reader.database();
        let log = reader.log();
        let dev_tenant = reader.dev_tenant();
        let database = reader.finish(database)?;
        Ok(Self { entra, swagger_ui_client_id, server, database, log, dev_tenant, warnings })
    }
}

/// Reads and checks the settings of the database only, for commands that need no others.
///
/// # Errors
///
/// [`InvalidConfig`] lists what is wrong with them.
pub fn read_database(environment: &Environment) -> Result<store::Options, InvalidConfig> {
    let mut reader = Reader::new(environment);
    let database = reader.database();
    reader.finish(database)
}

/// Reads and checks the settings of the server only, for commands that need no others.
///
/// # Errors
///
/// [`InvalidConfig`] lists what is wrong with them.
pub fn read_server(environment: &Environment) -> Result<ServerConfig, InvalidConfig> {
    let mut reader = Reader::new(environment);
    let server = reader.server();
    reader.finish(Some(server))
}

/// Reads and checks the settings that say which tokens are accepted, for commands that need no
/// others.
///
/// # Errors
///
/// [`InvalidConfig`] lists what is missing or wrong.
pub fn read_entra(environment: &Environment) -> Result<Settings, InvalidConfig> {
    let mut reader = Reader::new(environment);
    let entra = reader.entra(None);
    reader.finish(Some(entra))
}

/// `SWAGGER_UI_CLIENT_ID` as it is written, which may be wrong.
pub fn swagger_ui_client_id(environment: &Environment) -> Option<&str> {
    environment.get("SWAGGER_UI_CLIENT_ID")
}

/// Where the server listens, and how callers reach it.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// `HOST`, default `localhost`: a name or an address. `localhost` means both loopback
    /// addresses.
    pub host: String,
    /// `PORT`, default 8000. 0 picks any free port.
    pub port: u16,
    /// `PUBLIC_URL`: the URL at which callers reach the API, without a trailing slash. Default: the
    /// address that the server listens on.
    pub public_url: Option<String>,
    /// `TLS_CERT` and `TLS_KEY`, default none: the files with the certificate and its key. With
    /// them, the server accepts HTTPS only.
    pub tls: Option<Tls>,
    /// `CORS_ORIGINS`, default none: the origins whose pages may call the API.
    pub cors_origins: Vec<String>,
    /// `CORS_HEADERS`, default none: the names of request header fields that these pages may send
    /// in addition to those that the API reads and those of tracing libraries.
    pub cors_headers: Vec<String>,
    /// `DRAIN_TIMEOUT`, in seconds, default 30: how long a server that shuts down waits for the
    /// requests in progress.
    pub drain_timeout: Duration,
    /// `TRUSTED_PROXIES`, default none: the proxies that say who the client is.
    pub trusted_proxies: TrustedProxies,
    /// `MAX_CONNECTIONS`, default 10000: how many connections may be open.
    pub max_connections: usize,
    /// `WORKER_THREADS`, default one for each processor: how many threads serve requests.
    pub worker_threads: NonZeroUsize,
    /// `RATE_LIMIT`, default none: how many requests per minute a caller may send.
    pub rate_limit: Option<NonZeroU32>,
    /// `EXPLAIN_401`, default `false`, `true` for the development tenant: whether refusals name the
    /// broken rule and link to the documentation.
    pub explains_refusals: bool,
}

impl ServerConfig {
    /// Why Entra cannot redirect people back to the docs page after they have signed in: it accepts
    /// plain http for this machine only
    /// (<https://learn.microsoft.com/entra/identity-platform/reply-url#redirect-uri-restrictions-and-limitations>).
    pub fn redirect_problem(&self) -> Option<String> {
        let rule = "Entra redirects to https, or to http on localhost only, so nobody can sign in \
                    on the docs page";
        match &self.public_url {
            Some(url) if reader::is_http_elsewhere(url) => {
                Some(format!("PUBLIC_URL is http on another host than localhost; {rule}"))
            }
            None if self.tls.is_none() && reader::is_elsewhere(&self.host) => Some(format!(
                "HOST is {}, and without PUBLIC_URL people reach the server there by http; {rule}",
                self.host
            )),
            _ => None,
        }
    }
}

/// What is logged, and in which format.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// `LOG_FORMAT`, default `text`.
    pub format: LogFormat,
    /// `RUST_LOG`: directives of tracing's `EnvFilter`. Default: `info`, with less from libraries.
    pub filter: String,
}

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text lines for people.
    Text,
    /// One JSON object per line, for programs.
    Json,
}

/// All faults in the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidConfig(pub Vec<String>);

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        for fault in &self.0 {
            write!(f, "\n  - {fault}")?;
        }
        Ok(())
    }
}
