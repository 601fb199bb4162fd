//! Every error is a problem document (RFC 9457), made here and nowhere else.

use std::{collections::BTreeMap, error::Error as StdError, panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use poem::{
    Endpoint, Error, IntoResponse, Request, Response, Result,
    error::{CorsError, MethodNotAllowedError, NotFoundError, ResponseError},
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use poem_entra::poem::Denied;
use poem_openapi::{
    ApiResponse, Object, OperationId,
    error::{ContentTypeError, ParseParamError, ParsePathError},
    registry::{MetaResponses, Registry},
};
use serde::Serialize;

use crate::{
    store::StoreError,
    telemetry::{Causes, Operation, RequestId},
};

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What went wrong (RFC 9457).
#[derive(Debug, Clone, Serialize, Object)]
#[oai(rename = "Problem")]
pub struct ProblemDocument {
    /// Always `about:blank`: the status says the kind, `code` says which one.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status of the answer.
    #[oai(validator(minimum(value = "400"), maximum(value = "599")))]
    pub status: u16,
    /// What was wrong with this request.
    pub detail: String,
    /// The id of the request, as in `X-Request-Id` and in the log.
    pub instance: String,
    /// A stable name of the problem, for programs.
    pub code: String,
    /// What was wrong, place by place.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<FieldError>>,
    /// What would have been accepted of a token.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What the token says instead.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
    /// What usually helps.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Members of single problems (RFC 9457, section 3.2).
    #[oai(skip)]
    #[serde(flatten)]
    pub members: BTreeMap<&'static str, String>,
}

/// What was wrong at one place of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
pub struct FieldError {
    /// In the body, a JSON pointer as a fragment (`#/item/name`); elsewhere the place and the
    /// parameter (`query:limit`, `path:id`, `header:If-Match`).
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

/// The stable names of problems. Each has a heading in docs/TROUBLESHOOTING.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// 401
    MissingToken,
    /// 401
    InvalidToken,
    /// 403
    InsufficientScope,
    /// 403
    InsufficientRole,
    /// 403
    NotOwner,
    /// 404
    NotFound,
    /// 400
    InvalidRequest,
    /// 405
    MethodNotAllowed,
    /// 408
    RequestTimeout,
    /// 412
    PreconditionFailed,
    /// 413
    PayloadTooLarge,
    /// 415
    UnsupportedMediaType,
    /// 422
    IdempotencyKeyReused,
    /// 431
    HeadersTooLarge,
    /// 503
    KeysUnavailable,
    /// 503
    Overloaded,
    /// 500 or 503
    Internal,
}

impl Code {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::MissingToken,
        Self::InvalidToken,
        Self::InsufficientScope,
        Self::InsufficientRole,
        Self::NotOwner,
        Self::NotFound,
        Self::InvalidRequest,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::PreconditionFailed,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::IdempotencyKeyReused,
        Self::HeadersTooLarge,
        Self::KeysUnavailable,
        Self::Overloaded,
        Self::Internal,
    ];

    /// The name in `code`, and the status it comes with.
    pub fn name_and_status(self) -> (&'static str, StatusCode) {
        match self {
            Self::MissingToken => ("missing_token", StatusCode::UNAUTHORIZED),
            Self::InvalidToken => ("invalid_token", StatusCode::UNAUTHORIZED),
            Self::InsufficientScope => ("insufficient_scope", StatusCode::FORBIDDEN),
            Self::InsufficientRole => ("insufficient_role", StatusCode::FORBIDDEN),
            Self::NotOwner => ("not_owner", StatusCode::FORBIDDEN),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND),
            Self::InvalidRequest => ("invalid_request", StatusCode::BAD_REQUEST),
            Self::MethodNotAllowed => ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED),
            Self::RequestTimeout => ("request_timeout", StatusCode::REQUEST_TIMEOUT),
            Self::PreconditionFailed => ("precondition_failed", StatusCode::PRECONDITION_FAILED),
            Self::PayloadTooLarge => ("payload_too_large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::UnsupportedMediaType => {
                ("unsupported_media_type", StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            Self::IdempotencyKeyReused => {
                ("idempotency_key_reused", StatusCode::UNPROCESSABLE_ENTITY)
            }
            Self::HeadersTooLarge => {
                ("headers_too_large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
            }
            Self::KeysUnavailable => ("keys_unavailable", StatusCode::SERVICE_UNAVAILABLE),
            Self::Overloaded => ("overloaded", StatusCode::SERVICE_UNAVAILABLE),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// What not every problem has.
#[derive(Debug, Clone, Default)]
struct More {
    errors: Vec<FieldError>,
    expected: Option<String>,
    received: Option<String>,
    hint: Option<String>,
    members: BTreeMap<&'static str, String>,
    headers: HeaderMap,
}

/// What the log says about a problem of ours.
type Cause = Arc<dyn StdError + Send + Sync>;

/// An error on its way to the caller.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    more: Box<More>,
    /// For the log only.
    cause: Option<Cause>,
}

impl Problem {
    /// A problem with the status of its code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let (code, status) = code.name_and_status();
        Self { status, code, detail: detail.into(), more: Box::default(), cause: None }
    }

    /// Adds what is wrong at one place.
    pub fn with_error(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.more.errors.push(FieldError { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// Adds a member of this problem alone.
    pub fn with_member(mut self, name: &'static str, value: impl ToString) -> Self {
        self.more.members.insert(name, value.to_string());
        self
    }

    /// Adds a header to the answer.
    pub fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.more.headers.insert(name, value);
        self
    }

    /// 400: one place of the request is wrong.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, "A value in the request is not allowed.")
            .with_error(pointer, detail)
    }

    /// 404: no such todo in the caller's tenant.
    pub fn no_such_todo() -> Self {
        Self::new(Code::NotFound, "There is no todo with this id.")
    }

    /// 412: what the caller wants to change is not in the state that the request requires.
    pub fn precondition_failed() -> Self {
        let detail = "If-Match or If-None-Match does not hold for the current ETag.";
        Self::new(Code::PreconditionFailed, detail)
    }

    /// 422: the caller has used the key for another todo.
    pub fn idempotency_key_reused() -> Self {
        let detail = "The Idempotency-Key was used for another todo within the last 24 hours.";
        Self::new(Code::IdempotencyKeyReused, detail)
    }

    /// 413.
    pub fn payload_too_large() -> Self {
        Self::new(Code::PayloadTooLarge, "The body is larger than 65536 bytes.")
    }

    /// 500: our own fault. The cause goes into the log.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let problem = Self::new(Code::Internal, "Something went wrong on our side.");
        Self { cause: Some(cause.into().into()), ..problem }
    }

    /// The answer, with the request's id in it. A cause is logged here, once.
    pub fn respond(self, request_id: &str) -> Response {
        if let Some(cause) = &self.cause {
            let error = Causes(cause.as_ref());
            tracing::error!(%error, code = self.code, "failed to serve the request");
        }
        let document = self.document(request_id);
        // A struct of strings and numbers always serializes; an empty body would still say the
        // status.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response =
            Response::builder().status(self.status).content_type(MEDIA_TYPE).body(body);
        response.headers_mut().extend(self.more.headers);
        response
    }

    /// The body of the answer.
    pub fn document(&self, request_id: &str) -> ProblemDocument {
        ProblemDocument {
            kind: "about:blank".into(),
            title: self.status.canonical_reason().unwrap_or("Error").into(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            instance: request_id.into(),
            code: self.code.into(),
            errors: (!self.more.errors.is_empty()).then(|| self.more.errors.clone()),
            expected: self.more.expected.clone(),
            received: self.more.received.clone(),
            hint: self.more.hint.clone(),
            members: self.more.members.clone(),
        }
    }
}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn as_response(&self) -> Response {
        self.clone().respond("")
    }
}

/// Which problems an operation has follows from its shape; `document.rs` writes them down.
impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        MetaResponses { responses: Vec::new() }
    }

    fn register(_: &mut Registry) {}
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.respond("")
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let retry = |problem: Self| problem.with_header(header::RETRY_AFTER, HeaderValue::from(1));
        let problem = match error {
            StoreError::Overloaded(_) => {
                retry(Self::new(Code::Overloaded, "Too many requests at once; try again."))
            }
            StoreError::Unavailable(_) => Self {
                status: StatusCode::SERVICE_UNAVAILABLE,
                ..retry(Self::new(Code::Internal, "The database cannot be used right now."))
            },
            StoreError::Internal(_) => return Self::internal(error),
        };
        Self { cause: Some(Arc::new(error)), ..problem }
    }
}

