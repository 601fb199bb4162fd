//! The protected resource metadata (RFC 9728), which tells clients where to get a token.

use poem::{Endpoint, IntoResponse, Response, endpoint::make_sync, web::Json};
use poem_openapi::OperationId;
use serde_json::Value;

/// The path of the document of a resource without a path (RFC 9728, section 3).
pub const PATH: &str = "/.well-known/oauth-protected-resource";

/// The endpoint that serves the document.
pub fn endpoint(document: Value) -> impl Endpoint<Output = Response> {
    make_sync(move |_| {
        let mut response = Json(document.clone()).into_response();
        response.set_data(OperationId("getResourceMetadata"));
        response
    })
}
