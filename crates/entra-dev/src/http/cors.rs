//! Cross-origin reads (the Fetch standard's CORS protocol).

use poem::http::StatusCode;
use poem::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue, ORIGIN, VARY,
};
use poem::{Request, Response};

use super::Context;

/// Lets scripts of any origin read this answer. For what is public anyway.
pub(super) fn allow_any(mut response: Response) -> Response {
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Lets scripts read this answer when the request comes from the origin of a single-page redirect
/// URI: of the app with this client id, or, where it is not known yet, of any app.
pub(super) fn allow_registered(
    context: &Context,
    client_id: Option<&str>,
    origin: Option<&HeaderValue>,
    mut response: Response,
) -> Response {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_name(ORIGIN));
    let is_served = |origin: &str| match client_id {
        Some(client_id) => {
            context.directory().app(client_id).is_some_and(|app| app.serves_origin(origin))
        }
        None => context.directory().apps().iter().any(|app| app.serves_origin(origin)),
    };
    if let Some(origin) = origin
        && origin.to_str().is_ok_and(is_served)
    {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    response
}

/// The answer to a preflight request for this method: any header may be sent.
///
/// It allows no origin yet. The requested header names are repeated, since `*` would not cover
/// `Authorization`.
pub(super) fn preflight(request: &Request, method: &'static str) -> Response {
    let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(method));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(requested) = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
    }
    response
}