/// Whatever error, or panic, comes out of the endpoints leaves as a problem document.
pub async fn edge<E: Endpoint + 'static>(next: Arc<E>, request: Request) -> Result<Response> {
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    // The panic's own message went to standard error.
    let outcome = outcome.unwrap_or_else(|_| Err(Problem::internal("the handler panicked").into()));
    let (operation, mut response) = match outcome {
        Ok(answer) => {
            let response = answer.into_response();
            (response.data::<OperationId>().map(|id| id.0), response)
        }
        Err(error) => {
            let operation = error.data::<OperationId>().map(|id| id.0);
            (operation, problem_of(error).respond(id.as_str()))
        }
    };
    if let Some(operation) = operation {
        response.set_data(Operation(operation));
    }
    Ok(response)
}

/// The problem behind an error of the framework, of the guard, or of ours.
fn problem_of(error: Error) -> Problem {
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return problem.clone();
    }
    if let Some(Denied { rejection, headers }) = error.downcast_ref::<Denied>() {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let more = More {
            expected: text(rejection.expected()),
            received: text(rejection.received()),
            hint: text(rejection.hint()),
            headers: headers.clone(),
            ..More::default()
        };
        return Problem {
            status: rejection.status(),
            code: rejection.code(),
            more: Box::new(more),
            ..Problem::new(Code::InvalidToken, rejection.detail())
        };
    }
    if error.is::<NotFoundError>() {
        return Problem::new(Code::NotFound, "There is nothing at this path.");
    }
    if error.is::<MethodNotAllowedError>() {
        let problem =
            Problem::new(Code::MethodNotAllowed, "This path does not answer to this method.");
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
        return Problem::new(Code::UnsupportedMediaType, "The body must be application/json.");
    }
    if error.is::<CorsError>() {
        let problem =
            Problem::new(Code::InvalidRequest, "Pages of this origin may not do this here.");
        return Problem { status: error.status(), ..problem };
    }
    match error.status() {
        status if status.is_client_error() => {
            Problem { status, ..Problem::new(Code::InvalidRequest, "The request cannot be read.") }
        }
        _ => Problem::internal(error.to_string()),
    }
}

/// The methods that a path answers to, as an error's data.
#[derive(Clone)]
pub struct Allow(pub HeaderValue);
