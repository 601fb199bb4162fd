//! RSA keys, and tokens signed with them.

use std::sync::LazyLock;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// All tests share three keys, because generating a key is slow.
static KEYS: LazyLock<[KeyPair; 3]> =
    LazyLock::new(|| [(); 3].map(|()| KeyPair::generate(KeySize::Rsa2048).unwrap()));

/// A key by its number. It can be used with any `kid`.
pub(crate) fn key_pair(number: usize) -> &'static KeyPair {
    &KEYS[number]
}

/// The public key as a JWK.
pub(crate) fn jwk(kid: &str, number: usize, issuer: Option<&str>) -> Value {
    let public = key_pair(number).public_key();
    let mut jwk = json!({
        "kty": "RSA", "use": "sig", "kid": kid, "x5t": kid,
        "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
        "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
    });
    if let Some(issuer) = issuer {
        jwk["issuer"] = issuer.into();
    }
    jwk
}

/// A token with this header and payload, which need not be valid.
pub(crate) fn sign(header: &str, payload: &str, number: usize) -> String {
    let key = key_pair(number);
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A token with these claims, signed with key 0 and with the `kid` "a".
pub(crate) fn token(claims: &Value) -> String {
    token_of("a", 0, claims)
}

pub(crate) fn token_of(kid: &str, number: usize, claims: &Value) -> String {
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": kid });
    sign(&header.to_string(), &claims.to_string(), number)
}
