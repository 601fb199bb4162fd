//! The options of a development tenant.

use std::{fmt, net::IpAddr, path::PathBuf, sync::Arc};

use crate::{
    clock::{Clock, SystemClock},
    control_token::ControlToken,
    directory::Directory,
    host_name::HostName,
    identity_header::IdentityHeader,
    token_issuer::TokenIssuer,
};

/// How a development tenant runs.
#[derive(Clone)]
pub struct Options {
    /// An address to bind besides the loopback ones: one address of this machine, `0.0.0.0` or `::`
    /// for all of them. It requires `answer_to` and `control_token`, because anybody who can reach
    /// the tenant can sign in as anybody. Default: none.
    pub host: Option<IpAddr>,
    /// The names and addresses, besides the loopback ones, under which clients may reach the
    /// tenant. Metadata and ID tokens then contain the name, and the port, that the client used.
    /// The certificate authority can issue certificates for exactly these names and the loopback
    /// ones. Default: none.
    pub answer_to: Vec<HostName>,
    /// The bearer token without which nobody can use `/_dev`, where tokens can be forged. Default:
    /// none.
    pub control_token: Option<ControlToken>,
    /// What clients of managed identities send in `X-IDENTITY-HEADER`, as App Service requires.
    /// Default `dev-identity-header`.
    pub identity_header: IdentityHeader,
    /// The port for HTTP; 0 means any free port. Default 8001.
    pub port: u16,
    /// The port for HTTPS, which MSAL requires; 0 means any free port, `None` means no HTTPS.
    /// Default 8443.
    pub https_port: Option<u16>,
    /// The issuer of access tokens for APIs without a `token_issuer` in the directory. Default
    /// HTTP, which an API on the same machine can use without trusting a certificate.
    pub access_token_issuer: TokenIssuer,
    /// The folder for the signing keys and the certificate authority, so that tokens stay valid
    /// after a restart. It is created if needed. `None` keeps them in memory. Default
    /// `data/dev-tenant`.
    pub data_dir: Option<PathBuf>,
    /// Tenants, people, groups and apps. Default: the built-in directory.
    pub directory: Directory,
    /// The App ID URIs of the Todo API, which replace those in the directory. Scopes are written
    /// with the first one. Default: none, so the directory decides.
    pub api_app_id_uris: Vec<String>,
    /// Redirect URIs to add to those of the Swagger UI client. A request must name one of them
    /// exactly, except for the port of a loopback URI. Default
    /// `http://localhost:8000/oauth2-redirect`.
    pub spa_redirect_uris: Vec<String>,
    /// The source of the time. Default [`SystemClock`].
    pub clock: Arc<dyn Clock>,
}

/// One of the two listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scheme {
    /// `http://localhost`.
    #[default]
    Http,
    /// `https://localhost`.
    Https,
}

impl Scheme {
    /// The URL of the listener on this port, without a trailing slash.
    pub(crate) fn url(self, port: u16) -> String {
        match self {
            Self::Http => format!("http://localhost:{port}"),
            Self::Https => format!("https://localhost:{port}"),
        }
    }
}

impl Options {
    /// Free ports, and keys in memory: for tests that run in parallel.
    pub fn ephemeral() -> Self {
        Self { port: 0, https_port: Some(0), data_dir: None, ..Self::default() }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: None,
            answer_to: Vec::new(),
            control_token: None,
            identity_header: IdentityHeader::default(),
            port: 8001,
            https_port: Some(8443),
            access_token_issuer: TokenIssuer::default(),
            data_dir: Some(PathBuf::from("data/dev-tenant")),
            directory: Directory::default(),
            api_app_id_uris: Vec::new(),
            spa_redirect_uris: vec!["http://localhost:8000/oauth2-redirect".to_owned()],
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("host", &self.host)
            .field("answer_to", &self.answer_to)
            .field("control_token", &self.control_token)
            .field("port", &self.port)
            .field("https_port", &self.https_port)
            .field("access_token_issuer", &self.access_token_issuer)
            .field("data_dir", &self.data_dir)
            .field("api_app_id_uris", &self.api_app_id_uris)
            .field("spa_redirect_uris", &self.spa_redirect_uris)
            .finish_non_exhaustive()
    }
}
