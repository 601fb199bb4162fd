//! The methods that a path supports.

use std::sync::Arc;

use poem::{
    Endpoint, EndpointExt, IntoEndpoint, Request, Response, RouteMethod,
    endpoint::BoxEndpoint,
    error::MethodNotAllowedError,
    http::{
        Method, StatusCode,
        header::{ALLOW, HeaderValue},
    },
};

use crate::{random, refusal::Refusal};

use super::{
    context::Context,
    response::{json, problem},
};

/// The endpoints of one path, by method. For any other method the response lists the supported ones
/// (RFC 9110, section 15.5.6), which poem's own 405 does not.
#[derive(Default)]
pub(super) struct Methods {
    endpoints: RouteMethod,
    allowed: Vec<Method>,
}

pub(super) fn get<E: IntoEndpoint<Endpoint: 'static>>(endpoint: E) -> Methods {
    Methods::default().get(endpoint)
}

pub(super) fn post<E: IntoEndpoint<Endpoint: 'static>>(endpoint: E) -> Methods {
    Methods::default().post(endpoint)
}

pub(super) fn put<E: IntoEndpoint<Endpoint: 'static>>(endpoint: E) -> Methods {
    Methods::default().put(endpoint)
}

impl Methods {
    /// Also handles HEAD, as poem does.
    pub(super) fn get<E: IntoEndpoint<Endpoint: 'static>>(mut self, endpoint: E) -> Self {
        self.allowed.push(Method::HEAD);
        self.with(Method::GET, endpoint)
    }

    pub(super) fn post<E: IntoEndpoint<Endpoint: 'static>>(self, endpoint: E) -> Self {
        self.with(Method::POST, endpoint)
    }

    pub(super) fn put<E: IntoEndpoint<Endpoint: 'static>>(self, endpoint: E) -> Self {
        self.with(Method::PUT, endpoint)
    }

    pub(super) fn patch<E: IntoEndpoint<Endpoint: 'static>>(self, endpoint: E) -> Self {
        self.with(Method::PATCH, endpoint)
    }

    pub(super) fn delete<E: IntoEndpoint<Endpoint: 'static>>(self, endpoint: E) -> Self {
        self.with(Method::DELETE, endpoint)
    }

    pub(super) fn options<E: IntoEndpoint<Endpoint: 'static>>(self, endpoint: E) -> Self {
        self.with(Method::OPTIONS, endpoint)
    }

    fn with<E: IntoEndpoint<Endpoint: 'static>>(mut self, method: Method, endpoint: E) -> Self {
        self.endpoints = self.endpoints.method(method.clone(), endpoint);
        self.allowed.push(method);
        self
    }
}

impl IntoEndpoint for Methods {
    type Endpoint = BoxEndpoint<'static, Response>;

    fn into_endpoint(self) -> Self::Endpoint {
        let Self { endpoints, allowed } = self;
        let allowed: Arc<str> =
            allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ").into();
        let respond = move |endpoint: Arc<RouteMethod>, request: Request| {
            let allowed = Arc::clone(&allowed);
            async move {
                let (method, path) = (request.method().clone(), request.uri().path().to_owned());
                let context = request.data::<Arc<Context>>().cloned();
                match (endpoint.call(request).await, context) {
                    (Err(error), Some(context)) if error.is::<MethodNotAllowedError>() => {
                        Ok(not_allowed(&context, &path, &method, &allowed))
                    }
                    (outcome, _) => outcome,
                }
            }
        };
        endpoints.around(respond).boxed()
    }
}

/// An error in Entra's format at Entra's paths, otherwise a problem document.
fn not_allowed(context: &Context, path: &str, method: &Method, allowed: &str) -> Response {
    let mut response = if path.matches('/').count() == 1 || path.starts_with("/_") {
        problem(StatusCode::METHOD_NOT_ALLOWED, &format!("send one of {allowed}"))
    } else {
        let refusal = Refusal::method(method.as_str(), allowed);
        json(refusal.status, &refusal.report(random::guid(), context.now()))
    };
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}
