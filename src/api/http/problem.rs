//! Errors as problem documents (RFC 9457). There is one constructor for each kind of error.

use std::{collections::BTreeMap, error::Error, sync::Arc};

use poem::{
    IntoResponse, Response,
    error::ResponseError,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use poem_entra::{Rejection, poem::Denied};
use poem_openapi::{
    ApiResponse, Object,
    registry::{MetaResponses, Registry},
};
use serde::Serialize;

use crate::{
    cases::{self, Case},
    causes::Causes,
    store::StoreError,
};

use super::{code::Code, json::BODY_LIMIT};

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The body of an error response (RFC 9457).
#[derive(Debug, Clone, Serialize, Object)]
#[oai(rename = "Problem")]
pub struct ProblemDocument {
    /// Always `about:blank`; `status` and `code` identify the kind of problem.
    #[oai(rename = "type")]
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status of the response.
    pub status: i32,
    /// What is wrong with this request.
    pub detail: String,
    /// The id of the request, as in `X-Request-Id` and in the log.
    pub instance: String,
    /// A stable name of the problem, for programs.
    pub code: String,
    /// The invalid parts of the request.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<FieldError>>,
    /// The value that would have been accepted in the token.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The value in the token.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<String>,
    /// What usually solves the problem.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The rule that the token broke. Only development servers and those with `EXPLAIN_401` send
    /// it.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The URL of a page about this problem. Only development servers and those with `EXPLAIN_401`
    /// send it.
    #[oai(skip_serializing_if_is_none)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Members that only some problems have (RFC 9457, section 3.2).
    #[oai(skip)]
    #[serde(flatten)]
    pub members: BTreeMap<&'static str, String>,
}

/// An invalid part of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Object)]
pub struct FieldError {
    /// In the body, a JSON pointer as a URI fragment (`#/item/name`); elsewhere the kind and the
    /// name of the parameter (`query:limit`, `path:id`, `header:If-Match`).
    pub pointer: String,
    /// What is wrong there.
    pub detail: String,
}

/// An error response.
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

/// The parts that only some problems have.
#[derive(Debug, Clone, Default)]
struct More {
    errors: Vec<FieldError>,
    expected: Option<String>,
    received: Option<String>,
    hint: Option<String>,
    rule: Option<String>,
    help: Option<String>,
    members: BTreeMap<&'static str, String>,
    headers: HeaderMap,
}

type Cause = Arc<dyn Error + Send + Sync>;

impl Problem {
    fn new(code: Code, detail: impl Into<String>) -> Self {
        let (code, status) = code.name_and_status();
        Self { status, code, detail: detail.into(), more: Box::default(), cause: None }
    }

    /// 400: a value in the request is invalid.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, "A value in the request is invalid.")
            .with_error(pointer, detail)
    }

    /// 400: the id in the path is invalid.
    pub fn invalid_id() -> Self {
        Self::invalid("path:id", "must be a whole number from 1 to 9223372036854775807")
    }

    /// 400: the request body is not what the operation expects.
    pub fn invalid_body(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, "The request body is not what this operation expects.")
            .with_error(pointer, detail)
    }

    /// 400, or the `status` that poem has chosen: the request cannot be read.
    pub fn unreadable(status: StatusCode) -> Self {
        Self { status, ..Self::new(Code::InvalidRequest, "The request cannot be read.") }
    }

    /// 400: the request was sent without TLS to a server that requires it.
    pub fn not_encrypted() -> Self {
        let detail = "This server accepts only HTTPS. Begin the URL with https://.";
        Self::new(Code::InvalidRequest, detail)
    }

    /// 403: pages of this origin may not call the API.
    pub fn origin_not_allowed() -> Self {
        let detail = "CORS_ORIGINS does not allow requests from this origin.";
        Self { status: StatusCode::FORBIDDEN, ..Self::new(Code::InvalidRequest, detail) }
    }

    /// 403: the todo belongs to somebody else.
    pub fn not_owner() -> Self {
        Self::new(Code::NotOwner, "The todo belongs to somebody else.")
    }

    /// 404: the caller's tenant has no such todo.
    pub fn no_such_todo() -> Self {
        Self::new(Code::NotFound, "There is no todo with this id.")
    }

    /// 404: the path does not exist.
    pub fn no_such_path() -> Self {
        Self::new(Code::NotFound, "There is nothing at this path.")
    }

    /// 405: the path supports other methods.
    pub fn method_not_allowed() -> Self {
        Self::new(Code::MethodNotAllowed, "This path does not support this method.")
    }

    /// 408: the request body did not arrive in time.
    pub fn request_timeout() -> Self {
        Self::new(Code::RequestTimeout, "The request body did not arrive in time.")
    }

    /// 409: the caller has as many todos as one owner may have.
    pub fn todo_limit_reached() -> Self {
        let detail = "You have as many todos as you may have. Delete some of them.";
        Self::new(Code::TodoLimitReached, detail)
    }

    /// 412: a precondition does not hold.
    pub fn precondition_failed() -> Self {
        let detail = "The current ETag does not satisfy If-Match or If-None-Match.";
        Self::new(Code::PreconditionFailed, detail)
    }

    /// 412: all entity tags in `If-Match` are weak.
    pub fn weak_entity_tag() -> Self {
        let detail = "If-Match has only weak ETags (W/\"…\"), which never match. If the server's ETag \
                      arrived as a weak one, a proxy that compresses responses has changed it.";
        Self::new(Code::PreconditionFailed, detail)
    }

    /// 413: the request body is too large.
    pub fn payload_too_large() -> Self {
        let detail = format!("The request body is larger than {BODY_LIMIT} bytes.");
        Self::new(Code::PayloadTooLarge, detail)
    }

    /// 415: the request body is not JSON.
    pub fn unsupported_media_type() -> Self {
        Self::new(Code::UnsupportedMediaType, "The request body must be application/json.")
    }

    /// 415: the request body is compressed.
    pub fn unsupported_content_coding() -> Self {
        let detail = "The request body is compressed (Content-Encoding). Send it uncompressed.";
        Self::new(Code::UnsupportedMediaType, detail)
    }

    /// 422: the caller has used the idempotency key for another todo.
    pub fn idempotency_key_reused() -> Self {
        let detail = "The Idempotency-Key was used for another todo within the last 24 hours.";
        Self::new(Code::IdempotencyKeyReused, detail)
    }

    /// 429: the client sends too many requests, and should wait for this number of seconds.
    pub fn too_many_requests(seconds: u64) -> Self {
        let detail = "You have sent too many requests. Retry-After says how long to wait.";
        Self::new(Code::TooManyRequests, detail).with_retry_after(seconds)
    }

    /// 431: the request headers are larger than `limit` bytes.
    pub fn headers_too_large(limit: usize) -> Self {
        let detail = format!("The request headers are larger than {limit} bytes.");
        Self::new(Code::HeadersTooLarge, detail)
    }

    /// 500: a server error. The cause is logged.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let problem = Self::new(Code::Internal, "An internal error occurred.");
        Self { cause: Some(cause.into().into()), ..problem }
    }

    /// 501: the request body has a transfer coding that the server does not decode.
    pub fn unsupported_transfer_coding() -> Self {
        let detail = "Transfer-Encoding may only be chunked. Send the body uncompressed.";
        Self { status: StatusCode::NOT_IMPLEMENTED, ..Self::new(Code::InvalidRequest, detail) }
    }

    /// 503: there are no signing keys.
    pub fn keys_unavailable() -> Self {
        let detail = "There are no signing keys to verify tokens with.";
        Self::new(Code::KeysUnavailable, detail).with_retry_after(1)
    }

    /// 503: too many requests are waiting for the database.
    pub fn overloaded() -> Self {
        let detail = "There are too many requests at once; try again.";
        Self::new(Code::Overloaded, detail).with_retry_after(1)
    }

    /// 503: the server is shutting down, so it should get no more requests.
    pub fn shutting_down() -> Self {
        Self::new(Code::ShuttingDown, "The server is shutting down.").with_retry_after(1)
    }

    /// 503: the database cannot be used.
    pub fn database_unavailable() -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Self { status, ..Self::new(Code::Internal, "The database is unavailable.") };
        problem.with_retry_after(1)
    }

    fn with_error(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.more.errors.push(FieldError { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// Adds a member.
    pub fn with_member(mut self, name: &'static str, value: impl ToString) -> Self {
        self.more.members.insert(name, value.to_string());
        self
    }

    /// Adds a header field to the response.
    pub fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.more.headers.insert(name, value);
        self
    }

    /// Adds the rule that the token broke, and the URL of the heading in TROUBLESHOOTING: that of
    /// the case, otherwise that of the code.
    pub fn explaining(mut self, rejection: &Rejection) -> Self {
        let of_code = || cases::troubleshooting(&format!("{}-{}", self.code, self.status.as_u16()));
        self.more.help = Some(Case::of(rejection).map_or_else(of_code, Case::help));
        self.more.rule = Some(rejection.rule().name().to_owned());
        self
    }

    fn with_retry_after(self, seconds: u64) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// The response, with the id of the request. The cause, if any, is logged here.
    pub fn respond(self, request_id: &str) -> Response {
        if let Some(cause) = &self.cause {
            let error = Causes(cause.as_ref());
            tracing::error!(%error, code = self.code, "failed to serve the request");
        }
        let document = self.document(request_id);
        // Serializing strings and numbers cannot fail; if it did, the response would still have its
        // status, with an empty body.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response =
            Response::builder().status(self.status).content_type(MEDIA_TYPE).body(body);
        response.headers_mut().extend(self.more.headers);
        response
    }

    /// The body of the response.
    pub fn document(&self, request_id: &str) -> ProblemDocument {
        ProblemDocument {
            kind: "about:blank".into(),
            title: self.status.canonical_reason().unwrap_or("Error").into(),
            status: self.status.as_u16().into(),
            detail: self.detail.clone(),
            instance: request_id.into(),
            code: self.code.into(),
            errors: (!self.more.errors.is_empty()).then(|| self.more.errors.clone()),
            expected: self.more.expected.clone(),
            received: self.more.received.clone(),
            hint: self.more.hint.clone(),
            rule: self.more.rule.clone(),
            help: self.more.help.clone(),
            members: self.more.members.clone(),
        }
    }
}

impl From<&Denied> for Problem {
    fn from(Denied { rejection, headers }: &Denied) -> Self {
        let mut problem = Self::from(rejection);
        problem.more.headers = headers.clone();
        problem
    }
}

impl From<&Rejection> for Problem {
    fn from(rejection: &Rejection) -> Self {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let more = More {
            expected: text(rejection.expected()),
            received: text(rejection.received()),
            hint: text(rejection.hint()),
            ..More::default()
        };
        Self {
            status: rejection.status(),
            code: rejection.code(),
            detail: rejection.detail().to_owned(),
            more: Box::new(more),
            cause: None,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let problem = match error {
            StoreError::Overloaded(_) => Self::overloaded(),
            StoreError::Unavailable(_) => Self::database_unavailable(),
            StoreError::Internal(_) => return Self::internal(error),
        };
        Self { cause: Some(Arc::new(error)), ..problem }
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

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.respond("")
    }
}

/// `document.rs` adds the problems of an operation to the document. They follow from its shape.
impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        MetaResponses { responses: Vec::new() }
    }

    fn register(_: &mut Registry) {}
}
