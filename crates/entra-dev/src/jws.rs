//! Parsing of tokens: client assertions, access tokens and ID tokens.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// A token in compact form (RFC 7515, section 7.1) whose signature is not verified.
pub(crate) struct UnverifiedJws<'a> {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> UnverifiedJws<'a> {
    /// Parses a token. `None` if it is malformed, or has critical header parameters: none of them
    /// are understood (RFC 7515, section 4.1.11).
    pub(crate) fn parse(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let object = |part: &str| {
            let json = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Map<String, Value>>(&json).ok()
        };
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let header = object(header).filter(|header| !header.contains_key("crit"))?;
        Some(Self { header, claims: object(claims)?, signed, signature })
    }

    /// A header parameter that is a string.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// A claim that is a string.
    pub(crate) fn claim(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// A claim that is a string or a list of strings.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        match self.claims.get(name) {
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
            text => text.and_then(Value::as_str).into_iter().collect(),
        }
    }

    /// A claim that is a time, in whole seconds since the epoch. Fractions are allowed (RFC 7519,
    /// section 2), and azure-identity sends them. MSAL for .NET sends whole seconds as a string,
    /// which Entra accepts.
    pub(crate) fn time(&self, name: &str) -> Option<u64> {
        let time = self.claims.get(name)?;
        if let Value::String(digits) = time {
            // `parse` alone would accept a plus sign.
            let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
            return digits.parse().ok().filter(|_| is_number);
        }
        time.as_u64().or_else(|| {
            let time = time.as_f64().filter(|time| (0.0..=9_007_199_254_740_992.0).contains(time));
            // In this range the conversion is exact.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            time.map(|time| time as u64)
        })
    }

    /// The signed message and the signature.
    pub(crate) fn signature(&self) -> (&[u8], &[u8]) {
        (self.signed.as_bytes(), &self.signature)
    }
}
