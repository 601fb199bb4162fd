//! Access tokens without a running server.

use std::sync::Arc;

use crate::clock::ShiftedClock;
use crate::directory::UnknownPerson;
use crate::keys::{KeyError, KeyRing};
use crate::options::{Options, Scheme};
use crate::tokens::{ForgeError, Forgery, Issuer};

/// The access token a person would get by signing in as Swagger UI with the scope
/// `access_as_user`, without a running server.
///
/// `person` is a short name (`ada`), a sign-in name or an `oid`. The keys are read from
/// `options.data_dir`, or made in it, so that a server with the same options publishes the key the
/// token was signed with. The token lives between 3600 and 5399 seconds.
///
/// # Errors
///
/// The person is not known (the error lists who is), the keys cannot be had, or the options
/// describe no server that could publish them: no folder, or port 0.
pub fn access_token(options: &Options, person: &str) -> Result<String, TokenError> {
    if options.data_dir.is_none() {
        return Err(TokenError::KeysInMemory);
    }
    let port = match options.access_token_issuer {
        Scheme::Http => options.port,
        Scheme::Https => options.https_port.unwrap_or(0),
    };
    if port == 0 {
        return Err(TokenError::AnyPort);
    }
    options.directory.person(person)?;
    let keys = KeyRing::open(options.data_dir.as_deref())?;
    let clock = Arc::new(ShiftedClock::new(Arc::clone(&options.clock)));
    let base_url = options.access_token_issuer.url(port);
    let issuer = Issuer::new(base_url, keys, clock, options.directory.clone());
    Ok(issuer.forge(&Forgery::of(person))?)
}

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The port decides the issuer, and there is none yet.
    #[error("the port must be known, since it is a part of the token's issuer")]
    AnyPort,
    /// Keys in memory are gone with this call, and nobody could verify the token.
    #[error("a folder for the keys is needed, so that a server can publish them")]
    KeysInMemory,
    /// The keys could not be read or made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The directory has no Todo API, or signing failed.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// There is no such person.
    #[error(transparent)]
    UnknownPerson(#[from] UnknownPerson),
}
