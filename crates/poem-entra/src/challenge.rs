//! The challenge in the `WWW-Authenticate` header of a refusal (RFC 6750, section 3).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderValue;
use serde_json::{Value, json};

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
    /// The GUID of the tenant that `authorization_uri` is for. `None` if there are several tenants,
    /// or if the tenant is given by its domain.
    pub realm: Option<String>,
    /// The absolute URL of the protected resource metadata (RFC 9728).
    pub resource_metadata: Option<String>,
}

impl Challenge {
    /// A scope as clients request it: `{app_id_uri}/{scope}`.
    pub fn full_scope(&self, scope: &str) -> String {
        format!("{}/{scope}", self.app_id_uri)
    }

    /// `Bearer` and the parameters that the refusal needs, with `resource_metadata` (RFC 9728,
    /// section 5.1) at the end. `scopes` are what the operation requires, by their short names.
    pub(crate) fn header(&self, refusal: &Refusal, detail: &str, scopes: &[&str]) -> HeaderValue {
        let mut parameters = self.parameters(refusal, scopes);
        if parameters.iter().any(|(name, _)| *name == "error") {
            parameters.push(("error_description", detail.to_owned()));
        }
        if let Some(url) = &self.resource_metadata {
            parameters.push(("resource_metadata", percent_encoded(url)));
        }
        let mut text = String::from("Bearer");
        for (index, (name, value)) in parameters.iter().enumerate() {
            text.push_str(if index == 0 { " " } else { ", " });
            text.push_str(name);
            text.push_str("=\"");
            text.extend(value.chars().map(unambiguous));
            text.push('"');
        }
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
    }

    fn parameters(&self, refusal: &Refusal, scopes: &[&str]) -> Vec<(&'static str, String)> {
        let (error, scopes) = match refusal {
            Refusal::MissingToken | Refusal::KeysUnavailable(_) => (None, scopes),
            Refusal::InvalidToken => (Some("invalid_token"), scopes),
            Refusal::InvalidRequest => (Some("invalid_request"), &[][..]),
            Refusal::InsufficientScope(missing) => (Some("insufficient_scope"), *missing),
            Refusal::InsufficientRole(_) | Refusal::Denied => (Some("insufficient_scope"), &[][..]),
            Refusal::InsufficientClaims(context) => {
                let acrs = json!({ "acrs": { "essential": true, "value": context } });
                let mut parameters = self.claims_challenge(acrs);
                parameters.push(("cc_type", "authcontext".into()));
                return parameters;
            }
            // Entra writes the date as text.
            Refusal::Revoked(not_before) => {
                let value = not_before.to_string();
                return self
                    .claims_challenge(json!({ "nbf": { "essential": true, "value": value } }));
            }
        };
        // Clients request the full URI, although `scp` contains the short name.
        let full: Vec<_> = scopes.iter().map(|scope| self.full_scope(scope)).collect();
        let error = error.map(|error| ("error", error.to_owned()));
        let scope = (!full.is_empty()).then(|| ("scope", full.join(" ")));
        error.into_iter().chain(scope).collect()
    }

    /// Entra's claims challenge, which MSAL passes on to the authority
    /// (<https://learn.microsoft.com/entra/identity-platform/claims-challenge>).
    fn claims_challenge(&self, claims: Value) -> Vec<(&'static str, String)> {
        let claims = json!({ "access_token": claims });
        let realm = self.realm.iter().map(|tenant| ("realm", tenant.clone()));
        let others = [
            ("authorization_uri", percent_encoded(&self.authorization_uri)),
            ("client_id", self.client_id.clone()),
            ("error", "insufficient_claims".into()),
            ("claims", base64_without_padding(&claims.to_string())),
        ];
        realm.chain(others).collect()
    }
}

/// The base64 of JSON in ASCII, with spaces after the JSON instead of `=` at the end.
fn base64_without_padding(json: &str) -> String {
    let length = json.len().next_multiple_of(3);
    STANDARD.encode(format!("{json:length$}"))
}

/// A URL without characters that [`unambiguous`] replaces.
fn percent_encoded(url: &str) -> String {
    let mut encoded = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '"' => encoded.push_str("%22"),
            ',' => encoded.push_str("%2C"),
            '=' => encoded.push_str("%3D"),
            '\\' => encoded.push_str("%5C"),
            other => encoded.push(other),
        }
    }
    encoded
}

/// A character in the value of a parameter. It is never a comma, a quote or an equals sign: the
/// parser that Microsoft publishes for claims challenges splits there, even between quotes.
fn unambiguous(c: char) -> char {
    match c {
        ',' => ';',
        '=' => ':',
        other => printable(other),
    }
}

