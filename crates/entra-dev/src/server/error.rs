//! Why a development tenant does not start.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use crate::{keys::KeyError, token_issuer::UnreachableIssuer};

/// Why a development tenant does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The Todo API cannot be registered with one of the App ID URIs.
    #[error(transparent)]
    AppIdUri(#[from] BadAppIdUri),
    /// The port is taken, or binding it is not permitted.
    #[error("failed to listen on {address}{}", hint(source))]
    Bind {
        /// The address and port.
        address: SocketAddr,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// Other machines could reach the tenant, but it has no name for them or no control token.
    #[error(
        "listening on {0} requires a name to answer to and a control token: anybody who can reach \
         the tenant can sign in as anybody, and without the token also forge tokens"
    )]
    Exposed(IpAddr),
    /// Both listeners were given this port.
    #[error("HTTP and HTTPS cannot both use the port {0}; choose another port for one of them")]
    SamePort(u16),
    /// The issuer of access tokens, at least for one API, is a URL with a name that the tenant does
    /// not answer to.
    #[error("the issuer of access tokens {0} has a name that the tenant does not answer to")]
    UnknownIssuer(String),
    /// The signing keys or the certificate authority cannot be read or generated.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The issuer of access tokens, at least for one API, should be the HTTPS listener, but HTTPS
    /// is turned off.
    #[error("the HTTPS listener cannot be the issuer of access tokens, because it has no port")]
    NoHttps,
    /// One of the redirect URIs cannot be registered.
    #[error(transparent)]
    RedirectUri(#[from] BadRedirectUri),
}

/// What to do about an address that cannot be bound.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; is another development tenant running?",
        _ => "",
    }
}

impl From<UnreachableIssuer> for StartError {
    fn from(error: UnreachableIssuer) -> Self {
        match error {
            UnreachableIssuer::NoHttps => Self::NoHttps,
            UnreachableIssuer::UnknownName(url) => Self::UnknownIssuer(url),
        }
    }
}

/// An App ID URI with which the Todo API cannot be registered.
#[derive(Debug, thiserror::Error)]
#[error(
    "unusable app id URI {uri:?}: it must be absolute, such as api://... or https://..., and must \
     not name another API"
)]
pub struct BadAppIdUri {
    pub(super) uri: String,
}

/// A redirect URI that cannot be registered.
#[derive(Debug, thiserror::Error)]
#[error(
    "unusable redirect URI {uri:?}: it must be absolute, with http or https, in ASCII and without \
     a fragment"
)]
pub struct BadRedirectUri {
    pub(super) uri: String,
}
