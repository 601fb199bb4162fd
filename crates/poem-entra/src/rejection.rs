//! Why a request was refused: the broken rule, the resulting response, and what would help.

use std::{borrow::Cow, fmt};

use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    actor::Actor,
    challenge::{Challenge, quotable},
    ids::{ClientId, TenantId},
    rule::Rule,
};

/// A refused request. It never contains the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    refusal: Refusal,
    rule: Rule,
    detail: Cow<'static, str>,
    /// Boxed, so that a `Result` with a rejection stays small.
    evidence: Box<Evidence>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Evidence {
    expected: Option<String>,
    received: Option<String>,
    hint: Option<&'static str>,
    tenant: Option<TenantId>,
    actor: Option<Actor>,
    scopes: &'static [&'static str],
}

/// The kind of response that a refusal becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// 401: no token was sent.
    MissingToken,
    /// 400: the request has more than one `Authorization` header (RFC 6750, section 3.1).
    InvalidRequest,
    /// 401: the token is not accepted.
    InvalidToken,
    /// 403: one of these scopes is required. They are short names, as in `scp`.
    InsufficientScope(&'static [&'static str]),
    /// 403: one of these app roles is required.
    InsufficientRole(&'static [&'static str]),
    /// 403: the policy requires something else, which the detail names.
    Denied,
    /// 401: this authentication context is required, and the client can ask the user for it.
    InsufficientClaims(&'static str),
    /// 401: the caller is revoked, and the client can get a new token. It must be issued at this
    /// time or later, in seconds since 1970.
    Revoked(u64),
    /// 503: the signing keys are unavailable. The number is how many seconds to wait before
    /// retrying.
    KeysUnavailable(u64),
}

impl Rejection {
    pub(crate) fn new(refusal: Refusal, rule: Rule, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { refusal, rule, detail: detail.into(), evidence: Box::default() }
    }

