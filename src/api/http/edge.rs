//! The layer around all endpoints: it limits the size of the request header, turns every error and
//! panic into a problem document, and adds the header fields of every response.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use poem::{
    Endpoint, Error, IntoResponse, Request, Response, Result,
    error::{CorsError, MethodNotAllowedError, NotFoundError},
    http::{HeaderMap, HeaderValue, header},
};
use poem_entra::poem::Denied;
use poem_openapi::{
    OperationId,
    error::{ContentTypeError, ParseParamError, ParsePathError},
};

use crate::telemetry::RequestId;

use super::{methods::Allow, problem::Problem};

/// The maximum size of all header names and values, in bytes. A token may have up to 16,384.
const HEADER_LIMIT: usize = 64 * 1024;

/// The layer around the routes. One layer for everything, because each layer copies the request.
pub async fn around_routes<E: Endpoint + 'static>(
    next: Arc<E>,
    request: Request,
) -> Result<Response> {
    let id = request_id(&request);
    let fits = size(request.headers()) <= HEADER_LIMIT;
    let outcome = async {
        match fits {
            true => next.call(request).await,
            false => Err(Problem::headers_too_large(HEADER_LIMIT).into()),
        }
    };
    respond(id, outcome).await
}

/// The layer around the CORS layer, for the requests that CORS rejects.
pub async fn around_cors<E: Endpoint + 'static>(
    next: Arc<E>,
    request: Request,
) -> Result<Response> {
    respond(request_id(&request), next.call(request)).await
}

fn request_id(request: &Request) -> Option<RequestId> {
    request.extensions().get().cloned()
}

async fn respond<T: IntoResponse>(
    id: Option<RequestId>,
    outcome: impl Future<Output = Result<T>>,
) -> Result<Response> {
    let outcome = AssertUnwindSafe(outcome).catch_unwind().await;
    // The panic message has been written to standard error.
    let outcome = outcome.unwrap_or_else(|_| Err(Problem::internal("the handler panicked").into()));
    let mut response = match outcome {
        Ok(output) => output.into_response(),
        Err(error) => {
            let operation = error.data::<OperationId>().copied();
            let id = id.as_ref().map_or("", RequestId::as_str);
            let mut response = problem_of(error).respond(id);
            if let Some(operation) = operation {
                response.set_data(operation);
            }
            response
        }
    };
    harden(response.headers_mut());
    Ok(response)
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
fn problem_of(error: Error) -> Problem {
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return problem.clone();
    }
    if let Some(denied) = error.downcast_ref::<Denied>() {
        return Problem::from(denied);
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
    if error.is::<ContentTypeError>() {
        return Problem::unsupported_media_type();
    }
    if error.is::<CorsError>() {
        return Problem::origin_not_allowed(error.status());
    }
    match error.status() {
        status if status.is_client_error() => Problem::unreadable(status),
        _ => Problem::internal(error.to_string()),
    }
}
