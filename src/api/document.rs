//! The published OpenAPI document: a pure function of the declaration and the settings. It is used
//! by `/openapi.json`, the docs page, `todo-api openapi` and the tests.
//!
//! poem-openapi takes URLs and scopes as literals and does not know the errors that operations
//! share. So the declaration contains placeholders in braces, which poem-entra replaces. The errors
//! that an operation shares with others, because it has a body or a certain parameter, are added
//! here.

use poem_entra::{Rejection, poem::Published};
use poem_openapi::{registry::Registry, types::Type};
use serde_json::{Map, Value, json};

use crate::todo::IdempotencyKey;

use super::{
    bodies,
    health::NotReady,
    http::{
        headers::FieldValue,
        json::BODY_LIMIT,
        paging::Page,
        preconditions::IfMatch,
        problem::{self, Problem, ProblemDocument},
    },
    security,
};

/// What the document says about the authority and the API.
#[derive(Debug, Clone)]
pub struct DocumentSettings {
    /// `{instance}/{tenant}`.
    pub authority: String,
    /// The prefix of scopes: `api://{client_id}`.
    pub app_id_uri: String,
}

/// Completes the document that poem-openapi made from the declaration.
///
/// # Errors
///
/// If `declared` is not JSON.
pub fn publish(declared: &str, settings: &DocumentSettings) -> Result<Value, serde_json::Error> {
    let published = Published {
        authority: settings.authority.clone(),
        app_id_uri: settings.app_id_uri.clone(),
        error_content: json!({ problem::MEDIA_TYPE: { "schema": { "$ref": PROBLEM } } }),
    };
    let mut document = poem_entra::poem::publish(declared, &published)?;
    // poem-openapi writes 3.0.0, but the document is also valid as 3.0.3.
    document["openapi"] = "3.0.3".into();
    for operation in operations(&mut document) {
        operation.entry("security").or_insert_with(|| json!([]));
        add_shared_errors(operation, &published.error_content);
        add_error_examples(operation);
        spell_headers(operation);
    }
    order_tags(&mut document);
    close_request_schemas(&mut document);
    add_problem_schemas(&mut document["components"]["schemas"]);
    write_whole_numbers(&mut document);
    Ok(document)
}

const PROBLEM: &str = "#/components/schemas/Problem";

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let paths = paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    paths.flat_map(Map::values_mut).filter_map(Value::as_object_mut)
}

/// Puts the groups on the docs page in the order of the paths. poem-openapi sorts them by name.
fn order_tags(document: &mut Value) {
    let used: Vec<Value> =
        operations(document).filter_map(|o| o.get("tags")?.get(0).cloned()).collect();
    if let Some(tags) = document.get_mut("tags").and_then(Value::as_array_mut) {
        tags.sort_by_key(|tag| used.iter().position(|name| *name == tag["name"]));
    }
}

/// The inputs of an operation, which determine the shared errors that it can return.
struct Shape {
    has_body: bool,
    path: bool,
    query: bool,
    if_match: bool,
    idempotency_key: bool,
}

impl Shape {
    fn of(operation: &Map<String, Value>) -> Self {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let has = |member: &str, value: &str| {
            parameters.is_some_and(|all| all.iter().any(|parameter| parameter[member] == value))
        };
        Self {
            has_body: operation.contains_key("requestBody"),
            path: has("in", "path"),
            query: has("in", "query"),
            if_match: has("name", "If-Match"),
            idempotency_key: has("name", "Idempotency-Key"),
        }
    }

    /// The error for an invalid value; `None` if the operation takes no input.
    fn invalid_input(&self) -> Option<Problem> {
        match self {
            Self { path: true, .. } => Some(Problem::invalid_id()),
            Self { has_body: true, .. } => bodies::parse_name("").err(),
            Self { query: true, .. } => Page::parse(Some(&"0".into()), None).err(),
            Self { if_match: true, .. } => Some(IfMatch::invalid("If-Match")),
            Self { idempotency_key: true, .. } => Some(IdempotencyKey::invalid("Idempotency-Key")),
            _ => None,
        }
    }
}