    pub(crate) fn invalid_token(rule: Rule, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Refusal::InvalidToken, rule, detail)
    }

    /// No access token was sent.
    pub fn missing_token() -> Self {
        let detail = "No access token was sent.";
        Self::new(Refusal::MissingToken, Rule::AuthorizationHeader, detail)
    }

    /// The token is not a JWS in compact form.
    pub fn malformed_token() -> Self {
        let detail = "The token is not three base64url parts separated by dots.";
        Self::invalid_token(Rule::TokenFormat, detail)
    }

    /// The token has none of the required scopes. It has those in `granted`.
    pub fn insufficient_scope(required: &'static [&'static str], granted: &[&str]) -> Self {
        let names = required.join(" or ");
        let detail = format!("The token lacks the scope {names}.");
        Self::new(Refusal::InsufficientScope(required), Rule::Policy, detail)
            .compared(names, &granted.join(" "))
    }

    /// The caller has none of the required app roles.
    pub fn insufficient_role(required: &'static [&'static str]) -> Self {
        let detail = format!("The caller lacks the app role {}.", required.join(" or "));
        Self::new(Refusal::InsufficientRole(required), Rule::Policy, detail).with_hint(
            "Assign the role in Enterprise applications, then get a new token: an old token does \
             not have the role.",
        )
    }

    /// The signing keys are unavailable for at least `retry` seconds.
    pub fn keys_unavailable(retry: u64) -> Self {
        let detail = "The authority's signing keys are unavailable right now.";
        Self::new(Refusal::KeysUnavailable(retry), Rule::AvailableKeys, detail)
    }

    /// Adds the value that was expected and the one that was received.
    pub(crate) fn compared(mut self, expected: impl Into<String>, received: &str) -> Self {
        self.evidence.expected = Some(expected.into());
        self.evidence.received = Some(printable(received));
        self
    }

    pub(crate) fn with_hint(mut self, hint: &'static str) -> Self {
        self.evidence.hint = Some(hint);
        self
    }

    /// Adds who sent the request, once the token's signature is verified.
    pub(crate) fn sent_by(mut self, tenant: TenantId, actor: Actor) -> Self {
        self.evidence.tenant = Some(tenant);
        self.evidence.actor = Some(actor);
        self
    }

    /// Adds the scopes of the operation, so that a caller without a valid token learns which one to
    /// request.
    pub(crate) fn requiring(mut self, scopes: &'static [&'static str]) -> Self {
        self.evidence.scopes = scopes;
        self
    }

    /// The broken rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The kind of response.
    pub fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// A sentence for the caller. It is safe to show and to log.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The value that would have been accepted, if one value was compared with another.
    pub fn expected(&self) -> Option<&str> {
        self.evidence.expected.as_deref()
    }

    /// The value in the token: a claim or header parameter that is not secret. It is printable
    /// ASCII, cut off after 120 characters.
    pub fn received(&self) -> Option<&str> {
        self.evidence.received.as_deref()
    }

    /// What usually helps, for the developer of the client or the administrator of the tenant.
    pub fn hint(&self) -> Option<&'static str> {
        self.evidence.hint
    }

    /// The tenant of the token (`tid`), if its signature is valid.
    pub fn tenant(&self) -> Option<TenantId> {
        self.evidence.tenant
    }

    /// The app that sent the token (`azp` or `appid`), if the token's signature is valid.
    pub fn client(&self) -> Option<ClientId> {
        self.evidence.actor?.client()
    }

    /// Who acts, if the token's signature is valid.
    pub fn actor(&self) -> Option<Actor> {
        self.evidence.actor
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
            Refusal::InsufficientClaims(_) | Refusal::Revoked(_) => "insufficient_claims",
            Refusal::KeysUnavailable(_) => "keys_unavailable",
        }
    }

    /// The status of the response (RFC 6750, section 3.1; RFC 9110, section 15.6.4).
    pub fn status(&self) -> StatusCode {
        match self.refusal {
            Refusal::MissingToken
            | Refusal::InvalidToken
            | Refusal::InsufficientClaims(_)
            | Refusal::Revoked(_) => StatusCode::UNAUTHORIZED,
            Refusal::InvalidRequest => StatusCode::BAD_REQUEST,
            Refusal::InsufficientScope(_) | Refusal::InsufficientRole(_) | Refusal::Denied => {
                StatusCode::FORBIDDEN
            }
            Refusal::KeysUnavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The headers of the response: `WWW-Authenticate`, or `Retry-After` in seconds.
    pub fn headers(&self, challenge: &Challenge) -> HeaderMap {
        let (name, value) = match self.refusal {
            Refusal::KeysUnavailable(seconds) => (header::RETRY_AFTER, HeaderValue::from(seconds)),
            _ => {
                let Evidence { scopes, .. } = *self.evidence;
                (header::WWW_AUTHENTICATE, challenge.header(&self.refusal, &self.detail, scopes))
            }
        };
        HeaderMap::from_iter([(name, value)])
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (rule {})", self.detail, self.rule)?;
        if let (Some(expected), Some(received)) = (&self.evidence.expected, &self.evidence.received)
        {
            write!(f, "; expected {expected}, received {received}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}

/// A value from a token, made safe for a message: short, printable ASCII.
fn printable(value: &str) -> String {
    const LIMIT: usize = 120;
    let short: String = value.chars().take(LIMIT).collect();
    let dots = if short.len() < value.len() { "..." } else { "" };
    quotable(&short) + dots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_says_what_was_expected_and_received_and_what_helps() {
        let rejection = Rejection::invalid_token(Rule::Audience, "Not ours.");
        assert_eq!(rejection.to_string(), "Not ours. (rule audience)");
        let compared = (rejection.expected(), rejection.received(), rejection.hint());
        assert_eq!(compared, (None, None, None));
        let rejection = rejection.compared("ours", "theirs").with_hint("Request ours.");
        let shown = "Not ours. (rule audience); expected ours, received theirs";
        assert_eq!(rejection.to_string(), shown);
        let compared = (rejection.expected(), rejection.received(), rejection.hint());
        assert_eq!(compared, (Some("ours"), Some("theirs"), Some("Request ours.")));
    }

    #[test]
    fn a_received_value_is_cut_off_after_120_characters() {
        for (length, dots) in [(119, ""), (120, ""), (121, "..."), (500, "...")] {
            let rejection = Rejection::missing_token().compared("short", &"x".repeat(length));
            let shown = "x".repeat(length.min(120)) + dots;
            assert_eq!(rejection.received(), Some(shown.as_str()), "{length}");
        }
    }

    #[test]
    fn without_keys_the_response_has_a_retry_time_and_no_challenge() {
        let rejection = Rejection::new(Refusal::KeysUnavailable(7), Rule::AvailableKeys, "later");
        let headers = rejection.headers(&Challenge::default());
        assert_eq!(headers[header::RETRY_AFTER], "7");
        assert!(!headers.contains_key(header::WWW_AUTHENTICATE));
        assert_eq!(rejection.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
