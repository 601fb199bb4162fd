//! Random values. No other file uses randomness.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use uuid::Uuid;

/// A random GUID.
pub(crate) fn guid() -> String {
    Uuid::new_v4().to_string()
}

/// 32 bytes with 244 random bits.
pub(crate) fn bytes() -> [u8; 32] {
    let halves = [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()];
    let mut bytes = [0; 32];
    bytes.copy_from_slice(halves.as_flattened());
    bytes
}

/// 43 URL-safe characters with 244 random bits, more than codes need (RFC 6749, section 10.10).
pub(crate) fn secret() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes())
}

/// Whether this has the form of a [`secret`].
pub(crate) fn is_secret(text: &str) -> bool {
    let url_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.len() == 43 && text.bytes().all(url_safe)
}

/// 22 URL-safe characters, like the `uti` claim of Entra.
pub(crate) fn short_id() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Uuid::new_v4().into_bytes())
}

/// A number from `low` to `high`, inclusive.
pub(crate) fn between(low: u64, high: u64) -> u64 {
    let (random, _) = Uuid::new_v4().as_u64_pair();
    low + random % (high - low + 1)
}

/// 9 characters that are easy to distinguish, like the `user_code` of Entra.
pub(crate) fn user_code() -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let random = Uuid::new_v4().into_bytes();
    // Bytes 6 and 8 contain the version and the variant, which are not random.
    let bytes = [0, 1, 2, 3, 4, 5, 9, 10, 11].map(|index: usize| random[index]);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}
