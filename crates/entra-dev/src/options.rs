use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::{Clock, SystemClock};

/// How a development tenant is to run.
///
/// There is no host: it binds the loopback addresses and nothing else.
#[derive(Clone)]
pub struct Options {
    /// The port on both loopback addresses; 0 takes any free one. Default 8001.
    pub port: u16,
    /// The folder the signing keys are kept in, so that tokens outlive a restart; it is made when
    /// missing. `None` keeps the keys in memory only. Default `data/dev-tenant`.
    pub data_dir: Option<PathBuf>,
    /// The redirect URIs of the Swagger UI client, matched byte for byte. Default
    /// `http://localhost:8000/oauth2-redirect`.
    pub spa_redirect_uris: Vec<String>,
    /// What tells the time. Default [`SystemClock`].
    pub clock: Arc<dyn Clock>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 8001,
            data_dir: Some(PathBuf::from("data/dev-tenant")),
            spa_redirect_uris: vec!["http://localhost:8000/oauth2-redirect".to_owned()],
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("port", &self.port)
            .field("data_dir", &self.data_dir)
            .field("spa_redirect_uris", &self.spa_redirect_uris)
            .finish_non_exhaustive()
    }
}
