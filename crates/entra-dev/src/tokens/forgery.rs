//! The description of forged tokens, for tests of what an API does with them. `forging.rs` makes
//! them.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    directory::UnknownPerson,
    keys::{KeyError, SignError},
};

use super::lifetime::lifetime;

/// A token that no sign-in would issue, for tests of what an API does with it.
///
/// It starts as a real token: by default, the access token of a person for an API. Then its claims
/// and header parameters are replaced, or removed by `null`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Forgery {
    /// The person: a short name, a sign-in name or an `oid`. Default: the first person of the
    /// directory.
    pub person: Option<String>,
    /// The client id or name of the client. Default: Swagger UI.
    pub client: Option<String>,
    /// The client id, app id URI or name of the API. Default: the Todo API.
    pub resource: Option<String>,
    /// The kind of token to start with.
    pub kind: TokenKind,
    /// The version of the access token, 1 or 2. Default: the one that the API accepts.
    pub version: Option<u8>,
    /// Claims to replace, add or, with `null`, remove.
    pub claims: Map<String, Value>,
    /// Whether the token has only the claims in `claims`.
    pub only_these_claims: bool,
    /// Header parameters to replace, add or, with `null`, remove.
    pub header: Map<String, Value>,
    /// Seconds from now to `exp`; negative for an expired token. The `iat` and `nbf` of an expired
    /// token are earlier than its `exp`, unless `valid_in` or `claims` set them.
    pub expires_in: Option<i64>,
    /// Seconds from now to `nbf`; positive for a token that is not valid yet. The `exp` of such a
    /// token is later than its `nbf`, unless `expires_in` or `claims` set it.
    pub valid_in: Option<i64>,
    /// The key that signs the token.
    pub signed_with: SignedWith,
    /// Whether to encrypt the signed token for a key that nobody has (RFC 7516).
    pub encrypted: bool,
}

/// The kind of token that a forgery starts with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TokenKind {
    /// The access token of the person, for the API.
    #[default]
    Access,
    /// The ID token of the person, for the client.
    Id,
    /// The access token of the client itself, for the API: the result of client credentials in the
    /// tenant of the client. The person does not matter.
    App,
}

/// The key that signs a forged token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignedWith {
    /// The key that signs a real token: that of the API, if it has its own, otherwise that for the
    /// person's tenant. With `only_these_claims`, the key for work and school accounts.
    #[default]
    Current,
    /// The published key that does not sign yet.
    Next,
    /// The key for personal accounts.
    Personal,
    /// An unpublished key, with the key id of the current one.
    Stranger,
    /// No key: `alg` is `none` and the signature is empty (RFC 7519, section 6).
    Nothing,
    /// The public part of the current key, used as the secret of HS256 (RFC 8725, section 2.1).
    Hmac,
    /// The current key, with PS256.
    Pss,
}

impl Forgery {
    /// A token with exactly these claims. A value that is not a JSON object means no claims.
    pub fn exactly(claims: Value) -> Self {
        let claims = match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        };
        Self { claims, only_these_claims: true, ..Self::default() }
    }

    /// The token of this person for the Todo API and the client Swagger UI, to be modified.
    pub fn of(person: &str) -> Self {
        Self { person: Some(person.to_owned()), ..Self::default() }
    }

    /// Replaces this claim, or removes it if the value is `null`.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Replaces this header parameter, or removes it if the value is `null`.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Signs with another key.
    #[must_use]
    pub fn signed_with(mut self, key: SignedWith) -> Self {
        self.signed_with = key;
        self
    }

    /// Starts with another kind of token.
    #[must_use]
    pub fn kind(mut self, kind: TokenKind) -> Self {
        self.kind = kind;
        self
    }

    /// Encrypts the signed token for a key that nobody has.
    #[must_use]
    pub fn encrypted(mut self) -> Self {
        self.encrypted = true;
        self
    }

    /// Sets the seconds from now to `exp`; negative for an expired token.
    #[must_use]
    pub fn expires_in(mut self, seconds: i64) -> Self {
        self.expires_in = Some(seconds);
        self
    }

    /// Sets the seconds from now to `nbf`.
    #[must_use]
    pub fn valid_in(mut self, seconds: i64) -> Self {
        self.valid_in = Some(seconds);
        self
    }

    /// Sets the requested times. If only one is requested and makes the token invalid now, the
    /// other times move with it, so that `nbf` stays earlier than `exp`. Otherwise, a faulty
    /// validator that compares `nbf` with `exp`, but never looks at the clock, would also refuse
    /// the token, and a test would not find the mistake.
    pub(super) fn set_times(&self, claims: &mut Map<String, Value>, now: u64) {
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let lifetime = i64::try_from(lifetime()).unwrap_or_default();
        let mut follow = |name: &str, time: i64| {
            if let Some(claim) = claims.get_mut(name) {
                *claim = time.into();
            }
        };
        match (self.expires_in, self.valid_in) {
            (Some(seconds), None) if seconds <= 0 => {
                let issued = now.saturating_add(seconds).saturating_sub(lifetime);
                follow("iat", issued);
                follow("nbf", issued);
            }
            (None, Some(seconds)) if seconds > 0 => {
                follow("exp", now.saturating_add(seconds).saturating_add(lifetime));
            }
            _ => {}
        }
        for (name, seconds) in [("exp", self.expires_in), ("nbf", self.valid_in)] {
            if let Some(seconds) = seconds {
                claims.insert(name.to_owned(), now.saturating_add(seconds).into());
            }
        }
    }
}

/// Why a token cannot be forged.
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The directory has no people.
    #[error("the directory has no people")]
    Nobody,
    /// The directory has no such app.
    #[error("there is no {role} {name:?}; choose one of: {known}")]
    UnknownApp {
        /// `client` or `resource`.
        role: &'static str,
        /// The requested name.
        name: String,
        /// The names of all apps, separated by commas.
        known: String,
    },
    /// There is no such person.
    #[error(transparent)]
    UnknownPerson(#[from] UnknownPerson),
    /// There are no access tokens of this version.
    #[error("there is no version {0} of access tokens; choose 1 or 2")]
    UnknownVersion(u8),
    /// The unpublished key could not be generated.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Signing failed, which should not happen on a working machine.
    #[error("failed to sign the token")]
    Sign,
}

impl From<SignError> for ForgeError {
    fn from(_: SignError) -> Self {
        Self::Sign
    }
}
