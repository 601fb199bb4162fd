//! Makes the document to publish out of the one that poem-openapi writes.

use serde_json::{Map, Value, json};

use crate::validator::Validator;

use super::mark::Documented;

/// What the document says of the authority and the API, and how errors look.
#[derive(Debug, Clone)]
pub struct Published {
    /// What stands for `{authority}` in the declaration: `{instance}/{tenant}`.
    pub authority: String,
    /// What stands for `{api}`, and what scopes start with: `api://{client_id}`.
    pub app_id_uri: String,
    /// The content of error answers, a `content` object of OpenAPI.
    pub error_content: Value,
}

impl Published {
    /// What this validator enforces, with errors as [`Denied`](super::Denied) sends them.
    pub fn of(validator: &Validator) -> Self {
        let problem = json!({ "schema": {
            "type": "object",
            "properties": {
                "type": { "type": "string" },
                "title": { "type": "string" },
                "status": { "type": "integer" },
                "detail": { "type": "string" },
                "code": { "type": "string" },
                "expected": { "type": "string", "nullable": true },
                "received": { "type": "string", "nullable": true },
                "hint": { "type": "string", "nullable": true },
            },
        } });
        Self {
            authority: validator.authority().url(),
            app_id_uri: validator.challenge().app_id_uri.clone(),
            error_content: json!({ "application/problem+json": problem }),
        }
    }
}

/// The document to publish: fills in `{authority}` and `{api}`, and replaces the marks of guards by
/// what they stand for: the scopes in `security`, the app roles in `x-required-roles`, both in
/// words in the description, and the answers 401, 403 and 503. `x-required-roles` lists app roles
/// of which a caller needs one; where a policy has several such lists, it is a list of lists, and a
/// caller needs one of each.
///
/// `declared` is what poem-openapi's `spec` returns. poem-openapi takes URLs and scopes as
/// literals, so that a declaration can only name what the settings say.
///
/// # Errors
///
/// When `declared` is not JSON.
pub fn publish(declared: &str, published: &Published) -> Result<Value, serde_json::Error> {
    let filled = declared
        .replace("{authority}", &published.authority)
        .replace("{api}", &published.app_id_uri);
    let mut document: Value = serde_json::from_str(&filled)?;
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for path in paths.into_iter().flat_map(Map::values_mut) {
        for operation in path.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if let Some(operation) = operation.as_object_mut() {
                write_requirement(operation, published);
            }
        }
    }
    Ok(document)
}

fn write_requirement(operation: &mut Map<String, Value>, published: &Published) {
    let Some((scheme, documented)) = operation.get("security").and_then(marked) else { return };
    let full: Vec<_> =
        documented.scopes.iter().map(|s| format!("{}/{s}", published.app_id_uri)).collect();
    operation.insert("security".into(), json!([{ scheme: full }]));
    match documented.roles.as_slice() {
        [] => {}
        [roles] => drop(operation.insert("x-required-roles".into(), json!(roles))),
        several => drop(operation.insert("x-required-roles".into(), json!(several))),
    }
    let who = &documented.who;
    let description = match operation.get("description").and_then(Value::as_str) {
        Some(text) if !text.is_empty() => format!("{text}\n\n{who}"),
        _ => who.clone(),
    };
    operation.insert("description".into(), description.into());
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    if let Some(responses) = responses.as_object_mut() {
        for (status, answer) in refusals(&documented, &published.error_content) {
            responses.insert(status.into(), answer);
        }
    }
}

/// The scheme's name, and what the guard says of itself.
fn marked(security: &Value) -> Option<(String, Documented)> {
    let entries = security.as_array()?.iter().filter_map(Value::as_object);
    let names: Vec<&String> = entries.flat_map(Map::keys).collect();
    let documented = names.iter().find_map(|name| Documented::read(name))?;
    let scheme = names.iter().find(|name| Documented::read(name).is_none())?;
    Some(((*scheme).clone(), documented))
}

fn refusals(documented: &Documented, content: &Value) -> [(&'static str, Value); 3] {
    let challenge = json!({ "WWW-Authenticate": {
        "description": "The challenge of RFC 6750, section 3.",
        "schema": { "type": "string" },
    } });
    let retry = json!({ "Retry-After": {
        "description": "Seconds after which to try again.",
        "schema": { "type": "integer", "minimum": 1 },
    } });
    let answer = |description: &str, headers: &Value| {
        json!({
            "description": description,
            "headers": headers,
            "content": content,
        })
    };
    [
        ("401", answer("No valid access token was sent.", &challenge)),
        ("403", answer(&documented.forbidden, &challenge)),
        ("503", answer("The token cannot be judged, or the request served, right now.", &retry)),
    ]
}
