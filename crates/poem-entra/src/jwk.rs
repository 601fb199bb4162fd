//! One published key set, read so that one bad entry never spoils the rest (rule P3).

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde_json::Value;

use crate::authority::IssuerTemplate;

/// Keys in one set; a longer set is not believed.
const KEY_LIMIT: usize = 64;

/// A key that may verify RS256 signatures.
pub(crate) struct VerifyingKey {
    pub(crate) decoding: DecodingKey,
    /// Tells whether two sets hold the same key.
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    /// The issuer Entra binds the key to, possibly with `{tenantid}` in it (rule V4).
    pub(crate) issuer: Option<IssuerTemplate>,
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.modulus == other.modulus
            && self.exponent == other.exponent
            && self.issuer == other.issuer
    }
}

/// Reads a JWK set (RFC 7517, section 5): the usable keys by their `kid`.
///
/// Fails when there is not one usable key in it, so that an empty answer never replaces good keys.
pub(crate) fn parse_set(body: &[u8]) -> Result<HashMap<String, VerifyingKey>, InvalidKeySet> {
    let document: Value = serde_json::from_slice(body).map_err(InvalidKeySet::Json)?;
    let Some(Value::Array(entries)) = document.get("keys") else {
        return Err(InvalidKeySet::NoKeys);
    };
    if entries.len() > KEY_LIMIT {
        return Err(InvalidKeySet::TooMany(entries.len()));
    }
    let mut keys = HashMap::with_capacity(entries.len());
    for entry in entries {
        if let Some((kid, key)) = parse_key(entry) {
            // Two entries with the same kid: the set's first readable one.
            keys.entry(kid).or_insert(key);
        }
    }
    if keys.is_empty() { Err(InvalidKeySet::Unusable(entries.len())) } else { Ok(keys) }
}

/// Why a key set is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidKeySet {
    #[error("the key set is not JSON")]
    Json(#[source] serde_json::Error),
    #[error("the key set has no array `keys`")]
    NoKeys,
    #[error("the key set has {0} keys, more than 64")]
    TooMany(usize),
    #[error("none of the key set's {0} entries is an RSA signing key")]
    Unusable(usize),
}

/// jsonwebtoken's own `Jwk` drops `issuer` and calls a key without `alg` unsupported; Entra's keys
/// have the first and lack the second.
fn parse_key(entry: &Value) -> Option<(String, VerifyingKey)> {
    let member = |name: &str| match entry.get(name) {
        None => Some(None),
        Some(Value::String(text)) => Some(Some(text.as_str())),
        Some(_) => None,
    };
    let kid = member("kid")?.filter(|kid| !kid.is_empty())?;
    let suitable = member("kty")? == Some("RSA")
        && member("use")?.is_none_or(|usage| usage == "sig")
        && member("alg")?.is_none_or(|alg| alg == "RS256");
    if !suitable {
        return None;
    }
    let modulus = URL_SAFE_NO_PAD.decode(member("n")??).ok()?;
    let exponent = URL_SAFE_NO_PAD.decode(member("e")??).ok()?;
    if !(2_048..=8_192).contains(&bits(&modulus)) || !is_odd_and_at_least_three(&exponent) {
        return None;
    }
    let key = VerifyingKey {
        decoding: DecodingKey::from_rsa_raw_components(&modulus, &exponent),
        issuer: member("issuer")?.map(IssuerTemplate::new),
        modulus,
        exponent,
    };
    Some((kid.to_owned(), key))
}

/// The length of a big-endian number.
fn bits(number: &[u8]) -> usize {
    match number.iter().position(|&byte| byte != 0) {
        Some(first) => (number.len() - first) * 8 - number[first].leading_zeros() as usize,
        None => 0,
    }
}

fn is_odd_and_at_least_three(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last % 2 == 1) && bits(number) >= 2
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Any odd number of the right length reads as a modulus.
    fn key(kid: &str) -> Value {
        key_of_bits(kid, 2_048)
    }

    fn key_of_bits(kid: &str, length: usize) -> Value {
        let mut modulus = vec![0xff; length / 8];
        if !length.is_multiple_of(8) {
            modulus.insert(0, (1 << (length % 8)) - 1);
        }
        let modulus = URL_SAFE_NO_PAD.encode(modulus);
        json!({ "kty": "RSA", "use": "sig", "kid": kid, "n": modulus, "e": "AQAB" })
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    fn kids(keys: &[Value]) -> Vec<String> {
        let body = json!({ "keys": keys }).to_string();
        let mut kids: Vec<_> =
            parse_set(body.as_bytes()).map(|set| set.into_keys().collect()).unwrap_or_default();
        kids.sort();
        kids
    }

    #[test]
    fn one_unreadable_entry_never_spoils_the_set() {
        for bad in [
            json!(null),
            json!("key"),
            json!({ "kty": "EC", "kid": "b", "crv": "P-256", "x": "AA", "y": "AA" }),
            with(key("b"), "kid", json!(7)),
            with(key("b"), "kid", json!("")),
            with(key("b"), "use", json!("enc")),
            with(key("b"), "use", json!(1)),
            with(key("b"), "alg", json!("PS256")),
            with(key("b"), "n", json!("not base64!")),
            with(key("b"), "e", json!("AQAB=")),
            with(key("b"), "issuer", json!(["https://login.example"])),
        ] {
            assert_eq!(kids(&[bad.clone(), key("a")]), ["a"], "{bad}");
        }
    }

    #[test]
    fn alg_and_use_may_be_absent_and_may_agree() {
        let mut bare = key("bare");
        bare.as_object_mut().unwrap().remove("use");
        assert_eq!(kids(&[bare, with(key("alg"), "alg", json!("RS256"))]), ["alg", "bare"]);
    }

    #[test]
    fn the_modulus_has_2048_to_8192_bits() {
        let lengths = [2_047, 2_048, 8_192, 8_193];
        let keys: Vec<_> = lengths.map(|bits| key_of_bits(&bits.to_string(), bits)).into();
        assert_eq!(kids(&keys), ["2048", "8192"]);
    }

    #[test]
    fn the_exponent_is_odd_and_at_least_three() {
        let keys: Vec<_> = [
            ("0", "AA"),
            ("1", "AQ"),
            ("2", "Ag"),
            ("3", "Aw"),
            ("65536", "AQAA"),
            ("65537", "AQAB"),
            ("none", ""),
        ]
        .map(|(name, e)| with(key(name), "e", json!(e)))
        .into();
        assert_eq!(kids(&keys), ["3", "65537"]);
    }

    #[test]
    fn of_two_keys_with_one_kid_the_first_readable_one_counts() {
        let body = json!({ "keys": [
            with(key("a"), "e", json!("AA")),
            with(key("a"), "issuer", json!("first")),
            with(key("a"), "issuer", json!("second")),
        ] });
        let set = parse_set(body.to_string().as_bytes()).unwrap();
        assert_eq!(set["a"].issuer, Some(IssuerTemplate::new("first")));
    }

    #[test]
    fn a_set_of_more_than_64_keys_is_not_believed() {
        let keys: Vec<_> = (0..65).map(|index| key(&format!("k{index:02}"))).collect();
        assert_eq!(kids(&keys[..64]).len(), 64);
        assert!(kids(&keys).is_empty());
    }
}
