//! The token that protects `/_dev`.

use std::{fmt, str::FromStr};

use crate::constant_time::is_secret;

/// The secret without which nobody can use `/_dev`. See
/// [`Options::control_token`](crate::Options::control_token).
#[derive(Clone, PartialEq, Eq)]
pub struct ControlToken(String);

impl ControlToken {
    /// A shorter token can be guessed.
    const SAFE_LENGTH: usize = 16;

    /// Whether the token is so short that it can be guessed.
    pub(crate) fn is_short(&self) -> bool {
        self.0.len() < Self::SAFE_LENGTH
    }

    /// Whether this is the token. The time that this takes does not depend on the text.
    pub(crate) fn is(&self, text: &str) -> bool {
        is_secret(&self.0, text)
    }
}

impl FromStr for ControlToken {
    type Err = BadControlToken;

    fn from_str(text: &str) -> Result<Self, BadControlToken> {
        let valid = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        valid.then(|| Self(text.to_owned())).ok_or(BadControlToken)
    }
}

impl fmt::Debug for ControlToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlToken")
    }
}

/// Text that cannot be a control token, because a header field could not carry it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a control token has at least one character, all of them visible ASCII characters")]
pub struct BadControlToken;
