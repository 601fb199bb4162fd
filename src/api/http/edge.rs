//! The layer around all endpoints: it refuses plain HTTP if the server has a certificate, checks
//! `Host`, the transfer coding and the size of the request header, limits the number of requests,
//! responds to preflight requests, turns every error and panic into a problem document, and adds
//! the header fields of every response.

use std::{panic::AssertUnwindSafe, sync::Arc, thread};

use futures_util::FutureExt;
use poem::{
    Endpoint, Error, IntoResponse, Request, Response, Result,
    error::{MethodNotAllowedError, NotFoundError},
    http::{HeaderMap, HeaderValue, header, uri::Scheme},
};
use poem_entra::poem::Denied;
use poem_openapi::{
    OperationId,
    error::{ParseParamError, ParsePathError},
};

use crate::telemetry::RequestId;

use super::{
    cors::Cors,
    host,
    limits::Limits,
    methods::{self, Allow},
    problem::Problem,
    transfer_coding,
};

/// The maximum size of all header names and values, in bytes. A token may have up to 16,384.
pub const HEADER_LIMIT: usize = 64 * 1024;

/// What the layer around the routes needs to know.
pub struct Edge {
    /// The limits for all clients and for each one.
    pub limits: Limits,
    /// Which other origins may call. `None` if none may.
    pub cors: Option<Cors>,
    /// Whether requests without TLS are refused.
    pub requires_tls: bool,
    /// Whether each refusal says which rule was broken, and has a link.
    pub explains_refusals: bool,
}

/// The layer around the routes. One layer for everything, because each layer copies the request.
pub fn around_routes<E: Endpoint + 'static>(
    edge: Arc<Edge>,
    next: Arc<E>,
    mut request: Request,
) -> impl Future<Output = Result<Response>> {
    let id: Option<RequestId> = request.extensions().get().cloned();
    let origin = edge.cors.as_ref().and_then(|_| request.headers().get(header::ORIGIN).cloned());
    let early = edge.early_response(&request);
    methods::replace_unknown(&mut request);
    let admission = edge.limits.examine(&mut request);
    async move {
        let outcome = async {
            match early {
                Some(outcome) => outcome.map_err(Error::from),
                None => {
                    let outcome = edge.limits.pass(&admission, &next, request).await;
                    outcome.map(IntoResponse::into_response)
                }
            }
        };
        let outcome = AssertUnwindSafe(outcome).catch_unwind().await;
        let mut response = respond(id, outcome, edge.explains_refusals);
        edge.limits.finish(&admission, &mut response).await;
        if let Some(cors) = &edge.cors {
            cors.permit(origin, response.headers_mut());
        }
        Ok(response)
    }
}

impl Edge {
    /// The response to a request that reaches no endpoint.
    fn early_response(&self, request: &Request) -> Option<Result<Response, Problem>> {
        if self.requires_tls && *request.scheme() == Scheme::HTTP {
            return Some(Err(Problem::not_encrypted()));
        }
        if let Err(problem) = host::check(request).and_then(|()| transfer_coding::check(request)) {
            return Some(Err(problem));
        }
        if size(request.headers()) > HEADER_LIMIT {
            return Some(Err(Problem::headers_too_large(HEADER_LIMIT)));
        }
        self.cors.as_ref()?.preflight(request)
    }
}

/// The response for the outcome of a request, which is an error if the handler panicked.
fn respond(
    id: Option<RequestId>,
    outcome: thread::Result<Result<Response>>,
    explains: bool,
) -> Response {
    // The panic message has been written to standard error.
    let outcome = outcome.unwrap_or_else(|_| Err(Problem::internal("the handler panicked").into()));
    let mut response = match outcome {
        Ok(response) => response,
        Err(error) => {
            let operation = error.data::<OperationId>().copied();
            let id = id.as_ref().map_or("", RequestId::as_str);
            let mut response = problem_of(error, explains).respond(id);
            if let Some(operation) = operation {
                response.set_data(operation);
            }
            response
        }
    };
    harden(response.headers_mut());
    response
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Adds the header fields that every response has.
fn harden(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Shared caches must not store responses that only one caller may see.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// The problem for an error of a handler, a guard or the framework.
fn problem_of(error: Error, explains: bool) -> Problem {
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return problem.clone();
    }
    if let Some(denied) = error.downcast_ref::<Denied>() {
        let problem = Problem::from(denied);
        return if explains { problem.explaining(&denied.rejection) } else { problem };
    }
    if error.is::<NotFoundError>() {
        return Problem::no_such_path();
    }
    if error.is::<MethodNotAllowedError>() {
        let problem = Problem::method_not_allowed();
        return match error.data::<Allow>() {
            Some(Allow(methods)) => problem.with_header(header::ALLOW, methods.clone()),
            None => problem,
        };
    }
    if let Some(ParseParamError { name, reason }) = error.downcast_ref() {
        return Problem::invalid(format!("query:{name}"), reason);
    }
    if let Some(ParsePathError { name, reason }) = error.downcast_ref() {
        return Problem::invalid(format!("path:{name}"), reason);
    }
    match error.status() {
        status if status.is_client_error() => Problem::unreadable(status),
        _ => Problem::internal(error.to_string()),
    }
}
