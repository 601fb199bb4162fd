//! The published OpenAPI document: a pure function of the declaration and the settings. It is used
//! by `/openapi.json`, the docs page, `todo-api openapi` and the tests.
//!
//! poem-openapi takes URLs and scopes as literals and does not know the errors that operations
//! share. So the declaration contains placeholders in braces, which poem-entra replaces. The rest
//! is added here: the errors that an operation shares with others, because it has a body or a
//! certain parameter (`errors`), what poem-openapi cannot say about schemas (`schemas`), and who
//! may call an operation, in its summary (`text`).

mod errors;
mod schemas;
mod text;

use poem_entra::poem::Published;
use serde_json::{Map, Value, json};

use super::http::problem;

/// What the document says about the server, the authority and the API.
#[derive(Debug, Clone)]
pub struct DocumentSettings {
    /// Where clients find the API: `PUBLIC_URL`, otherwise `http://{host}:{port}`.
    pub server: String,
    /// `{instance}/{tenant}`.
    pub authority: String,
    /// The prefix of scopes: the canonical App ID URI.
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
        error_content: json!({ problem::MEDIA_TYPE: { "schema": schemas::reference(PROBLEM) } }),
    };
    let mut document = poem_entra::poem::publish(declared, &published)?;
    // poem-openapi writes 3.0.0, but the document is also valid as 3.0.3.
    document["openapi"] = "3.0.3".into();
    for (method, operation) in operations(&mut document) {
        operation.entry("security").or_insert_with(|| json!([]));
        errors::add_shared(method, operation, &published.error_content);
        errors::add_examples(operation);
        text::name_callers(method, operation);
        spell_headers(operation);
    }
    order_tags(&mut document);
    schemas::close_requests(&mut document);
    schemas::add_problems(&mut document["components"]["schemas"]);
    schemas::write_whole_numbers(&mut document);
    text::join_lines(&mut document);
    help_scalar(&mut document);
    Ok(document)
}

/// The name of the schema of problems.
const PROBLEM: &str = "Problem";

/// The operations with their methods.
fn operations(document: &mut Value) -> impl Iterator<Item = (&str, &mut Map<String, Value>)> {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let paths = paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    let operations = paths.flat_map(Map::iter_mut);
    operations.filter_map(|(method, operation)| Some((method.as_str(), operation.as_object_mut()?)))
}

/// Puts the groups on the docs page in the order of the paths. poem-openapi sorts them by name.
fn order_tags(document: &mut Value) {
    let used: Vec<Value> =
        operations(document).filter_map(|(_, o)| o.get("tags")?.get(0).cloned()).collect();
    if let Some(tags) = document.get_mut("tags").and_then(Value::as_array_mut) {
        tags.sort_by_key(|tag| used.iter().position(|name| *name == tag["name"]));
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

/// Tells Scalar, another docs page, to sign in with PKCE and to send the client id in the body.
/// Entra refuses public clients that do otherwise.
fn help_scalar(document: &mut Value) {
    let flow = "/components/securitySchemes/oauth2/flows/authorizationCode";
    if let Some(flow) = document.pointer_mut(flow) {
        flow["x-usePkce"] = "SHA-256".into();
        flow["x-scalar-credentials-location"] = "body".into();
    }
}
