//! The certificate of the authority that clients of the HTTPS listener must trust.

use std::sync::Arc;

use poem::{Response, handler, http::StatusCode, web::Data};

use super::{context::Context, response::problem};

/// `GET /ca.pem`. Clients on other machines cannot read the file. The certificate is public.
#[handler]
pub(super) fn show(Data(context): Data<&Arc<Context>>) -> Response {
    match &context.ca {
        Some(certificate) => Response::builder()
            .content_type("application/x-pem-file")
            .header("cache-control", "no-store")
            .body(certificate.clone()),
        None => problem(StatusCode::NOT_FOUND, "this tenant has no HTTPS listener"),
    }
}
