//! The challenge in the `WWW-Authenticate` header of a refusal (RFC 6750, section 3).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use serde_json::json;

use crate::rejection::Refusal;

/// The parts of a challenge that depend on this API.
#[derive(Debug, Clone, Default)]
pub struct Challenge {
    /// The prefix of a scope in a request: the canonical App ID URI.
    pub app_id_uri: String,
    /// The API's app registration.
    pub client_id: String,
    /// Where a user signs in again: `{authority}/oauth2/v2.0/authorize`.
    pub authorization_uri: String,
    /// The absolute URL of the protected resource metadata (RFC 9728).
    pub resource_metadata: Option<String>,
}

impl Challenge {
    /// A scope as clients request it: `{app_id_uri}/{scope}`.
    pub fn full_scope(&self, scope: &str) -> String {
        format!("{}/{scope}", self.app_id_uri)
    }

    /// `Bearer` and the parameters that the refusal needs, with `resource_metadata` (RFC 9728,
    /// section 5.1) at the end.
    pub(crate) fn header(&self, refusal: &Refusal, detail: &str) -> HeaderValue {
        let mut parameters = self.parameters(refusal);
        if !parameters.is_empty() {
            parameters.push(("error_description", quotable(detail)));
        }
        if let Some(url) = &self.resource_metadata {
            parameters.push(("resource_metadata", quotable(url)));
        }
        let list: Vec<_> =
            parameters.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let text = format!("Bearer {}", list.join(", "));
        HeaderValue::from_str(text.trim_end())
            .unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }

    fn parameters(&self, refusal: &Refusal) -> Vec<(&'static str, String)> {
        match refusal {
            Refusal::MissingToken | Refusal::KeysUnavailable(_) => Vec::new(),
            Refusal::InvalidRequest => vec![("error", "invalid_request".into())],
            Refusal::InvalidToken => vec![("error", "invalid_token".into())],
            Refusal::InsufficientScope([]) | Refusal::InsufficientRole(_) | Refusal::Denied => {
                vec![("error", "insufficient_scope".into())]
            }
            Refusal::InsufficientScope(scopes) => {
                // Clients request the full URI, although `scp` contains the short name.
                let full: Vec<_> = scopes.iter().map(|scope| self.full_scope(scope)).collect();
                vec![("error", "insufficient_scope".into()), ("scope", full.join(" "))]
            }
            Refusal::InsufficientClaims(context) => self.claims_challenge(context),
        }
    }

    /// Entra's claims challenge, which MSAL passes on to the authority
    /// (<https://learn.microsoft.com/entra/identity-platform/claims-challenge>).
    fn claims_challenge(&self, context: &str) -> Vec<(&'static str, String)> {
        let claims = json!({
            "access_token": { "acrs": { "essential": true, "value": context } },
        });
        vec![
            ("realm", String::new()),
            ("authorization_uri", quotable(&self.authorization_uri)),
            ("client_id", self.client_id.clone()),
            ("error", "insufficient_claims".into()),
            ("claims", STANDARD.encode(claims.to_string())),
            ("cc_type", "authcontext".into()),
        ]
    }
}

/// Text that may be put between quotes in `WWW-Authenticate` (RFC 6750, section 3: printable ASCII
/// without `"` and `\`).
pub(crate) fn quotable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '"' | '\\' => '\'',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(refusal: &Refusal, detail: &str) -> String {
        let challenge = Challenge {
            app_id_uri: "api://todo".into(),
            resource_metadata: Some("https://todo.example/meta".into()),
            ..Challenge::default()
        };
        challenge.header(refusal, detail).to_str().unwrap().to_owned()
    }

    #[test]
    fn no_error_is_named_when_no_token_was_sent() {
        let text = challenge(&Refusal::MissingToken, "send one");
        assert_eq!(text, r#"Bearer resource_metadata="https://todo.example/meta""#);
        let bare = Challenge::default().header(&Refusal::MissingToken, "send one");
        assert_eq!(bare, "Bearer");
    }

    #[test]
    fn a_missing_scope_is_named_as_clients_request_it() {
        let text = challenge(&Refusal::InsufficientScope(&["access_as_user"]), "no");
        assert!(text.contains(r#"error="insufficient_scope", scope="api://todo/access_as_user""#));
    }

    #[test]
    fn the_description_cannot_leave_its_quotes() {
        let text = challenge(&Refusal::InvalidToken, "a\"b\\c\r\nd\u{e9}");
        assert!(text.contains("error_description=\"a'b'c??d?\""), "{text}");
    }
}
