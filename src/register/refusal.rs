//! The error responses of Microsoft Graph (<https://learn.microsoft.com/graph/errors>).

use std::fmt;

use reqwest::StatusCode;
use serde_json::Value;

/// A response of Graph that says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub(super) status: StatusCode,
    codes: Vec<String>,
    pub(super) message: String,
}

impl Refusal {
    /// Reads `error`, with its `details` if there are any.
    pub(super) fn new(status: StatusCode, body: &Value) -> Self {
        let error = &body["error"];
        let details = error["details"].as_array().into_iter().flatten();
        let codes = [error].into_iter().chain(details).filter_map(|part| part["code"].as_str());
        let message = error["message"].as_str().unwrap_or_default();
        let message: String = message.chars().filter(|c| !c.is_control()).take(500).collect();
        Self { status, codes: codes.map(str::to_owned).collect(), message }
    }

    fn has_code(&self, code: &str) -> bool {
        self.codes.iter().any(|known| known == code)
    }

    pub(super) fn says(&self, text: &str) -> bool {
        self.message.to_ascii_lowercase().contains(text)
    }

    /// Whether another object has a value that must be unique, or the new object exists already.
    pub(super) fn is_conflict(&self) -> bool {
        self.status == StatusCode::CONFLICT
            || self.has_code("ObjectConflict")
            || self.has_code("Request_MultipleObjectsWithSameKeyValue")
            || self.says("already exists")
    }

    /// Whether the object does not exist.
    pub(super) fn is_missing(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    pub(super) fn is_unverified_domain(&self) -> bool {
        self.has_code("HostNameNotOnVerifiedDomain")
            || self.says("verified domain")
            || self.says("identifier-uri-addition-error")
    }

    /// Whether an App ID URI has a form that Graph does not accept.
    pub(super) fn is_invalid_uri(&self) -> bool {
        self.status == StatusCode::BAD_REQUEST
            && self.says("identifieruris")
            && self.says("invalid value")
    }

    /// Whether the reason can be that a replica of Graph does not know a new object yet.
    pub(super) fn may_be_early(&self) -> bool {
        [StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST].contains(&self.status)
            && !self.is_conflict()
            && !self.is_unverified_domain()
            && !self.is_invalid_uri()
            && !self.has_code("CannotDeleteOrUpdateEnabledEntitlement")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status.as_u16())?;
        if let Some(code) = self.codes.first() {
            write!(f, " {code}")?;
        }
        if !self.message.is_empty() {
            write!(f, ", {}", self.message)?;
        }
        Ok(())
    }
}
