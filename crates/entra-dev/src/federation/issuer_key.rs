//! The key set of a foreign issuer.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use crate::{jws::UnverifiedJws, object::Object};

/// The maximum number of keys of an issuer. Further ones are ignored.
const MOST: usize = 64;
/// The maximum size of a modulus, in bytes: 8192 bits.
const MAX_MODULUS: usize = 1024;

/// The usable keys of an issuer.
#[derive(Debug, Clone, Default)]
pub(crate) struct IssuerKeys(Vec<IssuerKey>);

#[derive(Debug, Clone)]
struct IssuerKey {
    /// The values with which the header of a token may refer to the key.
    names: Vec<String>,
    public: RsaPublicKeyComponents<Vec<u8>>,
}

/// A key set (RFC 7517, section 5). An unreadable key does not invalidate the others.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    r#use: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    x5t: Option<String>,
    n: String,
    e: String,
}

impl IssuerKeys {
    /// Parses a key set; `None` if it is not one. Keys that cannot verify RS256 are left out.
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        let Object::<KeySet>(set) = serde_json::from_slice(json).ok()?;
        Some(Self(set.keys.into_iter().filter_map(IssuerKey::parse).take(MOST).collect()))
    }

    /// Whether one of the keys is named in the header of this token. A token that names no key may
    /// have been signed with any of them.
    pub(crate) fn has_key_of(&self, jws: &UnverifiedJws<'_>) -> bool {
        self.named_by(jws).next().is_some()
    }

    /// Whether one of these keys has signed the token, with RS256.
    pub(crate) fn verify(&self, jws: &UnverifiedJws<'_>) -> bool {
        let (message, signature) = jws.signature();
        jws.header("alg") == Some("RS256")
            && self.named_by(jws).any(|key| {
                key.public.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            })
    }

    fn named_by<'a>(&'a self, jws: &'a UnverifiedJws<'_>) -> impl Iterator<Item = &'a IssuerKey> {
        let name = jws.header("kid").or(jws.header("x5t"));
        let is_named = move |key: &&IssuerKey| {
            name.is_none_or(|name| key.names.iter().any(|known| known == name))
        };
        self.0.iter().filter(is_named)
    }
}

impl IssuerKey {
    fn parse(jwk: Value) -> Option<Self> {
        let Object::<Jwk>(jwk) = serde_json::from_value(jwk).ok()?;
        let is_for_rs256 = jwk.kty == "RSA"
            && jwk.r#use.is_none_or(|purpose| purpose == "sig")
            && jwk.alg.is_none_or(|algorithm| algorithm == "RS256");
        let decode = |text: &str| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            Some(bytes[zeros..].to_vec())
        };
        let public = RsaPublicKeyComponents { n: decode(&jwk.n)?, e: decode(&jwk.e)? };
        let fits = (1..=MAX_MODULUS).contains(&public.n.len()) && public.e.len() <= 8;
        let names = [jwk.kid, jwk.x5t].into_iter().flatten().collect();
        (is_for_rs256 && fits).then_some(Self { names, public })
    }
}