/// Text that may be put between quotes in `WWW-Authenticate` (RFC 6750, section 3: printable ASCII
/// without `"` and `\`).
pub(crate) fn quotable(text: &str) -> String {
    text.chars().map(printable).collect()
}

fn printable(c: char) -> char {
    match c {
        '"' | '\\' => '\'',
        ' '..='~' => c,
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSALS: [Refusal; 8] = [
        Refusal::MissingToken,
        Refusal::InvalidRequest,
        Refusal::InvalidToken,
        Refusal::InsufficientScope(&["access_as_user", "todos.read"]),
        Refusal::InsufficientRole(&["Admin"]),
        Refusal::Denied,
        Refusal::InsufficientClaims("c1"),
        Refusal::Revoked(1_800_000_000),
    ];

    fn challenge(refusal: &Refusal, detail: &str) -> String {
        let challenge = Challenge {
            app_id_uri: "api://todo".into(),
            resource_metadata: Some("https://todo.example/meta".into()),
            ..Challenge::default()
        };
        challenge.header(refusal, detail, &["access_as_user"]).to_str().unwrap().to_owned()
    }

    #[test]
    fn no_error_is_named_when_no_token_was_sent() {
        let text = challenge(&Refusal::MissingToken, "send one");
        let scope = r#"scope="api://todo/access_as_user""#;
        let metadata = r#"resource_metadata="https://todo.example/meta""#;
        assert_eq!(text, format!("Bearer {scope}, {metadata}"));
        let bare = Challenge::default().header(&Refusal::MissingToken, "send one", &[]);
        assert_eq!(bare, "Bearer");
    }

    #[test]
    fn a_missing_scope_is_named_as_clients_request_it() {
        let text = challenge(&Refusal::InsufficientScope(&["todos.read"]), "no");
        assert!(text.contains(r#"error="insufficient_scope", scope="api://todo/todos.read""#));
    }

    #[test]
    fn the_description_cannot_leave_its_quotes() {
        let text = challenge(&Refusal::InvalidToken, "a\"b\\c\r\nd\u{e9}");
        assert!(text.contains("error_description=\"a'b'c??d?\""), "{text}");
    }

    #[test]
    fn no_value_contains_a_comma_a_quote_or_an_equals_sign() {
        let challenge = Challenge {
            app_id_uri: "api://a,b=c\"d".into(),
            client_id: "a,b=c\"d".into(),
            authorization_uri: "https://login.example/a,b=c\"d".into(),
            realm: Some("a,b=c\"d".into()),
            resource_metadata: Some("https://todo.example/a,b=c\"d".into()),
        };
        for refusal in REFUSALS {
            let header = challenge.header(&refusal, "a,b=c\"d", &["access_as_user"]);
            let list = header.to_str().unwrap().strip_prefix("Bearer ").unwrap();
            for parameter in list.split(',') {
                let [_, value] = *parameter.split('=').collect::<Vec<_>>() else {
                    panic!("{list}")
                };
                let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
                assert!(value.is_some_and(|value| !value.contains('"')), "{list}");
            }
        }
        let header = challenge.header(&Refusal::MissingToken, "", &[]);
        assert_eq!(header, r#"Bearer resource_metadata="https://todo.example/a%2Cb%3Dc%22d""#);
    }

    #[test]
    fn the_claims_are_the_same_json_without_padding() {
        let claims = |refusal: Refusal| -> Value {
            let text = challenge(&refusal, "no");
            let (_, rest) = text.split_once("claims=\"").unwrap();
            let (claims, _) = rest.split_once('"').unwrap();
            assert!(!claims.contains('='), "{claims}");
            serde_json::from_slice(&STANDARD.decode(claims).unwrap()).unwrap()
        };
        for context in ["c1", "c10", "c100"] {
            let acrs = json!({ "essential": true, "value": context });
            let expected = json!({ "access_token": { "acrs": acrs } });
            assert_eq!(claims(Refusal::InsufficientClaims(context)), expected);
        }
        for not_before in [1, 10, 100] {
            let nbf = json!({ "essential": true, "value": not_before.to_string() });
            let expected = json!({ "access_token": { "nbf": nbf } });
            assert_eq!(claims(Refusal::Revoked(not_before)), expected);
        }
    }

    #[test]
    fn the_realm_is_a_tenant_or_absent() {
        let refusal = Refusal::InsufficientClaims("c1");
        assert!(challenge(&refusal, "no").starts_with("Bearer authorization_uri=\""));
        let realm = Some("11111111-1111-4111-8111-111111111111".to_owned());
        let challenge = Challenge { realm, ..Challenge::default() };
        let header = challenge.header(&refusal, "no", &[]);
        let start = "Bearer realm=\"11111111-1111-4111-8111-111111111111\", authorization_uri=\"";
        assert!(header.to_str().unwrap().starts_with(start), "{header:?}");
    }
}
