//! Chooses the tenant that handles a request.

use std::sync::Arc;

use poem::{
    Endpoint, Request, Response, Result,
    http::{StatusCode, Uri, header::ACCEPT},
};

use crate::jws::UnverifiedJws;

use super::{bearer::bearer_token, context::Context, response::problem, tenants::Tenants};

/// The controls of the isolated tenants.
const CONTROLS: &str = "/_dev/tenants/";

/// Makes the isolated tenant that the request names the context of its handler. For all other
/// requests, that is the shared one.
///
/// Below `/_dev/tenants/{id}` are the same paths as below `/_dev`.
pub(super) async fn choose_tenant<E: Endpoint<Output = Response>>(
    endpoint: Arc<E>,
    mut request: Request,
) -> Result<Response> {
    let Some(tenants) = request.data::<Arc<Tenants>>().cloned() else {
        return endpoint.call(request).await;
    };
    let path = request.uri().path().to_owned();
    let context = match path.strip_prefix(CONTROLS).and_then(|rest| controls(&request, rest)) {
        Some((id, inner)) => {
            let Some(context) = tenants.find(id) else {
                return Ok(problem(StatusCode::NOT_FOUND, &unknown(id)));
            };
            let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
            if let Ok(uri) = format!("{inner}{query}").parse::<Uri>() {
                *request.uri_mut() = uri;
            }
            Some(context)
        }
        None => of_endpoint(&tenants, &request, &path),
    };
    request.set_data(context.unwrap_or_else(|| Arc::clone(&tenants.shared)));
    endpoint.call(request).await
}

/// The error for an id that no isolated tenant has.
pub(super) fn unknown(id: &str) -> String {
    format!("there is no isolated tenant {id:?}; GET /_dev/tenants lists them")
}

/// The id of an isolated tenant, and the path that the request would have at a tenant that is not
/// isolated. A browser gets the page, other clients get the description of the tenant.
fn controls<'a>(request: &Request, rest: &'a str) -> Option<(&'a str, String)> {
    match rest.split_once('/') {
        Some((_, inner)) if inner == "tenants" || inner.starts_with("tenants/") => None,
        Some((id, inner)) => Some((id, format!("/_dev/{inner}"))),
        None => {
            let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
            accept?.contains("text/html").then(|| (rest, "/_dev".to_owned()))
        }
    }
}

/// The isolated tenant whose endpoint this is.
fn of_endpoint(tenants: &Tenants, request: &Request, path: &str) -> Option<Arc<Context>> {
    if path == "/oidc/userinfo" || path.starts_with("/graph/") {
        // The path names no tenant, but the token does. It is verified later.
        return tenants.find_known_as(UnverifiedJws::parse(bearer_token(request)?)?.claim("tid")?);
    }
    let (segment, _) = path.strip_prefix('/')?.split_once('/')?;
    if segment == "_dev" { None } else { tenants.find_known_as(segment) }
}
