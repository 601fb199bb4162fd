//! Parses a published key set. An unusable entry is skipped and does not affect the others.

use std::collections::HashMap;

use aws_lc_rs::{
    encoding::AsDer,
    rsa::PublicKeyComponents,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::authority::IssuerTemplate;

/// The largest number of entries in a key set. A larger set is refused.
const KEY_LIMIT: usize = 64;

/// A key that can verify RS256 signatures. It is parsed only once, and aws-lc keeps what it
/// computes from the modulus, so a verification is only the verification.
pub(crate) struct VerifyingKey {
    parsed: ParsedPublicKey,
    /// The issuer that Entra binds the key to. It can contain `{tenantid}`.
    pub(crate) issuer: Option<IssuerTemplate>,
    /// The name of the cloud that the key belongs to, such as `microsoftonline.com`.
    pub(crate) cloud_instance_name: Option<String>,
}

impl VerifyingKey {
    /// Whether this is a signature of the message by this key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        // The bytes are the modulus and the exponent in DER, which has one encoding for each value.
        self.parsed.as_ref() == other.parsed.as_ref()
            && self.issuer == other.issuer
            && self.cloud_instance_name == other.cloud_instance_name
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

/// The `kid` and the key of an entry, if it is usable. A member that is null counts as absent.
fn parse_key(entry: &Value) -> Option<(String, VerifyingKey)> {
    let member = |name: &str| match entry.get(name) {
        None | Some(Value::Null) => Some(None),
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
    let parsed = parse_rsa(without_leading_zeros(&modulus), without_leading_zeros(&exponent))?;
    let issuer = member("issuer")?.map(IssuerTemplate::new);
    let cloud_instance_name = member("cloud_instance_name")?.map(str::to_owned);
    Some((kid.to_owned(), VerifyingKey { parsed, issuer, cloud_instance_name }))
}

/// The key with this modulus and exponent, which have no leading zeros.
fn parse_rsa(modulus: &[u8], exponent: &[u8]) -> Option<ParsedPublicKey> {
    if !(2_048..=8_192).contains(&bits(modulus)) {
        return None;
    }
    // Unlike a key made from the components, a key read from DER is checked: an exponent that is
    // even or less than 3, and a modulus or an exponent that would make every verification fail,
    // are rejected here.
    let der = PublicKeyComponents { n: modulus, e: exponent }.as_der().ok()?;
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.as_ref()).ok()
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    &number[zeros..]
}

/// The length in bits of a big-endian number without leading zeros.
fn bits(number: &[u8]) -> usize {
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The parser accepts any odd number of the right length as a modulus.
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
            with(key("b"), "cloud_instance_name", json!(["microsoftonline.com"])),
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
    fn a_member_that_is_null_counts_as_absent() {
        let optional =
            ["use", "alg", "key_ops", "x5c", "x5t", "x5u", "issuer", "cloud_instance_name"];
        let plain = parse_set(json!({ "keys": [key("a")] }).to_string().as_bytes()).unwrap();
        for name in optional {
            let body = json!({ "keys": [with(key("a"), name, json!(null))] }).to_string();
            assert!(parse_set(body.as_bytes()).unwrap()["a"] == plain["a"], "{name}");
        }
        for name in ["kid", "kty", "n", "e"] {
            assert_eq!(kids(&[with(key("b"), name, json!(null)), key("a")]), ["a"], "{name}");
        }
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
    fn leading_zeros_are_not_part_of_a_number() {
        let [padded, plain] = [vec![0, 0], vec![]].map(|mut modulus| {
            modulus.extend([0xff; 256]);
            with(key("a"), "n", json!(URL_SAFE_NO_PAD.encode(modulus)))
        });
        let set = |key: Value| parse_set(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
        let padded = set(with(padded, "e", json!("AAEAAQ")));
        assert!(padded["a"] == set(plain)["a"]);
    }

    #[test]
    fn a_key_that_can_verify_no_signature_is_left_out() {
        let even = URL_SAFE_NO_PAD.encode([&[0xff; 255][..], &[0xfe]].concat());
        let exponent_of_five_bytes = URL_SAFE_NO_PAD.encode([0xff; 5]);
        let keys = [
            with(key("modulus"), "n", json!(even)),
            with(key("exponent"), "e", json!(exponent_of_five_bytes)),
            key("usable"),
        ];
        assert_eq!(kids(&keys), ["usable"]);
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
    fn a_key_with_another_issuer_or_cloud_is_another_key() {
        let set = |key: Value| parse_set(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
        assert!(set(key("a"))["a"] == set(key("a"))["a"]);
        for name in ["issuer", "cloud_instance_name"] {
            let bound = |to: &str| set(with(key("a"), name, json!(to)));
            assert!(bound("x")["a"] != bound("y")["a"], "{name}");
            assert!(bound("x")["a"] != set(key("a"))["a"], "{name}");
        }
    }

    #[test]
    fn a_set_of_more_than_64_keys_is_refused() {
        let keys: Vec<_> = (0..65).map(|index| key(&format!("k{index:02}"))).collect();
        assert_eq!(kids(&keys[..64]).len(), 64);
        assert!(kids(&keys).is_empty());
    }
}
