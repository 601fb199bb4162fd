//! The protected resource metadata (RFC 9728), from which clients learn where to get a token.

use poem::{IntoResponse, endpoint::make_sync, web::Json};
use serde_json::json;

use crate::telemetry::Operation;

use super::allow::get_only;

/// Where RFC 9728, section 3, puts the document of a resource without a path.
pub const PATH: &str = "/.well-known/oauth-protected-resource";

/// What the document says.
#[derive(Debug, Clone)]
pub struct ResourceMetadata {
    /// The App ID URI, which Entra compares with what a client asks for.
    pub app_id_uri: String,
    /// The authority's issuer URL: `{instance}/{tenant}/v2.0`.
    pub authorization_server: String,
    /// Full URIs, as clients must ask for them.
    pub scopes: Vec<String>,
}

impl ResourceMetadata {
    /// The endpoint.
    pub fn endpoint(self) -> impl poem::Endpoint<Output = poem::Response> {
        let document = json!({
            "resource": self.app_id_uri,
            "authorization_servers": [self.authorization_server],
            "scopes_supported": self.scopes,
            "bearer_methods_supported": ["header"],
        });
        get_only(make_sync(move |_| {
            let mut response = Json(document.clone()).into_response();
            response.set_data(Operation("get_resource_metadata"));
            response
        }))
    }
}
