//! Completes the OpenAPI document that poem-openapi generates.

use serde_json::{Map, Value, json};

use crate::validator::Validator;

use super::mark::Documented;

/// What the document says about the authority, the API and the bodies of error responses.
#[derive(Debug, Clone)]
pub struct Published {
    /// The value for the placeholder `{authority}`: `{instance}/{tenant}`.
    pub authority: String,
    /// The value for the placeholder `{api}`, the prefix of scopes: the canonical App ID URI.
    pub app_id_uri: String,
    /// The body of error responses, as a `content` object of OpenAPI.
    pub error_content: Value,
}

impl Published {
    /// The values for this validator, with error responses as [`Denied`](super::Denied) sends them.
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

/// Completes `declared`, the document that poem-openapi's `spec` returns.
///
/// The placeholders `{authority}` and `{api}` are filled in. They are needed because poem-openapi
/// takes URLs and scopes as literals, but their values come from the settings.
///
/// Each operation with a guard gets its scopes in `security`, its app roles in `x-required-roles`,
/// a sentence about both in the description, and the responses 401, 403 and 503. A caller needs one
/// of the app roles in `x-required-roles`. If a policy has several lists of app roles,
/// `x-required-roles` is a list of lists, and a caller needs one app role from each.
///
/// # Errors
///
/// If `declared` is not JSON.
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
        Some(text) => format!("{text}\n\n{who}"),
        None => who.clone(),
    };
    operation.insert("description".into(), description.into());
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    if let Some(responses) = responses.as_object_mut() {
        for (status, response) in refusals(&documented, &published.error_content) {
            responses.insert(status.into(), response);
        }
    }
}

/// The scheme's name, and what the guard says about its policy.
fn marked(security: &Value) -> Option<(String, Documented)> {
    let entries = security.as_array()?.iter().filter_map(Value::as_object);
    let names: Vec<&String> = entries.flat_map(Map::keys).collect();
    let documented = names.iter().find_map(|name| Documented::read(name))?;
    let scheme = names.iter().find(|name| Documented::read(name).is_none())?;
    Some(((*scheme).clone(), documented))
}

fn refusals(documented: &Documented, content: &Value) -> [(&'static str, Value); 3] {
    // A guard of the app may refuse a caller for a reason that no other token would change. Such a
    // 403 has no challenge.
    let challenge = |required: bool| {
        json!({ "WWW-Authenticate": {
            "description": "The challenge of RFC 6750, section 3.",
            "required": required,
            "schema": { "type": "string" },
        } })
    };
    let retry = json!({ "Retry-After": {
        "description": "Seconds to wait before retrying.",
        "required": true,
        "schema": { "type": "integer", "format": "int32" },
    } });
    let response = |description: &str, headers: &Value| {
        json!({
            "description": description,
            "headers": headers,
            "content": content,
        })
    };
    [
        ("401", response("No valid access token was sent.", &challenge(true))),
        ("403", response(&documented.forbidden, &challenge(false))),
        ("503", response("The token or the request cannot be processed right now.", &retry)),
    ]
}
