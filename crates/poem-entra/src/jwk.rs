//! Parses a published key set. An unusable entry is skipped and does not affect the others.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde_json::Value;

use crate::authority::IssuerTemplate;

/// The largest number of entries in a key set. A larger set is refused.
const KEY_LIMIT: usize = 64;

/// A key that can verify RS256 signatures.
pub(crate) struct VerifyingKey {
    pub(crate) decoding: DecodingKey,
    /// The modulus, like the exponent, is kept to compare this key with a key of another set.
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    /// The issuer that Entra binds the key to. It can contain `{tenantid}`.
    pub(crate) issuer: Option<IssuerTemplate>,
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.modulus == other.modulus
            && self.exponent == other.exponent
            && self.issuer == other.issuer
    }
}

/// Parses a JWK set (RFC 7517, section 5) and returns its usable keys by `kid`.
///
/// Fails if no key is usable, so that an empty set never replaces good keys.
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
            // If several entries have the same kid, the first usable one is used.
            keys.entry(kid).or_insert(key);
        }
    }
    if keys.is_empty() { Err(InvalidKeySet::Unusable(entries.len())) } else { Ok(keys) }
}

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidKeySet {
    #[error("the key set is not JSON")]
    Json(#[source] serde_json::Error),
    #[error("the key set has no `keys` array")]
    NoKeys,
    #[error("the key set has {0} keys; at most 64 are allowed")]
    TooMany(usize),
    #[error("none of the key set's {0} entries is an RSA signing key")]
    Unusable(usize),
}

/// The `kid` and the key of an entry, if it is usable.
///
/// jsonwebtoken's `Jwk` does not fit Entra's keys: it ignores `issuer`, which they have, and
/// requires `alg`, which they lack.
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

/// The length of a big-endian number in bits, without leading zeros.
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

    /// The parser accepts any number of the right length as a modulus.
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
    fn an_unusable_entry_does_not_affect_the_other_keys() {
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
    fn alg_and_use_are_optional() {
        let mut bare = key("bare");
        bare.as_object_mut().unwrap().remove("use");
        assert_eq!(kids(&[bare, with(key("alg"), "alg", json!("RS256"))]), ["alg", "bare"]);
    }

    #[test]
    fn the_modulus_must_have_2048_to_8192_bits() {
        let lengths = [2_047, 2_048, 8_192, 8_193];
        let keys: Vec<_> = lengths.map(|bits| key_of_bits(&bits.to_string(), bits)).into();
        assert_eq!(kids(&keys), ["2048", "8192"]);
    }

    #[test]
    fn the_exponent_must_be_odd_and_at_least_three() {
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
    fn of_keys_with_the_same_kid_the_first_usable_one_is_used() {
        let body = json!({ "keys": [
            with(key("a"), "e", json!("AA")),
            with(key("a"), "issuer", json!("first")),
            with(key("a"), "issuer", json!("second")),
        ] });
        let set = parse_set(body.to_string().as_bytes()).unwrap();
        assert_eq!(set["a"].issuer, Some(IssuerTemplate::new("first")));
    }

    #[test]
    fn a_set_of_more_than_64_keys_is_refused() {
        let keys: Vec<_> = (0..65).map(|index| key(&format!("k{index:02}"))).collect();
        assert_eq!(kids(&keys[..64]).len(), 64);
        assert!(kids(&keys).is_empty());
    }
}
