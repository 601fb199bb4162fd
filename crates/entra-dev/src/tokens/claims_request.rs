//! The `claims` parameter.

use serde_json::{Map, Value};

/// The `claims` parameter (OpenID Connect Core, section 5.5), limited to access tokens: the
/// capabilities of the client, and the claims from an API's claims challenge
/// (<https://learn.microsoft.com/entra/identity-platform/claims-challenge>).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ClaimsRequest {
    /// The capabilities of the client: `xms_cc`. Only `cp1` is in use.
    pub(crate) capabilities: Vec<String>,
    /// The requested authentication contexts: `acrs`.
    pub(crate) contexts: Vec<String>,
}

impl ClaimsRequest {
    /// Parses the parameter; `None` if it is not a JSON object.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let request: Map<String, Value> = serde_json::from_str(text).ok()?;
        let values = |name: &str| {
            let claim = request.get("access_token").and_then(|claims| claims.get(name));
            let one = claim.and_then(|claim| claim.get("value"));
            let many = claim.and_then(|claim| claim.get("values")).and_then(Value::as_array);
            let all = one.into_iter().chain(many.into_iter().flatten());
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Some(Self { capabilities: values("xms_cc"), contexts: values("acrs") })
    }
}
