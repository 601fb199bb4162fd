//! JSON responses.

use poem::{IntoResponse, Response, http::StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

/// A JSON response that must not be cached (RFC 6749, section 5.1).
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => Response::builder()
            .status(status)
            .content_type("application/json; charset=utf-8")
            .header("cache-control", "no-store")
            .header("pragma", "no-cache")
            .body(body),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A problem document (RFC 9457), for paths that Entra does not have.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    problem_with(status, detail, Value::Null)
}

/// A problem document with additional members.
pub(super) fn problem_with(status: StatusCode, detail: &str, members: Value) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let mut body = json!({ "title": title, "status": status.as_u16(), "detail": detail });
    if let (Some(body), Value::Object(members)) = (body.as_object_mut(), members) {
        body.extend(members);
    }
    Response::builder()
        .status(status)
        .content_type("application/problem+json")
        .header("cache-control", "no-store")
        .body(body.to_string())
}
