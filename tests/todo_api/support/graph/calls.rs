//! Requests as the server got them.

use serde_json::Value;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// With the query, percent-decoded.
    pub(crate) path: String,
    /// `Null` if there was none.
    pub(crate) body: Value,
    /// The status of the response; `None` if there was none.
    pub(crate) status: Option<u16>,
    /// The error code of the response.
    pub(crate) error: Option<String>,
}

impl Call {
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// `PATCH /v1.0/applications/…`, for messages.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}
