//! Refusals: error responses in the format of Entra, listed in `agents`, `catalogue` and
//! `federation`.

mod agents;
mod catalogue;
mod federation;

use poem::http::StatusCode;
use serde::Serialize;

use crate::{audit::Outcome, random, timestamp::timestamp};

/// An OAuth error code with Entra's number and text
/// (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The `error` (RFC 6749, sections 4.1.2.1 and 5.2).
    pub(crate) error: &'static str,
    /// The number after `AADSTS`.
    pub(crate) code: u32,
    /// The status, unless the error is sent in a redirect.
    pub(crate) status: StatusCode,
    /// Entra's `suberror`, which tells MSAL what to do next.
    suberror: Option<&'static str>,
    message: String,
}

impl Refusal {
    /// The same refusal with the error code of the authorization endpoint.
    pub(crate) fn at_authorize(self) -> Self {
        Self { error: "consent_required", ..self }
    }

    /// The same refusal with the error code of the token endpoint (RFC 6749, section 5.2).
    pub(crate) fn at_token(self) -> Self {
        Self { error: "invalid_grant", status: StatusCode::BAD_REQUEST, ..self }
    }

    /// The text, without the ids that the response adds.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What the audit trail records.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome::Refused { aadsts: self.code, reason: self.message.clone() }
    }

    /// Logs the refusal, and builds the error response. `now` is in seconds since the epoch.
    pub(crate) fn report(&self, correlation_id: String, now: u64) -> Report {
        let trace_id = random::guid();
        let timestamp = timestamp(now);
        let Self { error, code, suberror, message, .. } = self;
        tracing::info!(
            aadsts = code,
            error,
            trace_id,
            correlation_id,
            "the development tenant refused a request"
        );
        Report {
            error,
            error_description: format!(
                "AADSTS{code}: {message} Trace ID: {trace_id} Correlation ID: {correlation_id} \
                 Timestamp: {timestamp}"
            ),
            error_codes: [*code],
            timestamp,
            trace_id,
            correlation_id,
            error_uri: format!("https://login.microsoftonline.com/error?code={code}"),
            suberror: *suberror,
        }
    }

    fn unauthorized(error: &'static str, code: u32, message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..Self::new(error, code, message) }
    }

    fn new(error: &'static str, code: u32, message: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self { error, code, status, suberror: None, message: message.into() }
    }
}

/// An error response in the format of Entra.
///
/// As in Entra, `error_uri` is Microsoft's page about the number.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) error: &'static str,
    pub(crate) error_description: String,
    pub(crate) error_codes: [u32; 1],
    pub(crate) timestamp: String,
    pub(crate) trace_id: String,
    pub(crate) correlation_id: String,
    pub(crate) error_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suberror: Option<&'static str>,
}
