//! Why a development tenant does not start.

use std::io;
use std::net::SocketAddr;

use crate::keys::KeyError;

/// Why a development tenant does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken or may not be used.
    #[error("failed to listen on {address}; is another development tenant running?")]
    Bind {
        /// The loopback address and port.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The signing keys, or the certificate authority, cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Access tokens are to name the HTTPS listener, and there is none.
    #[error("access tokens are to be issued by the HTTPS listener, which has no port")]
    NoHttps,
    /// One of the redirect URIs cannot be registered.
    #[error(transparent)]
    RedirectUri(#[from] BadRedirectUri),
}

/// A redirect URI that cannot be registered.
#[derive(Debug, thiserror::Error)]
#[error("unusable redirect URI {uri:?}: it must be absolute, http or https, ASCII, no fragment")]
pub struct BadRedirectUri {
    pub(super) uri: String,
}
