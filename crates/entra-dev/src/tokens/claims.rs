//! The claims of a token.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::directory::Person;

/// The claims of a token, in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    /// The claims that every token has: audience, issuer and times. Times are in seconds.
    pub(super) fn new(audience: &str, issuer: String, now: u64, lifetime: u64) -> Self {
        let mut claims = Self::default();
        claims.set("aud", audience);
        claims.set("iss", issuer);
        claims.set("iat", now);
        claims.set("nbf", now);
        claims.set("exp", now.saturating_add(lifetime));
        claims
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Sets a claim if there is a value.
    pub(super) fn set_some(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// Sets a list, unless it is empty.
    pub(super) fn set_any(&mut self, name: &str, values: &[String]) {
        self.set_some(name, (!values.is_empty()).then(|| values.to_vec()));
    }

    pub(crate) fn into_inner(self) -> Map<String, Value> {
        self.0
    }
}

/// The subject for one app. It is stable, and differs between apps (OpenID Connect Core, section
/// 8.1).
pub(crate) fn pairwise_subject(person: &Person, app: &str) -> String {
    opaque(&format!("sub {} {} {app}", person.tenant, person.oid))
}

/// The claim `rh`, which is internal to Entra. Clients must ignore it.
pub(super) fn routing_hint(tenant: &str, subject: &str) -> String {
    format!("1.{}.", opaque(&format!("rh {tenant} {subject}")))
}

/// A GUID that depends only on this text.
pub(crate) fn stable_id(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    // A custom GUID (RFC 9562, section 5.8).
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

fn opaque(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}
