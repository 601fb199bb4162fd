//! The validator's parsers, for the targets in this crate's `fuzz` folder. This module is not part
//! of the API: it is compiled only with `--cfg fuzzing`.

#![allow(missing_docs, reason = "a fuzzing build is not documented")]

use serde_json::{Map, Value};

use crate::{
    claims::Claims,
    json::{self, Json, Members},
    jwk,
    metadata::Metadata,
    principal::Principal,
    report::FirstBroken,
    settings::Settings,
};

/// The members of a token's header or payload, if it is valid.
pub fn json(bytes: &[u8]) -> Option<Map<String, Value>> {
    json::object(bytes).ok().map(map)
}

fn map(members: Members<'_>) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.into_owned(), self::value(value))).collect()
}

fn value(json: Json<'_>) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => Value::Number(number),
        Json::String(text) => Value::String(text.into_owned()),
        Json::Array(items) => items.into_iter().map(value).collect(),
        Json::Object(members) => Value::Object(map(members)),
    }
}

/// The caller that a payload identifies. The issuer, audience and lifetime are not checked.
pub fn claims(payload: &[u8]) -> Option<Principal> {
    let members = json::object(payload).ok()?;
    let claims = Claims::read(&members).ok()?;
    Principal::from_claims(claims, &mut FirstBroken).ok()
}

/// The number of usable keys in a set. Asserts that none of them accepts a signature of zeros.
pub fn key_set(body: &[u8]) -> Option<usize> {
    let keys = jwk::parse_set(body).ok()?;
    for key in keys.values() {
        assert!(!key.verifies(b"", &[0; 256]), "a key accepts a signature of zeros");
    }
    Some(keys.len())
}

/// The `jwks_uri` of a discovery document, if the document is valid for this authority.
pub fn discovery(instance: &str, tenant: &str, body: &[u8]) -> Option<String> {
    let mut settings = Settings::new(tenant, "33333333-3333-4333-8333-333333333333");
    settings.instance = instance.into();
    if matches!(tenant, "common" | "organizations" | "consumers") {
        settings.allowed_tenants.push("any".into());
    }
    let authority = settings.checked().ok()?.authority;
    Metadata::parse(&authority, body).ok().map(|metadata| metadata.jwks_uri.into())
}
