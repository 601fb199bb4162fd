//! Encrypted tokens, which Entra issues for apps with a token encryption key.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    encoding::{AsDer, PublicKeyX509Der},
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::json;

use crate::{keys::SigningKey, random};

/// Encrypts a signed token in compact form, with RSA-OAEP and A256GCM (RFC 7516, section 7.1), for
/// this recipient. `None` if the library fails.
pub(super) fn encrypt(token: &str, recipient: &SigningKey) -> Option<String> {
    let content_key = random::bytes();
    let mut nonce = [0; 12];
    nonce.copy_from_slice(&random::bytes()[..12]);
    let encode = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);

    let header = json!({
        "typ": "JWT",
        "cty": "JWT",
        "alg": "RSA-OAEP",
        "enc": "A256GCM",
        "kid": recipient.kid(),
    });
    let header = encode(header.to_string().as_bytes());
    let der: PublicKeyX509Der<'_> = recipient.public_key().as_der().ok()?;
    let recipient = PublicEncryptingKey::from_der(der.as_ref()).ok()?;
    let recipient = OaepPublicEncryptingKey::new(recipient).ok()?;
    let mut encrypted_key = vec![0; recipient.ciphertext_size()];
    let encrypted_key: &[u8] =
        recipient.encrypt(&OAEP_SHA1_MGF1SHA1, &content_key, &mut encrypted_key, None).ok()?;

    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &content_key).ok()?);
    let mut text = token.as_bytes().to_vec();
    let tag = key
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(header.as_bytes()),
            &mut text,
        )
        .ok()?;
    let parts = [encrypted_key, &nonce, &text, tag.as_ref()].map(encode);
    Some(format!("{header}.{}", parts.join(".")))
}
