//! Errors in Graph's format: <https://learn.microsoft.com/graph/errors>.

use serde_json::{Value, json};

/// An error response.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: u16,
    code: &'static str,
    message: String,
    /// A code and a property: some codes are only in the details.
    details: Option<(&'static str, &'static str)>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: None }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "Request_BadRequest", message)
    }

    /// A property has a value that is not allowed.
    pub(super) fn invalid_value(property: &str, what: &str) -> Self {
        Self::new(400, "InvalidValue", format!("Property {property} {what}"))
    }

    /// Also the response if an object is not replicated yet.
    pub(super) fn not_found(id: &str) -> Self {
        let message = format!(
            "Resource '{id}' does not exist or one of its queried reference-property objects are \
             not present."
        );
        Self::new(404, "Request_ResourceNotFound", message)
    }

    /// Two objects cannot have the same value of this property. Graph responds with 400, not 409.
    pub(super) fn conflict(property: &'static str) -> Self {
        let message =
            format!("Another object with the same value for property {property} already exists.");
        Self::bad_request(message).with_details("ObjectConflict", property)
    }

    /// The object exists already.
    pub(super) fn same_key(message: impl Into<String>) -> Self {
        Self::new(409, "Request_MultipleObjectsWithSameKeyValue", message)
    }

    pub(super) fn denied() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::new(403, "Authorization_RequestDenied", message)
    }

    pub(super) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(401, "InvalidAuthenticationToken", message)
    }

    pub(super) fn with_details(mut self, code: &'static str, target: &'static str) -> Self {
        self.details = Some((code, target));
        self
    }

    /// The response body.
    pub(super) fn body(&self, call: usize) -> Value {
        let request = format!("00000000-0000-4000-8000-{call:012}");
        let mut error = json!({
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": "2026-01-01T00:00:00",
                "request-id": request,
                "client-request-id": request,
            },
        });
        if let Some((code, target)) = self.details {
            error["details"] = json!([{ "code": code, "message": self.message, "target": target }]);
        }
        json!({ "error": error })
    }
}
