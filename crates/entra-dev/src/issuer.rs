use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::clock::Clock;
use crate::ids::{API_CLIENT_ID, CONSUMERS, CONTOSO, SWAGGER_UI_CLIENT_ID};
use crate::keys::{Jwk, KeyError, KeySet, SignError};
use crate::options::Options;
use crate::people::{self, Person, UnknownPerson};
use crate::random;
use crate::scope::{ACCESS_AS_USER, Scope};

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
    let person = people::find(person)?;
    if options.data_dir.is_none() {
        return Err(TokenError::KeysInMemory);
    }
    if options.port == 0 {
        return Err(TokenError::AnyPort);
    }
    let keys = KeySet::open(options.data_dir.as_deref())?;
    let issuer = Issuer::new(base_url(options.port), keys, Arc::clone(&options.clock));
    Ok(issuer.access_token_for_swagger_ui(person)?)
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
    /// Signing failed, which means that the machine is out of order.
    #[error("failed to sign the token")]
    Sign,
    /// There is no such person.
    #[error(transparent)]
    UnknownPerson(#[from] UnknownPerson),
}

impl From<SignError> for TokenError {
    fn from(_: SignError) -> Self {
        Self::Sign
    }
}

/// The URL of a development tenant on this port, without a trailing slash.
pub(crate) fn base_url(port: u16) -> String {
    format!("http://localhost:{port}")
}

/// What signs tokens: the keys, the issuer they speak for, and the time.
pub(crate) struct Issuer {
    base_url: String,
    keys: KeySet,
    clock: Arc<dyn Clock>,
}

impl Issuer {
    pub(crate) fn new(base_url: String, keys: KeySet, clock: Arc<dyn Clock>) -> Self {
        Self { base_url, keys, clock }
    }

    /// The URL everything hangs from, without a trailing slash.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The time in seconds since the epoch.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// The keys that tokens can be verified with.
    pub(crate) fn published_keys(&self) -> Vec<Jwk<'_>> {
        self.keys.published(&self.base_url)
    }

    /// Whatever claims, signed with the general key.
    pub(crate) fn forge(&self, claims: &serde_json::Value) -> Result<String, SignError> {
        self.keys.for_tenant(CONTOSO).sign(claims)
    }

    /// The access token of this person for the API, requested by Swagger UI, of a random lifetime.
    pub(crate) fn access_token_for_swagger_ui(&self, person: &Person) -> Result<String, SignError> {
        self.access_token(person, SWAGGER_UI_CLIENT_ID, lifetime())
    }

    /// A v2 access token for the API ("Access token claims reference"), for a public client.
    ///
    /// The audience is the bare client id of the API, never its app id URI. `lifetime` in seconds.
    pub(crate) fn access_token(
        &self,
        person: &Person,
        client_id: &str,
        lifetime: u64,
    ) -> Result<String, SignError> {
        let now = self.now();
        let claims = AccessTokenClaims {
            aud: API_CLIENT_ID,
            iss: self.issuer(person),
            iat: now,
            nbf: now,
            exp: now.saturating_add(lifetime),
            acct: account_type(person),
            aio: random::secret(),
            azp: client_id,
            azpacr: "0",
            name: person.display_name,
            oid: person.oid,
            preferred_username: person.sign_in_name,
            rh: routing_hint(person),
            roles: person.roles,
            scp: ACCESS_AS_USER,
            sub: pairwise_subject(person, API_CLIENT_ID),
            tid: person.tenant,
            uti: random::short_id(),
            ver: "2.0",
        };
        self.keys.for_tenant(person.tenant).sign(&claims)
    }

    /// An ID token for the client itself (OpenID Connect Core section 2, "ID token claims
    /// reference"), with what the scope allows it to know. `lifetime` in seconds.
    pub(crate) fn id_token(
        &self,
        person: &Person,
        client_id: &str,
        scope: &Scope,
        nonce: Option<&str>,
        lifetime: u64,
    ) -> Result<String, SignError> {
        let now = self.now();
        let profile = scope.has("profile").then_some(person);
        let claims = IdTokenClaims {
            aud: client_id,
            iss: self.issuer(person),
            iat: now,
            nbf: now,
            exp: now.saturating_add(lifetime),
            email: scope.has("email").then_some(person.sign_in_name),
            name: profile.map(|person| person.display_name),
            nonce,
            oid: profile.map(|person| person.oid),
            preferred_username: profile.map(|person| person.sign_in_name),
            rh: routing_hint(person),
            sub: pairwise_subject(person, client_id),
            tid: person.tenant,
            uti: random::short_id(),
            ver: "2.0",
        };
        self.keys.for_tenant(person.tenant).sign(&claims)
    }

    fn issuer(&self, person: &Person) -> String {
        format!("{}/{}/v2.0", self.base_url, person.tenant)
    }
}

/// How long a token lives, in seconds. Entra picks 60 to 90 minutes, so that clients do not all
/// come back at once ("Configurable token lifetimes").
pub(crate) fn lifetime() -> u64 {
    random::between(3600, 5399)
}

#[derive(Serialize)]
struct AccessTokenClaims<'a> {
    aud: &'a str,
    iss: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    acct: Option<u8>,
    aio: String,
    azp: &'a str,
    azpacr: &'a str,
    name: &'a str,
    oid: &'a str,
    preferred_username: &'a str,
    rh: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    roles: &'a [&'a str],
    scp: &'a str,
    sub: String,
    tid: &'a str,
    uti: String,
    ver: &'a str,
}

#[derive(Serialize)]
struct IdTokenClaims<'a> {
    aud: &'a str,
    iss: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    rh: String,
    sub: String,
    tid: &'a str,
    uti: String,
    ver: &'a str,
}

/// The `acct` claim ("Optional claims reference"): 1 a guest, 0 a member. Personal accounts have
/// none.
fn account_type(person: &Person) -> Option<u8> {
    (person.tenant != CONSUMERS).then_some(u8::from(person.guest))
}

/// Who this is for one app: the same every time, and another value for another app (OpenID Connect
/// Core section 8.1).
fn pairwise_subject(person: &Person, app: &str) -> String {
    opaque(&format!("sub {} {} {app}", person.tenant, person.oid))
}

/// Entra's internal `rh`, of which clients are to make nothing.
fn routing_hint(person: &Person) -> String {
    format!("1.{}.", opaque(&format!("rh {} {}", person.tenant, person.oid)))
}

fn opaque(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}
