//! Every way of saying no: what one is here, which there are in `catalogue`.

mod catalogue;

use poem::http::StatusCode;
use serde::Serialize;

use crate::audit::Outcome;
use crate::random;
use crate::timestamp::timestamp;

/// One way of saying no: an OAuth error code, Entra's own number, and its wording.
///
/// The numbers are those of "Microsoft Entra authentication and authorization error codes".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The `error` of RFC 6749 sections 4.1.2.1 and 5.2.
    pub(crate) error: &'static str,
    /// The number behind `AADSTS`.
    pub(crate) code: u32,
    /// The status where it is not sent by a redirect.
    pub(crate) status: StatusCode,
    /// Entra's `suberror`, which tells MSAL what to do next.
    suberror: Option<&'static str>,
    message: String,
}

impl Refusal {
    /// The same as it is said before a person can be asked (`prompt=none`).
    pub(crate) fn before_a_person(self) -> Self {
        Self { error: "consent_required", ..self }
    }

    /// The same as the token endpoint says it of a grant (RFC 6749 section 5.2).
    pub(crate) fn of_a_grant(self) -> Self {
        Self { error: "invalid_grant", ..self }
    }

    /// What the audit trail remembers of it.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome::Refused { aadsts: self.code, reason: self.message.clone() }
    }

    /// What is sent and logged when this happens at `now`, in seconds since the epoch.
    pub(crate) fn report(&self, now: u64) -> Report {
        self.correlated(random::guid(), now)
    }

    /// The same with the id that the client knows the request by.
    pub(crate) fn correlated(&self, correlation_id: String, now: u64) -> Report {
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

/// A refusal as it goes out: the JSON of Entra's error answers.
///
/// `error_uri` is Microsoft's own page about the number, as in the real answers.
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
