//! The summaries and descriptions.

use serde_json::{Map, Value};

use crate::api::security::{self, Right};

/// Adds to the summary who may call the operation, so that readers see it without opening the
/// operation.
pub(super) fn name_callers(method: &str, operation: &mut Map<String, Value>) {
    let list = |name: &str| operation.get(name).and_then(Value::as_array);
    let is_public = list("security").is_none_or(Vec::is_empty);
    let roles = list("x-required-roles").into_iter().flatten().filter_map(Value::as_str);
    let roles: Vec<_> = roles.collect();
    let in_path = |parameter: &Value| parameter["in"] == "path";
    let names_a_todo = list("parameters").is_some_and(|all| all.iter().any(in_path));
    let callers = match method {
        _ if is_public => "anyone".to_owned(),
        _ if !roles.is_empty() => roles.join(" or "),
        "get" => security::reach_in_words(Right::Read),
        _ if names_a_todo => security::reach_in_words(Right::Write),
        _ => "signed in".to_owned(),
    };
    if let Some(Value::String(summary)) = operation.get_mut("summary") {
        *summary += &format!(" [{callers}]");
    }
}

/// Writes each paragraph of a description on one line. Some generators join lines without a space,
/// so there is also one at the end of a paragraph.
pub(super) fn join_lines(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "description" => *text = joined(text),
                    _ => join_lines(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        _ => {}
    }
}

fn joined(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let lines: Vec<_> = paragraph.lines().map(str::trim).collect();
        lines.join(" ")
    });
    paragraphs.collect::<Vec<_>>().join(" \n\n")
}
