//! An RSA signing key with its certificate.

use aws_lc_rs::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, digest},
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::PublicKey,
    signature::{
        KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
        RsaKeyPair, UnparsedPublicKey,
    },
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde::Serialize;
use serde_json::{Map, Value};

/// An RSA key with its certificate.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    kid: String,
    modulus: String,
    exponent: String,
    certificate: String,
}

impl SigningKey {
    /// Parses a key in PKCS#8 and its certificate.
    pub(crate) fn from_der(pkcs8: &[u8], certificate: &[u8]) -> Result<Self, BadKey> {
        let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| BadKey::Unreadable)?;
        let public = pair.public_key();
        // The certificate contains the public key in the same PKCS#1 encoding.
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

    /// The key id.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The header of tokens that this key signs.
    pub(crate) fn header(&self) -> Map<String, Value> {
        let members = [("typ", "JWT"), ("alg", "RS256"), ("kid", self.kid.as_str())];
        members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
    }

    /// Signs a token in compact form with RS256 (RFC 7515, section 7.1).
    pub(crate) fn sign(
        &self,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, SignError> {
        self.sign_with(&RSA_PKCS1_SHA256, header, claims)
    }

    /// Signs a token with PS256, which Entra does not use for its tokens.
    pub(crate) fn sign_pss(
        &self,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, SignError> {
        self.sign_with(&RSA_PSS_SHA256, header, claims)
    }

    fn sign_with(
        &self,
        padding: &'static dyn RsaEncoding,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, SignError> {
        let token = unsigned(header, claims)?;
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(padding, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| SignError::Key)?;
        Ok(with_signature(token, &signature))
    }

    /// A token with HS256, whose secret is the public key in PEM. Anybody can make it.
    pub(crate) fn authenticate(
        &self,
        header: &Map<String, Value>,
        claims: &Map<String, Value>,
    ) -> Result<String, SignError> {
        let der: PublicKeyX509Der<'_> = self.public_key().as_der().map_err(|_| SignError::Key)?;
        let encoded = BASE64_STANDARD.encode(der.as_ref());
        let lines = encoded.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let lines: String = lines.map(|line| format!("{line}\n")).collect();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n");
        let token = unsigned(header, claims)?;
        let secret = hmac::Key::new(hmac::HMAC_SHA256, pem.as_bytes());
        let code = hmac::sign(&secret, token.as_bytes());
        Ok(with_signature(token, code.as_ref()))
    }

    /// The public key.
    pub(crate) fn public_key(&self) -> &PublicKey {
        self.pair.public_key()
    }

    /// Verifies an RS256 signature.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = self.pair.public_key();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(message, signature).is_ok()
    }

    /// The entry in the key set, for this issuer.
    pub(crate) fn published(&self, issuer: String) -> Jwk {
        Jwk {
            kty: "RSA",
            r#use: "sig",
            kid: self.kid.clone(),
            x5t: self.kid.clone(),
            n: self.modulus.clone(),
            e: self.exponent.clone(),
            x5c: [self.certificate.clone()],
            issuer: Some(issuer),
        }
    }
}

/// An entry of the key set (RFC 7517), with the members of Entra: an `issuer`, the same `kid` and
/// `x5t`, and no `alg`.
#[derive(Debug, Serialize)]
pub(crate) struct Jwk {
    kty: &'static str,
    r#use: &'static str,
    pub(crate) kid: String,
    x5t: String,
    n: String,
    e: String,
    x5c: [String; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
}

impl Jwk {
    /// The entry in the key set of version 1, which names no issuer.
    pub(crate) fn without_issuer(self) -> Self {
        Self { issuer: None, ..self }
    }
}

/// Why a key with its certificate is not usable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadKey {
    #[error("the key is not an RSA key in PKCS#8")]
    Unreadable,
    #[error("the certificate does not belong to the key")]
    OtherCertificate,
}

/// Why a token could not be signed. It is never the caller's fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    #[error("the claims cannot be serialized")]
    Claims(#[source] serde_json::Error),
    #[error("the key refused to sign")]
    Key,
}

fn with_signature(mut token: String, signature: &[u8]) -> String {
    token.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// The encoded header and claims of a token, separated by a dot.
pub(crate) fn unsigned(
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
) -> Result<String, SignError> {
    let encode = |part| {
        serde_json::to_vec(part)
            .map(|json| BASE64_URL_SAFE_NO_PAD.encode(json))
            .map_err(SignError::Claims)
    };
    Ok(format!("{}.{}", encode(header)?, encode(claims)?))
}
