//! The published OpenAPI document: a pure function of the declaration and the settings, which all
//! readers use (`/openapi.json`, the docs page, `todo-api openapi`, the tests).
//!
//! poem-openapi takes URLs and scopes as literals and knows nothing of answers that every operation
//! shares. The declaration therefore has names in braces, which poem-entra fills in, and what
//! follows from an operation's shape (a body, a parameter) is added here, once for all.

use poem_entra::poem::Published;
use poem_openapi::{registry::Registry, types::Type};
use serde_json::{Map, Value, json};

use super::problem::{self, Code, Problem, ProblemDocument};

/// What the document says of the authority and the API.
#[derive(Debug, Clone)]
pub struct DocumentSettings {
    /// `{instance}/{tenant}`.
    pub authority: String,
    /// What scopes start with: `api://{client_id}`.
    pub app_id_uri: String,
}

/// Finishes the document that poem-openapi made from the declaration.
///
/// # Errors
///
/// When `declared` is not JSON, which would be poem-openapi's fault.
pub fn publish(declared: &str, settings: &DocumentSettings) -> Result<Value, serde_json::Error> {
    let published = Published {
        authority: settings.authority.clone(),
        app_id_uri: settings.app_id_uri.clone(),
        error_content: json!({ problem::MEDIA_TYPE: { "schema": { "$ref": PROBLEM } } }),
    };
    let mut document = poem_entra::poem::publish(declared, &published)?;
    // poem-openapi says 3.0.0; what it writes is as valid in the last 3.0.
    document["openapi"] = "3.0.3".into();
    for operation in operations(&mut document) {
        operation.entry("security").or_insert_with(|| json!([]));
        add_shared_answers(operation, &published.error_content);
        add_error_examples(operation);
        spell_headers(operation);
    }
    order_tags(&mut document);
    let schemas = &mut document["components"]["schemas"];
    close_request_schemas(schemas);
    add_problem_schemas(schemas);
    write_whole_numbers(&mut document);
    Ok(document)
}

const PROBLEM: &str = "#/components/schemas/Problem";

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let paths = paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    paths.flat_map(Map::values_mut).filter_map(Value::as_object_mut)
}

/// The groups of the docs page come in the order of the paths, not of the alphabet.
fn order_tags(document: &mut Value) {
    let used: Vec<Value> =
        operations(document).filter_map(|o| o.get("tags")?.get(0).cloned()).collect();
    if let Some(tags) = document.get_mut("tags").and_then(Value::as_array_mut) {
        tags.sort_by_key(|tag| used.iter().position(|name| *name == tag["name"]));
    }
}

/// What any operation of this shape may answer, in order of status.
fn add_shared_answers(operation: &mut Map<String, Value>, content: &Value) {
    let has_body = operation.contains_key("requestBody");
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let parameter = |member: &str, value: &str| {
        parameters.is_some_and(|all| all.iter().any(|parameter| parameter[member] == value))
    };
    let takes_input = has_body || parameters.is_some_and(|all| !all.is_empty());
    let reports_readiness = operation.get("operationId") == Some(&json!("get_readiness"));
    let shared = [
        (takes_input, "400", "A value in the request is not allowed."),
        (parameter("in", "path"), "404", "There is no such todo in the caller's tenant."),
        (
            parameter("name", "If-Match"),
            "412",
            "`If-Match` or `If-None-Match` does not hold for the current `ETag`.",
        ),
        (has_body, "413", "The body is larger than 65536 bytes."),
        (has_body, "415", "The body is not `application/json`."),
        (
            parameter("name", "Idempotency-Key"),
            "422",
            "The `Idempotency-Key` was used for another todo.",
        ),
        (true, "500", "Something went wrong on our side."),
        (
            reports_readiness,
            "503",
            "It cannot; `keys` and `database` say which of them is missing.",
        ),
    ];
    let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (_, status, description) in shared.into_iter().filter(|(applies, ..)| *applies) {
        answers.insert(status.into(), json!({ "description": description, "content": content }));
    }
    answers.sort_keys();
}

/// One example for each error, as it would really be sent.
fn add_error_examples(operation: &mut Map<String, Value>) {
    let needs_role = operation.contains_key("x-required-roles");
    let owned = operation["responses"].get("404").is_some();
    let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, answer) in answers {
        let problem = match status.as_str() {
            "400" if owned => Problem::invalid("path:id", "must be a whole number from 1"),
            "400" => Problem::new(Code::InvalidRequest, "A value in the request is not allowed."),
            "401" => Problem::new(Code::MissingToken, "No access token was sent."),
            "403" if needs_role => {
                Problem::new(Code::InsufficientRole, "The caller lacks the app role Admin.")
            }
            "403" if owned => Problem::new(Code::NotOwner, "The todo belongs to somebody else."),
            "403" => {
                Problem::new(Code::InsufficientScope, "The token lacks the scope access_as_user.")
            }
            "404" => Problem::no_such_todo(),
            "412" => Problem::precondition_failed(),
            "422" => Problem::idempotency_key_reused(),
            "413" => Problem::payload_too_large(),
            "415" => Problem::new(Code::UnsupportedMediaType, "The body must be application/json."),
            "500" => Problem::new(Code::Internal, "Something went wrong on our side."),
            "503" => Problem::new(
                Code::KeysUnavailable,
                "The authority's signing keys are unavailable right now.",
            ),
            _ => continue,
        };
        answer["content"][problem::MEDIA_TYPE]["example"] =
            json!(problem.document("0c9d4b4e-5f0f-4d65-9d0a-2f5a1f4a7c3e"));
    }
}

/// poem-openapi writes the names of headers in capitals.
fn spell_headers(operation: &mut Map<String, Value>) {
    let answers = operation.get_mut("responses").and_then(Value::as_object_mut);
    for answer in answers.into_iter().flat_map(Map::values_mut) {
        let Some(headers) = answer.get_mut("headers").and_then(Value::as_object_mut) else {
            continue;
        };
        for (shouted, spelled) in [("LOCATION", "Location"), ("LINK", "Link"), ("ETAG", "ETag")] {
            if let Some(header) = headers.remove(shouted) {
                headers.insert(spelled.into(), header);
            }
        }
    }
}

/// Unknown members are refused, and the schemas of what is sent to us say so.
fn close_request_schemas(schemas: &mut Value) {
    for name in ["NewTodo", "NewTodoItem", "TodoChange", "TodoChangeItem"] {
        if let Some(schema) = schemas.get_mut(name) {
            schema["additionalProperties"] = false.into();
        }
    }
}

/// poem-openapi drops schemas that no operation of its own refers to.
fn add_problem_schemas(schemas: &mut Value) {
    let mut registry = Registry::new();
    ProblemDocument::register(&mut registry);
    for (name, schema) in &registry.schemas {
        schemas[name] = json!(schema);
    }
}

/// poem-openapi writes bounds as `1.0`.
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
