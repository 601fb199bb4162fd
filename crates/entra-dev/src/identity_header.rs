//! The value with which apps show that they may use the managed identities of App Service.

use std::{fmt, str::FromStr};

use crate::constant_time::is_secret;

/// The value of the variable `IDENTITY_HEADER` and of the header field `X-IDENTITY-HEADER`. See
/// [`Options::identity_header`](crate::Options::identity_header).
///
/// In Azure, it keeps an attacker who can make an app send requests (server-side request forgery)
/// from getting tokens. Here it is public by default, like the secrets of the built-in apps.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityHeader(String);

impl IdentityHeader {
    /// Whether this is the value. The time that this takes does not depend on the text.
    pub(crate) fn is(&self, text: &str) -> bool {
        is_secret(&self.0, text)
    }
}

impl Default for IdentityHeader {
    /// `dev-identity-header`.
    fn default() -> Self {
        Self("dev-identity-header".to_owned())
    }
}

/// The value itself.
impl fmt::Display for IdentityHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IdentityHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityHeader")
    }
}

impl FromStr for IdentityHeader {
    type Err = BadIdentityHeader;

    fn from_str(text: &str) -> Result<Self, BadIdentityHeader> {
        let valid = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        valid.then(|| Self(text.to_owned())).ok_or(BadIdentityHeader)
    }
}

/// Text that a header field cannot carry.
#[derive(Debug, Clone, thiserror::Error)]
#[error("an identity header has at least one character, all of them visible ASCII characters")]
pub struct BadIdentityHeader;
