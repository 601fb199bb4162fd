//! A certificate with which an app authenticates.

use aws_lc_rs::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest},
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaEncoding, RsaKeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A certificate and its key.
pub(crate) struct Credential {
    pub(crate) pem: String,
    pub(crate) der: Vec<u8>,
    pub(crate) key: RsaKeyPair,
}

impl Credential {
    pub(crate) fn generate() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let params = rcgen::CertificateParams::new(vec!["robot.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let pair = RsaKeyPair::from_pkcs8(&key.serialize_der()).unwrap();
        Self { pem: certificate.pem(), der: certificate.der().to_vec(), key: pair }
    }

    pub(crate) fn sha1(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der))
    }

    pub(crate) fn sha256(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.der))
    }

    pub(crate) fn hexadecimal(&self) -> String {
        let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.der);
        sha1.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
    }

    pub(crate) fn sign(
        &self,
        padding: &'static dyn RsaEncoding,
        header: &Value,
        claims: &Value,
    ) -> String {
        let message = unsigned(header, claims);
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn rs256(&self, claims: &Value) -> String {
        self.sign(&RSA_PKCS1_SHA256, &json!({ "alg": "RS256", "x5t": self.sha1() }), claims)
    }
}

/// The header and the claims of a token, without a signature.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", part(header), part(claims))
}
