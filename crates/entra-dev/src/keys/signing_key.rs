use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde::Serialize;

/// An RSA key with its certificate.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    kid: String,
    modulus: String,
    exponent: String,
    certificate: String,
}

impl SigningKey {
    /// The key in these PKCS#8 and X.509 encodings, which must belong together.
    pub(crate) fn from_der(pkcs8: &[u8], certificate: &[u8]) -> Result<Self, BadKey> {
        let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| BadKey::Unreadable)?;
        let public = pair.public_key();
        // The certificate carries the PKCS#1 form of the public key as it is.
        let encoded = public.as_ref();
        if !certificate.windows(encoded.len()).any(|window| window == encoded) {
            return Err(BadKey::OtherCertificate);
        }
        let url_safe = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        Ok(Self {
            kid: url_safe(digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate).as_ref()),
            modulus: url_safe(public.modulus().big_endian_without_leading_zero()),
            exponent: url_safe(public.exponent().big_endian_without_leading_zero()),
            certificate: BASE64_STANDARD.encode(certificate),
            pair,
        })
    }

    /// A compact JWS (RFC 7515 section 7.1) of these claims, signed with RS256.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, SignError> {
        let header = Header { typ: "JWT", alg: "RS256", kid: &self.kid };
        let mut token = encode(&header)?;
        token.push('.');
        token.push_str(&encode(claims)?);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| SignError::Key)?;
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
        Ok(token)
    }

    /// The published form, vouching for this issuer.
    pub(crate) fn published(&self, issuer: String) -> Jwk<'_> {
        Jwk {
            kty: "RSA",
            r#use: "sig",
            kid: &self.kid,
            x5t: &self.kid,
            n: &self.modulus,
            e: &self.exponent,
            x5c: [&self.certificate],
            issuer,
        }
    }
}

/// One entry of the key set (RFC 7517), with the members that Entra publishes: its own `issuer`,
/// `kid` the same as `x5t`, and no `alg`.
#[derive(Debug, Serialize)]
pub(crate) struct Jwk<'a> {
    kty: &'static str,
    r#use: &'static str,
    kid: &'a str,
    x5t: &'a str,
    n: &'a str,
    e: &'a str,
    x5c: [&'a str; 1],
    issuer: String,
}

/// Why two encodings are not a key and its certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadKey {
    #[error("the key is no RSA key in PKCS#8")]
    Unreadable,
    #[error("the certificate is not that of the key")]
    OtherCertificate,
}

/// Why a token was not signed: never the caller's fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    #[error("the claims cannot be written as JSON")]
    Claims(#[source] serde_json::Error),
    #[error("the key refused to sign")]
    Key,
}

#[derive(Serialize)]
struct Header<'a> {
    typ: &'static str,
    alg: &'static str,
    kid: &'a str,
}

fn encode(part: &impl Serialize) -> Result<String, SignError> {
    serde_json::to_vec(part)
        .map(|json| BASE64_URL_SAFE_NO_PAD.encode(json))
        .map_err(SignError::Claims)
}
