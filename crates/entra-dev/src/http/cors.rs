//! Cross-origin requests (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use std::sync::Arc;

use poem::{
    Request, Response, handler,
    http::{
        StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
            HeaderValue, ORIGIN, VARY,
        },
    },
    web::Data,
};

use super::context::Context;

/// The origins whose scripts may read a response.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cors {
    /// No other origin.
    None,
    /// The origins of the redirect URIs of single-page apps.
    SinglePageApps,
    /// Every origin: the response is public.
    Anyone,
}

impl Cors {
    /// Allows the origin to read this response if it belongs to the client's app or, if the client
    /// is not known, to any app.
    pub(super) fn add_to(
        self,
        context: &Context,
        client_id: Option<&str>,
        origin: Option<&HeaderValue>,
        mut response: Response,
    ) -> Response {
        let headers = response.headers_mut();
        match self {
            Self::None => {}
            Self::SinglePageApps => {
                headers.insert(VARY, HeaderValue::from_name(ORIGIN));
                let directory = &context.directory();
                let is_allowed = |origin: &str| match client_id {
                    Some(id) => directory.app(id).is_some_and(|app| app.serves_origin(origin)),
                    None => directory.apps().iter().any(|app| app.serves_origin(origin)),
                };
                if let Some(origin) = origin
                    && origin.to_str().is_ok_and(is_allowed)
                {
                    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                }
            }
            Self::Anyone => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
        }
        response
    }

    /// Responds to a preflight request for this method. All headers are allowed.
    fn preflight(self, context: &Context, request: &Request, method: &'static str) -> Response {
        let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(method));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        // `*` would not include `Authorization`, so the requested names are repeated.
        if let Some(requested) = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
        }
        self.add_to(context, None, request.headers().get(ORIGIN), response)
    }
}

/// The preflight of the public endpoints.
#[handler]
pub(super) fn preflight_get(Data(context): Data<&Arc<Context>>, request: &Request) -> Response {
    Cors::Anyone.preflight(context, request, "GET")
}

/// The preflight of Microsoft Graph.
#[handler]
pub(super) fn preflight_any(Data(context): Data<&Arc<Context>>, request: &Request) -> Response {
    Cors::Anyone.preflight(context, request, "GET, POST")
}

/// The preflight of the token endpoint: Swagger UI sends `X-Requested-With`, which requires one.
#[handler]
pub(super) fn preflight_post(Data(context): Data<&Arc<Context>>, request: &Request) -> Response {
    Cors::SinglePageApps.preflight(context, request, "POST")
}
