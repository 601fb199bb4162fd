//! The parsers behind the validator, for the targets in this crate's `fuzz` folder. Not part of
//! the API: it is there only when the compiler is told `--cfg fuzzing`.

#![allow(missing_docs, reason = "nobody reads the documentation of a fuzzing build")]

use jsonwebtoken::{Algorithm, crypto};
use serde_json::{Map, Value};

use crate::{
    claims::Claims, json, jwk, metadata::Metadata, principal::Principal, settings::Settings,
};

/// The members of a token's header or payload.
pub fn json(bytes: &[u8]) -> Option<Map<String, Value>> {
    json::object(bytes).ok()
}

/// What a payload says of the caller, issuer, audience and time left aside.
pub fn claims(payload: &[u8]) -> Option<Principal> {
    let members = json::object(payload).ok()?;
    Claims::read(&members).and_then(Principal::from_claims).ok()
}

/// How many usable keys a set has. None of them vouches for a signature of zeros.
pub fn key_set(body: &[u8]) -> Option<usize> {
    let keys = jwk::parse_set(body).ok()?;
    for key in keys.values() {
        let zeros = "A".repeat(342);
        let verified = crypto::verify(&zeros, b"", &key.decoding, Algorithm::RS256);
        assert!(!verified.unwrap_or(false), "a key accepts zeros");
    }
    Some(keys.len())
}

/// Where a discovery document says the keys are, if it is one of this authority's.
pub fn discovery(instance: &str, tenant: &str, body: &[u8]) -> Option<String> {
    let mut settings = Settings::new(tenant, "33333333-3333-4333-8333-333333333333");
    settings.instance = instance.into();
    if matches!(tenant, "common" | "organizations" | "consumers") {
        settings.allowed_tenants.push("any".into());
    }
    let authority = settings.checked().ok()?.authority;
    Metadata::parse(&authority, body).ok().map(|metadata| metadata.jwks_uri.into())
}
