//! The errors that operations share.

use poem_entra::Rejection;
use serde_json::{Map, Value, json};

use crate::{
    api::{
        bodies,
        health::NotReady,
        http::{
            edge::HEADER_LIMIT,
            headers::FieldValue,
            json::{BODY_LIMIT, BODY_TIMEOUT},
            paging::Page,
            preconditions::{IfMatch, NoPreconditions},
            problem::{self, Problem},
        },
        security,
    },
    todo::IdempotencyKey,
};

/// The inputs and the guard of an operation, which determine the errors that it can return.
struct Shape {
    public: bool,
    needs_role: bool,
    has_body: bool,
    path: bool,
    query: bool,
    if_match: bool,
    /// Only operations that create a todo have an idempotency key.
    idempotency_key: bool,
}

impl Shape {
    fn of(operation: &Map<String, Value>) -> Self {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let has = |member: &str, value: &str| {
            parameters.is_some_and(|all| all.iter().any(|parameter| parameter[member] == value))
        };
        Self {
            public: operation.get("security").and_then(Value::as_array).is_none_or(Vec::is_empty),
            needs_role: operation.contains_key("x-required-roles"),
            has_body: operation.contains_key("requestBody"),
            path: has("in", "path"),
            query: has("in", "query"),
            if_match: has("name", "If-Match"),
            idempotency_key: has("name", "Idempotency-Key"),
        }
    }

    /// The error for an invalid value.
    fn invalid_input(&self) -> Option<Problem> {
        match self {
            Self { path: true, .. } => Some(Problem::invalid_id()),
            Self { has_body: true, .. } => bodies::parse_name("").err(),
            Self { query: true, .. } => Page::parse(Some(&"0".into()), None).err(),
            Self { if_match: true, .. } => Some(IfMatch::invalid("If-Match")),
            Self { idempotency_key: true, .. } => Some(IdempotencyKey::invalid("Idempotency-Key")),
            _ => Some(NoPreconditions::refusal("If-Match")),
        }
    }

    /// An error for each code that the operation returns with this status.
    fn problems(&self, status: &str) -> Vec<Problem> {
        match status {
            "400" => self.invalid_input().into_iter().collect(),
            "401" => [Rejection::missing_token(), Rejection::malformed_token()]
                .map(|rejection| Problem::from(&rejection))
                .into(),
            "403" => {
                let role = self.needs_role.then(security::insufficient_role);
                let owner = self.path.then(Problem::not_owner);
                [security::insufficient_scope()].into_iter().chain(role).chain(owner).collect()
            }
            "404" => vec![Problem::no_such_todo()],
            "408" => vec![Problem::request_timeout()],
            "409" => vec![Problem::todo_limit_reached()],
            "412" => vec![Problem::precondition_failed()],
            "429" => vec![Problem::too_many_requests(1)],
            "413" => vec![Problem::payload_too_large()],
            "415" => vec![Problem::unsupported_media_type()],
            "422" => vec![Problem::idempotency_key_reused()],
            "431" => vec![Problem::headers_too_large(HEADER_LIMIT)],
            "500" => vec![Problem::internal("an example")],
            "501" => vec![Problem::unsupported_transfer_coding()],
            "503" if self.public => NotReady::examples().map(Problem::from).into(),
            "503" => vec![
                Problem::from(&Rejection::keys_unavailable(1)),
                Problem::overloaded(),
                Problem::database_unavailable(),
            ],
            _ => Vec::new(),
        }
    }
}

/// Adds the errors that the shape of the operation implies, in order of status.
pub(super) fn add_shared(method: &str, operation: &mut Map<String, Value>, content: &Value) {
    let shape = Shape::of(operation);
    let too_late = format!("The request body took more than {} seconds.", BODY_TIMEOUT.as_secs());
    let too_large = format!("The request body is larger than {BODY_LIMIT} bytes.");
    let headers_too_large = format!(
        "The request headers are larger than {HEADER_LIMIT} bytes. If they are larger than about \
         1.25 MiB, or more than 100, the response has no body."
    );
    let shared = [
        (true, "400", "A value in the request is invalid."),
        (shape.path, "404", "There is no such todo in the caller's tenant."),
        (shape.has_body, "408", &too_late),
        (shape.idempotency_key, "409", "The caller has as many todos as one owner may have."),
        (
            shape.if_match,
            "412",
            "The current `ETag` does not satisfy `If-Match` or `If-None-Match`.",
        ),
        (shape.has_body, "413", &too_large),
        (shape.has_body, "415", "The request body is not `application/json`."),
        (shape.idempotency_key, "422", "The `Idempotency-Key` was used for another todo."),
        (true, "431", &headers_too_large),
        // The public operations report a failure as 503 and do nothing else that can fail.
        (!shape.public, "500", "An internal error occurred."),
        (true, "501", "The request body has a transfer coding other than `chunked`."),
    ];
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    // All errors of an operation have one schema, because some generators support only one.
    let own = responses.get("503").and_then(|response| response.get("content")).cloned();
    let content = own.as_ref().unwrap_or(content);
    for (_, status, description) in shared.into_iter().filter(|(applies, ..)| *applies) {
        responses.insert(status.into(), json!({ "description": description, "content": content }));
    }
    if method == "patch"
        && let Some(unsupported) = responses.get_mut("415")
    {
        unsupported["headers"] = json!({
            "Accept-Patch": {
                "description": "The media type that is accepted (RFC 5789, section 2.2).",
                "schema": { "type": "string" },
            },
        });
    }
    if !shape.public {
        let header =
            |description, kind| json!({ "description": description, "schema": { "type": kind } });
        let headers = json!({
            "Retry-After": header("Seconds to wait before retrying.", "integer"),
            "RateLimit": header("What is left of the rate limit, if there is one.", "string"),
            "RateLimit-Policy": header("The rate limit, if there is one.", "string"),
        });
        responses.insert(
            "429".into(),
            json!({
                "description": "The caller sends too many requests.",
                "headers": headers,
                "content": content,
            }),
        );
    }
    responses.sort_keys();
}

/// Adds examples to each error: one for each code, named after it, as the server would send it.
pub(super) fn add_examples(operation: &mut Map<String, Value>) {
    let shape = Shape::of(operation);
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, response) in responses {
        for problem in shape.problems(status) {
            let example = problem.document("0c9d4b4e-5f0f-4d65-9d0a-2f5a1f4a7c3e");
            let media_type = &mut response["content"][problem::MEDIA_TYPE];
            media_type["examples"][&example.code] = json!({ "value": example });
        }
    }
}
