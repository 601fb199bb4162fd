//! Problem documents (RFC 9457).

use std::sync::Arc;

use poem::{
    Endpoint, Request, Response, Result,
    error::{NotFoundError, ParsePathError, ResponseError},
    http::{
        StatusCode,
        header::{ALLOW, HeaderValue},
    },
};
use serde_json::json;

use crate::{
    directory::{EditError, EditFault},
    http::response::{problem, problem_with},
};

/// Why a request was refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub(in crate::http) struct Problem {
    status: StatusCode,
    detail: String,
    errors: Vec<EditFault>,
    /// The methods that are possible, if this one is not.
    allowed: Option<&'static str>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl ToString) -> Self {
        Self { status, detail: detail.to_string(), errors: Vec::new(), allowed: None }
    }

    /// A fault in the body, at this JSON pointer.
    pub(super) fn at(pointer: String, detail: String) -> Self {
        EditError::Faults(vec![EditFault { pointer, detail }]).into()
    }
}

pub(super) fn bad_request(detail: impl ToString) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

pub(super) fn failed(detail: &str) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        let detail = error.to_string();
        match error {
            EditError::Missing(_) => Self::new(StatusCode::NOT_FOUND, detail),
            EditError::NotAllowed { allowed } => {
                let detail = format!("send one of {allowed}");
                let allowed = Some(allowed);
                Self { allowed, ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) }
            }
            EditError::Faults(errors) => Self { errors, ..bad_request(detail) },
            EditError::TooManyTenants(_) => Self::new(StatusCode::CONFLICT, detail),
            EditError::Keys(_) => failed("a key could not be generated"),
        }
    }
}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn as_response(&self) -> Response {
        let mut response = match self.errors.as_slice() {
            [] => problem(self.status, &self.detail),
            errors => problem_with(self.status, &self.detail, json!({ "errors": errors })),
        };
        if let Some(allowed) = self.allowed {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        }
        response
    }
}

/// Answers with a problem document if there is no such path below `/_dev`.
pub(in crate::http) async fn explain_errors<E: Endpoint<Output = Response>>(
    endpoint: Arc<E>,
    request: Request,
) -> Result<Response> {
    let path = request.original_uri().path().to_owned();
    let outcome = endpoint.call(request).await;
    if !path.starts_with("/_dev/") {
        return outcome;
    }
    outcome.or_else(|error| {
        if error.is::<NotFoundError>() || error.is::<ParsePathError>() {
            Ok(problem(StatusCode::NOT_FOUND, &format!("there is no {path}")))
        } else {
            Err(error)
        }
    })
}
