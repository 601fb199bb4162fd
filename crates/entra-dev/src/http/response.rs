//! JSON responses.

use poem::{IntoResponse, Response, http::StatusCode};
use serde::Serialize;
use serde_json::json;

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
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({ "title": title, "status": status.as_u16(), "detail": detail });
    Response::builder()
        .status(status)
        .content_type("application/problem+json")
        .header("cache-control", "no-store")
        .body(body.to_string())
}
