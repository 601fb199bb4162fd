//! Access tokens without a running server.

use std::sync::Arc;

use crate::{
    clock::ShiftedClock,
    directory::UnknownPerson,
    ids::API_CLIENT_ID,
    keys::{KeyError, KeyRing},
    options::{Options, Scheme},
    token_issuer::TokenIssuer,
    tokens::{ForgeError, Forgery, Issuer, IssuerUrls},
};

/// Issues the access token that a person would get by signing in to Swagger UI with the scope
/// `access_as_user`. No server needs to run.
///
/// `person` is a short name (`ada`), a sign-in name or an `oid`. The keys are read from
/// `options.data_dir`, or generated there, so a server with the same options publishes the key that
/// signed the token. The token is valid for 3600 to 5399 seconds.
///
/// # Errors
///
/// There is no such person (the error lists all people), the keys cannot be read or generated, or
/// no server could publish the keys: `options` has no folder, or the port is 0.
pub fn access_token(options: &Options, person: &str) -> Result<String, TokenError> {
    if options.data_dir.is_none() {
        return Err(TokenError::KeysInMemory);
    }
    let https_port = options.https_port.unwrap_or(0);
    let api = options.directory.app(API_CLIENT_ID);
    let issuer = api.and_then(|api| api.token_issuer.as_ref());
    let port = match issuer.unwrap_or(&options.access_token_issuer) {
        TokenIssuer::Listener(Scheme::Http) => Some(options.port),
        TokenIssuer::Listener(Scheme::Https) => Some(https_port),
        // The URL has the port.
        TokenIssuer::Url(_) => None,
    };
    if port == Some(0) {
        return Err(TokenError::AnyPort);
    }
    options.directory.person(person)?;
    let keys = KeyRing::open(options.data_dir.as_deref(), &options.directory.own_signing_keys())?;
    let clock = Arc::new(ShiftedClock::new(Arc::clone(&options.clock)));
    let urls = IssuerUrls {
        default: options.access_token_issuer.clone(),
        http: Scheme::Http.url(options.port),
        https: Some(Scheme::Https.url(https_port)),
    };
    let issuer = Issuer::new(urls, keys, clock, options.directory.clone());
    Ok(issuer.forge(&Forgery::of(person))?)
}

/// Why an access token cannot be issued.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The port is part of the issuer, and it is not known yet.
    #[error("the port must not be 0, because it is part of the token's issuer")]
    AnyPort,
    /// Without a folder the keys are lost, so no server can publish them.
    #[error("a folder for the keys is required, so that a server can publish them")]
    KeysInMemory,
    /// The keys could not be read or generated.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The directory has no Todo API, or signing failed.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// A running tenant refused to issue the token.
    #[error("the running development tenant refused: {0}")]
    Refused(String),
    /// There is no such person.
    #[error(transparent)]
    UnknownPerson(#[from] UnknownPerson),
}
