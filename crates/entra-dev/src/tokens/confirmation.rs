//! Proof of possession: access tokens that are bound to a key of the client.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

/// The key to which an access token is bound (RFC 7800, section 3.4). The client signs each request
/// to the API with it, which an API that accepts only `Bearer` cannot check
/// (<https://learn.microsoft.com/entra/msal/dotnet/advanced/proof-of-possession-tokens>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// The thumbprint of the key (RFC 7638), chosen by the client.
    kid: String,
}

impl Confirmation {
    /// Parses the parameter `req_cnf`: a JSON object with a `kid`, in base64url with or without
    /// padding. `None` if it is malformed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
        let members: Map<String, Value> = serde_json::from_slice(&json).ok()?;
        let kid = members.get("kid").and_then(Value::as_str).filter(|kid| !kid.is_empty())?;
        Some(Self { kid: kid.to_owned() })
    }

    /// The claim `cnf`.
    pub(super) fn claim(&self) -> Value {
        json!({ "kid": self.kid })
    }
}
