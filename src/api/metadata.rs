//! The protected resource metadata (RFC 9728), which tells clients where to get a token.

use poem::{Endpoint, IntoResponse, Response, endpoint::make_sync, web::Json};
use poem_entra::ResourceMetadata;
use poem_openapi::OperationId;

use super::http::pages::Pages;

/// Adds the document to the pages. It is also at the root, because MCP clients that know only the
/// host look there.
pub fn add_to(pages: Pages, metadata: &ResourceMetadata) -> Pages {
    let pages = pages.at(ResourceMetadata::ROOT_PATH, endpoint(metadata));
    if metadata.path == ResourceMetadata::ROOT_PATH {
        pages
    } else {
        pages.at(&metadata.path, endpoint(metadata))
    }
}

fn endpoint(metadata: &ResourceMetadata) -> impl Endpoint<Output = Response> + use<> {
    let document = metadata.document.clone();
    make_sync(move |_| {
        let mut response = Json(document.clone()).into_response();
        response.set_data(OperationId("getResourceMetadata"));
        response
    })
}
