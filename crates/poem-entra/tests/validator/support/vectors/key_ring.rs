//! The test keys of the vectors, and signatures made with them.

use std::collections::HashMap;

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding,
    },
};
use serde::Deserialize;
use serde_json::Value;

use super::case::{Change, Signature, decode, read};

/// The test keys by name.
pub(super) struct KeyRing {
    jwks: HashMap<String, HashMap<String, String>>,
    rsa: HashMap<String, KeyPair>,
}

impl KeyRing {
    pub(super) fn read() -> Self {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys {
            #[serde(rename = "about")]
            _about: String,
            keys: HashMap<String, HashMap<String, String>>,
        }
        let Keys { keys: jwks, .. } = read("keys.json");
        let private = jwks.iter().filter(|(_, jwk)| jwk["kty"] == "RSA" && jwk.contains_key("d"));
        let rsa = private.map(|(name, jwk)| (name.clone(), rsa_key(jwk))).collect();
        Self { jwks, rsa }
    }

    /// Replaces the field `public` of an entry with the public parameters of the key that it names,
    /// except for those that the entry already has.
    pub(super) fn publish(&self, entry: &mut Value) {
        let Some(Value::String(name)) =
            entry.as_object_mut().and_then(|members| members.remove("public"))
        else {
            return;
        };
        for member in ["kty", "n", "e", "crv", "x", "y"] {
            if let (Some(value), None) = (self.jwks[&name].get(member), entry.get(member)) {
                entry[member] = value.as_str().into();
            }
        }
    }

    pub(super) fn sign(&self, signature: &Signature, message: &[u8]) -> Result<Vec<u8>, String> {
        let key = signature.key.as_deref().unwrap_or("k1");
        let mut bytes = match (&signature.bytes, signature.alg.as_deref().unwrap_or("RS256")) {
            (Some(bytes), _) => decode(bytes),
            (None, "RS256") => self.sign_rsa(key, &RSA_PKCS1_SHA256, message),
            (None, "RS384") => self.sign_rsa(key, &RSA_PKCS1_SHA384, message),
            (None, "RS512") => self.sign_rsa(key, &RSA_PKCS1_SHA512, message),
            (None, "PS256") => self.sign_rsa(key, &RSA_PSS_SHA256, message),
            (None, "ES256") => self.sign_ecdsa(key, message),
            (None, "HS256") => {
                let secret = decode(signature.secret.as_deref().ok_or("there is no secret")?);
                let secret = hmac::Key::new(hmac::HMAC_SHA256, &secret);
                hmac::sign(&secret, message).as_ref().to_vec()
            }
            (None, other) => return Err(format!("unknown signature algorithm {other}")),
        };
        for change in &signature.change {
            match change {
                Change::Drop(count) => bytes.truncate(bytes.len() - count),
                Change::Flip(bit) => bytes[bit / 8] ^= 0x80 >> (bit % 8),
                Change::Prepend(more) => bytes = [decode(more), bytes].concat(),
                Change::Append(more) => bytes.extend(decode(more)),
            }
        }
        Ok(bytes)
    }

    pub(super) fn sign_rsa(
        &self,
        key: &str,
        encoding: &'static dyn RsaEncoding,
        message: &[u8],
    ) -> Vec<u8> {
        let key = &self.rsa[key];
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }

    pub(super) fn sign_ecdsa(&self, key: &str, message: &[u8]) -> Vec<u8> {
        let jwk = &self.jwks[key];
        let point = [vec![4], decode(&jwk["x"]), decode(&jwk["y"])].concat();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key =
            EcdsaKeyPair::from_private_key_and_public_key(algorithm, &decode(&jwk["d"]), &point);
        key.unwrap().sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }
}

/// Converts a private JWK to a key, by way of the ASN.1 type RSAPrivateKey (RFC 8017, appendix
/// A.1.2).
pub(super) fn rsa_key(jwk: &HashMap<String, String>) -> KeyPair {
    let numbers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(|name| decode(&jwk[name]));
    let fields = numbers.iter().flat_map(|number| {
        // The leading zero makes the number positive.
        der(0x02, &[&[0], number.as_slice()].concat()[usize::from(number[0] < 0x80)..])
    });
    let fields: Vec<u8> = der(0x02, &[0]).into_iter().chain(fields).collect();
    KeyPair::from_der(&der(0x30, &fields)).unwrap()
}

pub(super) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        0..0x80 => vec![tag, length[1]],
        0x80..0x100 => vec![tag, 0x81, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    [head.as_slice(), content].concat()
}
