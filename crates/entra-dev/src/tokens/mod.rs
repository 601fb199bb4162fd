//! What the tokens say: `access` and `id` for each kind, `forgery` for what no sign-in would give.

mod access;
mod claims;
mod claims_request;
mod client_info;
mod forgery;
mod id;

pub(crate) use access::{AccessToken, Proof, Subject};
pub(crate) use claims::{Claims, pairwise_subject};
pub(crate) use claims_request::ClaimsRequest;
pub(crate) use client_info::client_info;
pub use forgery::{ForgeError, Forgery, SignedWith};
pub(crate) use id::IdToken;

use std::sync::Arc;

use crate::clock::ShiftedClock;
use crate::directory::Directory;
use crate::jws::UnverifiedJws;
use crate::keys::{Jwk, KeyRing, SignError, SigningKey};
use crate::random;

/// What signs tokens: the keys, the issuer they speak for, and the time.
pub(crate) struct Issuer {
    base_url: String,
    pub(crate) keys: KeyRing,
    pub(crate) clock: Arc<ShiftedClock>,
    pub(crate) directory: Directory,
}

impl Issuer {
    pub(crate) fn new(
        base_url: String,
        keys: KeyRing,
        clock: Arc<ShiftedClock>,
        directory: Directory,
    ) -> Self {
        Self { base_url, keys, clock, directory }
    }

    /// The URL that the issuer of access tokens hangs from, without a trailing slash.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The time in seconds since the epoch.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// The keys that tokens can be verified with.
    pub(crate) fn published_keys(&self) -> Vec<Jwk> {
        let personal = self.directory.tenants().iter().find(|tenant| tenant.personal);
        self.keys.now().published(&self.base_url, personal.map(|tenant| tenant.id.as_str()))
    }

    /// These claims, signed with the key that vouches for this tenant.
    fn sign(&self, tenant: &str, claims: Claims) -> Result<String, SignError> {
        let key = self.key_of(tenant);
        key.sign(&key.header(), &claims.into_inner())
    }

    /// The key that vouches for this tenant.
    fn key_of(&self, tenant: &str) -> Arc<SigningKey> {
        let keys = self.keys.now();
        if self.is_personal(tenant) { keys.personal } else { keys.general }
    }

    fn is_personal(&self, tenant: &str) -> bool {
        self.directory.tenant(tenant).is_some_and(|tenant| tenant.personal)
    }

    /// The claims of a token that this tenant has signed and that counts now; otherwise why not.
    pub(crate) fn verify<'a>(&self, token: &'a str) -> Result<UnverifiedJws<'a>, VerifyError> {
        let jws = UnverifiedJws::parse(token).ok_or(VerifyError::Malformed)?;
        let keys = self.keys.now();
        let personal = jws.claim("tid").is_some_and(|tenant| self.is_personal(tenant));
        let key = jws.header("kid").and_then(|kid| keys.find(kid, personal));
        let key = key.ok_or(VerifyError::Signature)?;
        let (message, signature) = jws.signature();
        if jws.header("alg") != Some("RS256") || !key.verifies(message, signature) {
            return Err(VerifyError::Signature);
        }
        let now = self.now();
        let counts = jws.time("exp").is_some_and(|exp| now < exp)
            && jws.time("nbf").is_none_or(|nbf| nbf <= now);
        if counts { Ok(jws) } else { Err(VerifyError::Time) }
    }
}

/// Why a token is none of this tenant's, or does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VerifyError {
    Malformed,
    Signature,
    Time,
}

/// How long a token lives, in seconds. Entra picks 60 to 90 minutes, so that clients do not all
/// come back at once ("Configurable token lifetimes").
pub(crate) fn lifetime() -> u64 {
    random::between(3600, 5399)
}