/// Adds the errors that the shape of the operation implies, in order of status.
fn add_shared_errors(operation: &mut Map<String, Value>, content: &Value) {
    let shape = Shape::of(operation);
    let too_large = format!("The request body is larger than {BODY_LIMIT} bytes.");
    let shared = [
        (shape.invalid_input().is_some(), "400", "A value in the request is invalid."),
        (shape.path, "404", "There is no such todo in the caller's tenant."),
        (
            shape.if_match,
            "412",
            "The current `ETag` does not satisfy `If-Match` or `If-None-Match`.",
        ),
        (shape.has_body, "413", &too_large),
        (shape.has_body, "415", "The request body is not `application/json`."),
        (shape.idempotency_key, "422", "The `Idempotency-Key` was used for another todo."),
        (true, "500", "An internal error occurred."),
    ];
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (_, status, description) in shared.into_iter().filter(|(applies, ..)| *applies) {
        responses.insert(status.into(), json!({ "description": description, "content": content }));
    }
    responses.sort_keys();
}

/// Adds an example to each error, as the server would send it.
fn add_error_examples(operation: &mut Map<String, Value>) {
    let shape = Shape::of(operation);
    let needs_role = operation.contains_key("x-required-roles");
    let public = operation.get("security").and_then(Value::as_array).is_none_or(Vec::is_empty);
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, response) in responses {
        let problem = match status.as_str() {
            "400" => shape.invalid_input(),
            "401" => Some(Problem::from(&Rejection::missing_token())),
            "403" if needs_role => Some(security::insufficient_role()),
            "403" if shape.path => Some(Problem::not_owner()),
            "403" => Some(security::insufficient_scope()),
            "404" => Some(Problem::no_such_todo()),
            "412" => Some(Problem::precondition_failed()),
            "413" => Some(Problem::payload_too_large()),
            "415" => Some(Problem::unsupported_media_type()),
            "422" => Some(Problem::idempotency_key_reused()),
            "500" => Some(Problem::internal("an example")),
            "503" if public => Some(NotReady::without_keys().into()),
            "503" => Some(Problem::from(&Rejection::keys_unavailable(1))),
            _ => None,
        };
        if let Some(problem) = problem {
            response["content"][problem::MEDIA_TYPE]["example"] =
                json!(problem.document("0c9d4b4e-5f0f-4d65-9d0a-2f5a1f4a7c3e"));
        }
    }
}

/// Restores the usual spelling of response headers, which poem-openapi writes in upper or lower
/// case.
fn spell_headers(operation: &mut Map<String, Value>) {
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    for response in responses.into_iter().flat_map(Map::values_mut) {
        let Some(headers) = response.get_mut("headers").and_then(Value::as_object_mut) else {
            continue;
        };
        for name in ["Location", "Link", "ETag", "Retry-After"] {
            let spelled = headers.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned();
            if let Some(header) = spelled.and_then(|spelled| headers.remove(&spelled)) {
                headers.insert(name.into(), header);
            }
        }
    }
}

/// Declares in the schemas of request bodies that the server rejects unknown members.
fn close_request_schemas(document: &mut Value) {
    let bodies = operations(document).filter_map(|operation| operation.get("requestBody"));
    let mut pending: Vec<String> = bodies.flat_map(references).collect();
    let mut closed = Vec::new();
    while let Some(name) = pending.pop() {
        let schema = &mut document["components"]["schemas"][&name];
        if schema.is_object() && !closed.contains(&name) {
            pending.extend(references(schema));
            schema["additionalProperties"] = false.into();
            closed.push(name);
        }
    }
}

/// The names of the schemas that a part of the document refers to.
fn references(part: &Value) -> Vec<String> {
    match part {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value.as_str() {
                Some(reference) if name == "$ref" => {
                    reference.rsplit('/').next().map(str::to_owned).into_iter().collect()
                }
                _ => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Adds the schemas of problems. poem-openapi drops schemas that no operation refers to.
fn add_problem_schemas(schemas: &mut Value) {
    let mut registry = Registry::new();
    ProblemDocument::register(&mut registry);
    for (name, schema) in &registry.schemas {
        schemas[name] = json!(schema);
    }
}

/// Writes whole numbers without a fraction. poem-openapi writes bounds as `1.0`.
fn write_whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let whole = number.as_f64().filter(|float| float.fract() == 0.0 && number.is_f64());
            if let Some(float) = whole {
                *value = (float as i64).into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(write_whole_numbers),
        Value::Object(members) => members.values_mut().for_each(write_whole_numbers),
        _ => {}
    }
}
