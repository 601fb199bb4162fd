//! The stable names of errors.

use poem::http::StatusCode;

/// The stable name of an error, in `code`. Each has a heading in docs/TROUBLESHOOTING.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// No access token was sent.
    MissingToken,
    /// The token is not accepted.
    InvalidToken,
    /// The token lacks a scope.
    InsufficientScope,
    /// The caller lacks an app role.
    InsufficientRole,
    /// The sign-in lacks an authentication context, which the client can request.
    InsufficientClaims,
    /// The policy of the operation requires something else.
    AccessDenied,
    /// The todo belongs to somebody else.
    NotOwner,
    /// There is no such todo or path.
    NotFound,
    /// The request is malformed or contains an invalid value.
    InvalidRequest,
    /// The path does not support the method.
    MethodNotAllowed,
    /// The request body did not arrive in time.
    RequestTimeout,
    /// A precondition of the request does not hold.
    PreconditionFailed,
    /// The request body is too large.
    PayloadTooLarge,
    /// The request body is not JSON.
    UnsupportedMediaType,
    /// The idempotency key was used for another request.
    IdempotencyKeyReused,
    /// The caller has as many todos as one owner may have.
    TodoLimitReached,
    /// The client sends too many requests.
    TooManyRequests,
    /// The request headers are too large.
    HeadersTooLarge,
    /// The signing keys are unavailable, so no token can be validated.
    KeysUnavailable,
    /// There are too many requests at once.
    Overloaded,
    /// The server is shutting down. Only the readiness check reports this.
    ShuttingDown,
    /// A server error. The status is 503 instead if the database is unavailable.
    Internal,
}

impl Code {
    /// All codes.
    pub const ALL: &[Self] = &[
        Self::MissingToken,
        Self::InvalidToken,
        Self::InsufficientScope,
        Self::InsufficientRole,
        Self::InsufficientClaims,
        Self::AccessDenied,
        Self::NotOwner,
        Self::NotFound,
        Self::InvalidRequest,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::PreconditionFailed,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::IdempotencyKeyReused,
        Self::TodoLimitReached,
        Self::TooManyRequests,
        Self::HeadersTooLarge,
        Self::KeysUnavailable,
        Self::Overloaded,
        Self::ShuttingDown,
        Self::Internal,
    ];

    /// The name in `code`, and the status of the response.
    pub fn name_and_status(self) -> (&'static str, StatusCode) {
        match self {
            Self::MissingToken => ("missing_token", StatusCode::UNAUTHORIZED),
            Self::InvalidToken => ("invalid_token", StatusCode::UNAUTHORIZED),
            Self::InsufficientScope => ("insufficient_scope", StatusCode::FORBIDDEN),
            Self::InsufficientRole => ("insufficient_role", StatusCode::FORBIDDEN),
            Self::InsufficientClaims => ("insufficient_claims", StatusCode::UNAUTHORIZED),
            Self::AccessDenied => ("access_denied", StatusCode::FORBIDDEN),
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
            Self::TodoLimitReached => ("todo_limit_reached", StatusCode::CONFLICT),
            Self::TooManyRequests => ("too_many_requests", StatusCode::TOO_MANY_REQUESTS),
            Self::HeadersTooLarge => {
                ("headers_too_large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
            }
            Self::KeysUnavailable => ("keys_unavailable", StatusCode::SERVICE_UNAVAILABLE),
            Self::Overloaded => ("overloaded", StatusCode::SERVICE_UNAVAILABLE),
            Self::ShuttingDown => ("shutting_down", StatusCode::SERVICE_UNAVAILABLE),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}
