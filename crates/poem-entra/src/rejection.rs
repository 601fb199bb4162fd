//! Why a request was refused: the rule, the HTTP answer that follows, and what would help.

use std::{borrow::Cow, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// A rule of this crate, by the name its documentation and tests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Exactly one well-formed `Authorization: Bearer` header (RFC 6750, RFC 7515).
    P1,
    /// A header with `alg` RS256, a `kid`, and nothing that asks for more (RFC 8725).
    P2,
    /// A published RSA signing key with that `kid` (RFC 7517).
    P3,
    /// A valid signature.
    P4,
    /// Required claims, of the right type and in time (RFC 7519).
    V1,
    /// The issuer of the token's tenant and version.
    V2,
    /// An allowed tenant.
    V3,
    /// A key that vouches for this issuer.
    V4,
    /// This API as the audience.
    V5,
    /// A scope or an app role, so that consent was given.
    V6,
    /// A user with an object id, or an app.
    V7,
    /// Neither an ID token nor one for Microsoft Graph.
    V8,
    /// Groups that the token lists.
    V9,
    /// A token that is not bound to a key or a certificate.
    V10,
    /// What the operation's policy asks for.
    A2,
    /// The authentication context that the operation's policy asks for.
    A4,
    /// Keys to judge with.
    K1,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What kind of answer a refusal becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// 401: no token was sent.
    MissingToken,
    /// 400: the request contradicts itself (RFC 6750, section 3.1).
    InvalidRequest,
    /// 401: the token is not accepted.
    InvalidToken,
    /// 403: one of these scopes is needed; short names, as `scp` carries them.
    InsufficientScope(&'static [&'static str]),
    /// 403: one of these app roles is needed.
    InsufficientRole(&'static [&'static str]),
    /// 403: the policy asks for something else, which the detail names.
    Denied,
    /// 401: this authentication context is needed, and the client can ask the user for it.
    InsufficientClaims(&'static str),
    /// 503: the signing keys cannot be had; seconds after which to try again.
    KeysUnavailable(u64),
}

/// A refused request. It never contains the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    refusal: Refusal,
    rule: Rule,
    detail: Cow<'static, str>,
    expected: Option<String>,
    received: Option<String>,
    hint: Option<&'static str>,
}

impl Rejection {
    pub(crate) fn new(refusal: Refusal, rule: Rule, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        Self { refusal, rule, detail, expected: None, received: None, hint: None }
    }

