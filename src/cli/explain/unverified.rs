//! The content of a token whose signature nobody has verified. It is shown to people and helps to
//! find the reason for a refusal. It decides nothing: that is the validator's work.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use poem_entra::ClientId;
use serde_json::{Map, Value};

/// What a token says. Anybody could have written it.
#[derive(Debug, Default)]
pub(super) struct UnverifiedToken {
    /// Empty if the header cannot be read.
    pub(super) header: Map<String, Value>,
    /// Empty if the payload cannot be read.
    pub(super) claims: Map<String, Value>,
    /// The number of parts between the dots.
    pub(super) parts: usize,
    /// The length of the signature in bytes; `None` if it is not base64url.
    pub(super) signature_length: Option<usize>,
}

impl UnverifiedToken {
    pub(super) fn decode(token: &str) -> Self {
        let parts: Vec<_> = token.split('.').collect();
        let decoded = |index: usize| {
            parts.get(index).and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part).ok())
        };
        let object = |index| decoded(index).and_then(|json| serde_json::from_slice(&json).ok());
        Self {
            header: object(0).unwrap_or_default(),
            // The second part of an encrypted token is a key.
            claims: object(1).filter(|_| parts.len() == 3 || parts.len() == 2).unwrap_or_default(),
            signature_length: decoded(2).map(|signature| signature.len()),
            parts: parts.len(),
        }
    }

    /// A claim that is a text.
    pub(super) fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// A claim that is a date, in seconds since 1970.
    pub(super) fn seconds(&self, claim: &str) -> Option<u64> {
        let value = self.claims.get(claim)?;
        value.as_u64().or_else(|| value.as_f64().filter(|v| *v >= 0.0).map(|v| v as u64))
    }

    /// Whether there is a claim that is not null.
    pub(super) fn has(&self, claim: &str) -> bool {
        self.claims.get(claim).is_some_and(|value| !value.is_null())
    }

    /// The audiences.
    pub(super) fn audiences(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            one => one.and_then(Value::as_str).into_iter().collect(),
        }
    }

    /// A claim that is a GUID. Nothing else can become part of a command: people run commands that
    /// they copy, and anybody can write a token.
    pub(super) fn guid(&self, claim: &str) -> Option<&str> {
        self.text(claim).filter(|id| ClientId::parse(id).is_some())
    }

    /// The only audience, if it is an app: its client id, or an App ID URI with it.
    pub(super) fn audience_app(&self) -> Option<&str> {
        let [audience] = self.audiences()[..] else { return None };
        let id = audience.strip_prefix("api://").unwrap_or(audience);
        Some(id).filter(|id| ClientId::parse(id).is_some())
    }

    /// The app that requested the token.
    pub(super) fn client(&self) -> Option<&str> {
        self.guid("azp").or_else(|| self.guid("appid"))
    }

    /// The scopes. Entra writes `/` for none.
    pub(super) fn scopes(&self) -> Vec<&str> {
        let scp = self.text("scp").unwrap_or_default();
        scp.split_whitespace().filter(|scope| *scope != "/").collect()
    }

    pub(super) fn has_roles(&self) -> bool {
        self.claims.get("roles").and_then(Value::as_array).is_some_and(|roles| !roles.is_empty())
    }

    /// Whether it looks like an ID token: it says who signed in, but not through which app and with
    /// which scope.
    pub(super) fn looks_like_id_token(&self) -> bool {
        let names_user = ["nonce", "preferred_username", "name", "email", "upn"];
        self.scopes().is_empty()
            && self.client().is_none()
            && names_user.iter().any(|claim| self.has(claim))
    }
}
