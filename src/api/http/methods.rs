//! Adds `Allow` to 405 responses (RFC 9110, section 15.5.6), which poem does not do.

use std::collections::HashMap;

use poem::{
    EndpointExt, Request,
    endpoint::{BoxEndpoint, make},
    error::MethodNotAllowedError,
    http::{HeaderValue, Method},
};
use poem_openapi::{
    OpenApi,
    registry::{MetaApi, Registry},
};

/// The methods that a path supports, as data of the error.
#[derive(Clone)]
pub struct Allow(pub HeaderValue);

/// The operations of `A`, and 405 with `Allow` for every other method of their paths.
pub struct WithAllow<A>(pub A);

impl<A: OpenApi> OpenApi for WithAllow<A> {
    fn meta() -> Vec<MetaApi> {
        A::meta()
    }

    fn register(registry: &mut Registry) {
        A::register(registry);
    }

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        self.0.add_routes(table);
        for endpoints in table.values_mut() {
            let allow = allow(endpoints.keys());
            for method in KNOWN {
                // poem serves HEAD through GET.
                let served = *method == Method::HEAD && endpoints.contains_key(&Method::GET);
                if !served {
                    endpoints.entry(method.clone()).or_insert_with(|| refusal(allow.clone()));
                }
            }
        }
    }
}

/// Replaces any other method by TRACE, which no path supports. Otherwise, poem would refuse it
/// without saying what the path supports.
pub fn replace_unknown(request: &mut Request) {
    if !KNOWN.contains(request.method()) {
        request.set_method(Method::TRACE);
    }
}

/// The methods for which each path has an endpoint.
const KNOWN: &[Method] = &[
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

fn refusal(allow: Allow) -> BoxEndpoint<'static> {
    make(move |_| {
        let allow = allow.clone();
        async move {
            let mut error = poem::Error::from(MethodNotAllowedError);
            error.set_data(allow);
            Err::<poem::Response, _>(error)
        }
    })
    .boxed()
}

fn allow<'a>(supported: impl Iterator<Item = &'a Method>) -> Allow {
    let mut names: Vec<&str> = supported.map(Method::as_str).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.sort_unstable();
    // Method names are tokens, which every header field may contain.
    let value = HeaderValue::from_str(&names.join(", "));
    Allow(value.unwrap_or_else(|_| HeaderValue::from_static("")))
}