    pub(crate) fn invalid_token(rule: Rule, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Refusal::InvalidToken, rule, detail)
    }

    /// Adds what was looked for and what was there instead.
    pub(crate) fn compared(mut self, expected: impl Into<String>, received: &str) -> Self {
        self.expected = Some(expected.into());
        self.received = Some(harmless(received));
        self
    }

    pub(crate) fn with_hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The rule that was broken.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The kind of answer.
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// A sentence for the caller. Safe to show and to log.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What would have been accepted, where one value is compared with another.
    pub fn expected(&self) -> Option<&str> {
        self.expected.as_deref()
    }

    /// What the token says instead: a claim that is no secret, shortened, printable ASCII.
    pub fn received(&self) -> Option<&str> {
        self.received.as_deref()
    }

    /// What usually helps, for whoever develops the client or sets up the tenant.
    pub fn hint(&self) -> Option<&'static str> {
        self.hint
    }

    /// A stable name for programs: `missing_token`, `invalid_request`, `invalid_token`,
    /// `insufficient_scope`, `insufficient_role`, `insufficient_claims`, `access_denied` or
    /// `keys_unavailable`.
    pub fn code(&self) -> &'static str {
        match self.refusal {
            Refusal::MissingToken => "missing_token",
            Refusal::InvalidRequest => "invalid_request",
            Refusal::InvalidToken => "invalid_token",
            Refusal::InsufficientScope(_) => "insufficient_scope",
            Refusal::InsufficientRole(_) => "insufficient_role",
            Refusal::Denied => "access_denied",
            Refusal::InsufficientClaims(_) => "insufficient_claims",
            Refusal::KeysUnavailable(_) => "keys_unavailable",
        }
    }

    /// The status of the answer (RFC 6750, section 3.1; RFC 9110, section 15.6.4).
    pub fn status(&self) -> StatusCode {
        match self.refusal {
            Refusal::MissingToken | Refusal::InvalidToken | Refusal::InsufficientClaims(_) => {
                StatusCode::UNAUTHORIZED
            }
            Refusal::InvalidRequest => StatusCode::BAD_REQUEST,
            Refusal::InsufficientScope(_) | Refusal::InsufficientRole(_) | Refusal::Denied => {
                StatusCode::FORBIDDEN
            }
            Refusal::KeysUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The headers of the answer: `WWW-Authenticate`, or `Retry-After` in seconds (rule A3).
    pub fn headers(&self, challenge: &Challenge) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let (name, value) = match self.refusal {
            Refusal::KeysUnavailable(seconds) => (header::RETRY_AFTER, HeaderValue::from(seconds)),
            _ => (header::WWW_AUTHENTICATE, self.challenge(challenge)),
        };
        headers.insert(name, value);
        headers
    }

    /// The challenge of RFC 6750, section 3, with `resource_metadata` of RFC 9728, section 5.1.
    fn challenge(&self, challenge: &Challenge) -> HeaderValue {
        let mut parameters = Vec::with_capacity(8);
        match &self.refusal {
            Refusal::MissingToken | Refusal::KeysUnavailable(_) => {}
            Refusal::InvalidRequest => parameters.push(("error", "invalid_request".into())),
            Refusal::InvalidToken => parameters.push(("error", "invalid_token".into())),
            Refusal::InsufficientScope(scopes) => {
                parameters.push(("error", "insufficient_scope".into()));
                // Clients ask for the full URI, although `scp` carries the short name.
                let full: Vec<_> = scopes.iter().map(|s| challenge.full_scope(s)).collect();
                if !full.is_empty() {
                    parameters.push(("scope", full.join(" ")));
                }
            }
            Refusal::InsufficientRole(_) | Refusal::Denied => {
                parameters.push(("error", "insufficient_scope".into()));
            }
            Refusal::InsufficientClaims(context) => {
                parameters.extend(claims_challenge(context, challenge));
            }
        }
        if !parameters.is_empty() {
            parameters.push(("error_description", quotable(&self.detail)));
        }
        if let Some(url) = &challenge.resource_metadata {
            parameters.push(("resource_metadata", quotable(url)));
        }
        let mut text = String::from("Bearer");
        for (index, (name, value)) in parameters.iter().enumerate() {
            let separator = if index == 0 { " " } else { ", " };
            text.push_str(&format!("{separator}{name}=\"{value}\""));
        }
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (rule {})", self.detail, self.rule)?;
        if let (Some(expected), Some(received)) = (&self.expected, &self.received) {
            write!(f, "; expected {expected}, received {received}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}

/// A4: Entra's claims challenge, which MSAL hands on to the authority
/// (<https://learn.microsoft.com/entra/identity-platform/claims-challenge>).
fn claims_challenge(context: &str, challenge: &Challenge) -> [(&'static str, String); 6] {
    let claims = serde_json::json!({
        "access_token": { "acrs": { "essential": true, "value": context } },
    });
    [
        ("realm", String::new()),
        ("authorization_uri", quotable(&challenge.authorization_uri)),
        ("client_id", challenge.client_id.clone()),
        ("error", "insufficient_claims".into()),
        ("claims", STANDARD.encode(claims.to_string())),
        ("cc_type", "authcontext".into()),
    ]
}

/// What challenges say about this API.
#[derive(Debug, Clone, Default)]
pub struct Challenge {
    /// What scopes start with in requests: `api://{client_id}`.
    pub app_id_uri: String,
    /// The API's app registration.
    pub client_id: String,
    /// Where a user signs in again: `{authority}/oauth2/v2.0/authorize`.
    pub authorization_uri: String,
    /// The absolute URL of the protected resource metadata (RFC 9728).
    pub resource_metadata: Option<String>,
}

impl Challenge {
    /// A scope as clients ask for it: `api://{client_id}/{scope}`.
    pub fn full_scope(&self, scope: &str) -> String {
        format!("{}/{scope}", self.app_id_uri)
    }
}

/// Text that may stand between quotes in `WWW-Authenticate` (RFC 6750, section 3: printable ASCII
/// without `"` and `\`).
fn quotable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '"' | '\\' => '\'',
            ' '..='~' => c,
            _ => '?',
        })
        .collect()
}

/// A value from a token, fit for a message: short, printable ASCII.
fn harmless(value: &str) -> String {
    const LIMIT: usize = 120;
    let short: String = value.chars().take(LIMIT).collect();
    let dots = if short.len() < value.len() { "..." } else { "" };
    quotable(&short) + dots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(refusal: Refusal, detail: &'static str) -> String {
        let challenge = Challenge {
            app_id_uri: "api://todo".into(),
            resource_metadata: Some("https://todo.example/meta".into()),
            ..Challenge::default()
        };
        let headers = Rejection::new(refusal, Rule::P1, detail).headers(&challenge);
        headers[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned()
    }

    #[test]
    fn a3_no_error_is_named_when_no_token_was_sent() {
        let text = challenge(Refusal::MissingToken, "send one");
        assert_eq!(text, r#"Bearer resource_metadata="https://todo.example/meta""#);
    }

    #[test]
    fn a3_a_missing_scope_is_named_as_clients_ask_for_it() {
        let text = challenge(Refusal::InsufficientScope(&["access_as_user"]), "no");
        assert!(text.contains(r#"error="insufficient_scope", scope="api://todo/access_as_user""#));
    }

    #[test]
    fn a3_the_description_cannot_leave_its_quotes() {
        let text = challenge(Refusal::InvalidToken, "a\"b\\c\r\nd\u{e9}");
        assert!(text.contains("error_description=\"a'b'c??d?\""), "{text}");
    }

    #[test]
    fn a3_without_keys_there_is_a_time_to_come_back_and_no_challenge() {
        let rejection = Rejection::new(Refusal::KeysUnavailable(7), Rule::K1, "later");
        let headers = rejection.headers(&Challenge::default());
        assert_eq!(headers[header::RETRY_AFTER], "7");
        assert!(!headers.contains_key(header::WWW_AUTHENTICATE));
        assert_eq!(rejection.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
