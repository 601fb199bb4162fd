//! Makes the document to publish out of the one that poem-openapi writes.

use serde_json::{Map, Value, json};

use crate::validator::Validator;

use super::mark::{FIELD, SIGN};

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
/// words in the description, and the answers 401, 403 and 503.
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
    let Some((scheme, required)) = operation.get("security").and_then(marked) else { return };
    let full: Vec<_> =
        required.scopes.iter().map(|s| format!("{}/{s}", published.app_id_uri)).collect();
    operation.insert("security".into(), json!([{ scheme: full }]));
    let roles = required.roles_of_every_caller();
    if !roles.is_empty() {
        operation.insert("x-required-roles".into(), json!(roles));
    }
    let words = required.in_words();
    let description = match operation.get("description").and_then(Value::as_str) {
        Some(text) if !text.is_empty() => format!("{text}\n\n{words}"),
        _ => words,
    };
    operation.insert("description".into(), description.into());
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    if let Some(responses) = responses.as_object_mut() {
        for (status, answer) in required.refusals(&published.error_content) {
            responses.insert(status.into(), answer);
        }
    }
}

/// The scheme's name and the requirement behind it.
fn marked(security: &Value) -> Option<(String, Required)> {
    let entries = security.as_array()?.iter().filter_map(Value::as_object);
    let names: Vec<&String> = entries.flat_map(Map::keys).collect();
    let scheme = names.iter().find(|name| !name.starts_with(SIGN))?;
    let mark = names.iter().find_map(|name| name.strip_prefix(SIGN))?;
    let mut fields = mark.splitn(8, FIELD);
    let mut text = || fields.next().unwrap_or_default().to_owned();
    let mut list = || text().split_whitespace().map(str::to_owned).collect();
    let required = Required {
        scopes: list(),
        app_roles: list(),
        roles: list(),
        groups: list(),
        clients: list(),
        members_only: !text().is_empty(),
        authentication_context: text(),
        note: text(),
    };
    Some(((*scheme).clone(), required))
}

/// A [`Requirement`](crate::Requirement) as the mark carries it.
struct Required {
    scopes: Vec<String>,
    app_roles: Vec<String>,
    roles: Vec<String>,
    groups: Vec<String>,
    clients: Vec<String>,
    members_only: bool,
    authentication_context: String,
    note: String,
}

impl Required {
    /// With a choice between scope and app role, no role is everybody's.
    fn roles_of_every_caller(&self) -> &[String] {
        if self.scopes.is_empty() && self.roles.is_empty() { &self.app_roles } else { &self.roles }
    }

    fn in_words(&self) -> String {
        let user = (!self.scopes.is_empty())
            .then(|| format!("a user with the scope {}", either(&self.scopes)));
        let app = (!self.app_roles.is_empty())
            .then(|| format!("an app with the app role {}", either(&self.app_roles)));
        let who: Vec<_> = user.into_iter().chain(app).collect();
        let mut words = format!("**Who:** {}", who.join(", or "));
        for (names, text) in [
            (&self.roles, "and the app role"),
            (&self.groups, "in the group"),
            (&self.clients, "through the app"),
        ] {
            if !names.is_empty() {
                words += &format!(" {text} {}", either(names));
            }
        }
        if self.members_only {
            words += "; no guests";
        }
        if !self.authentication_context.is_empty() {
            words += &format!("; authentication context `{}`", self.authentication_context);
        }
        if !self.note.is_empty() {
            words += &format!("; {}", self.note);
        }
        words + "."
    }

    fn refusals(&self, content: &Value) -> [(&'static str, Value); 3] {
        let challenge = json!({ "WWW-Authenticate": {
            "description": "The challenge of RFC 6750, section 3.",
            "schema": { "type": "string" },
        } });
        let retry = json!({ "Retry-After": {
            "description": "Seconds after which to try again.",
            "schema": { "type": "integer", "minimum": 1 },
        } });
        let forbidden = match (self.roles_of_every_caller(), self.note.is_empty()) {
            ([], true) => "The scope is missing.",
            ([], false) => "The scope is missing, or this caller may not.",
            _ => "The scope or the app role is missing.",
        };
        let answer = |description: &str, headers: &Value| {
            json!({
                "description": description,
                "headers": headers,
                "content": content,
            })
        };
        [
            ("401", answer("No valid access token was sent.", &challenge)),
            ("403", answer(forbidden, &challenge)),
            (
                "503",
                answer("The token cannot be judged, or the request served, right now.", &retry),
            ),
        ]
    }
}

fn either(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}
