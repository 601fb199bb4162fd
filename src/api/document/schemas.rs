//! What poem-openapi cannot say about schemas.

use poem_openapi::{registry::Registry, types::Type};
use serde_json::{Value, json};

use crate::{
    api::{
        health,
        http::{code::Code, problem::ProblemDocument},
    },
    todo::{NAME_LIMIT, TodoName},
};

use super::{PROBLEM, operations};

/// A reference to the schema with this name.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Declares in the schemas of request bodies that the server rejects unknown members, and which
/// names it accepts. Responses have no such limits: a client must not refuse what the server sends.
pub(super) fn close_requests(document: &mut Value) {
    let bodies = operations(document).filter_map(|(_, operation)| operation.get("requestBody"));
    let mut pending: Vec<String> = bodies.flat_map(references).collect();
    let mut closed = Vec::new();
    while let Some(name) = pending.pop() {
        let schema = &mut document["components"]["schemas"][&name];
        if schema.is_object() && !closed.contains(&name) {
            pending.extend(references(schema));
            schema["additionalProperties"] = false.into();
            if let Some(name) = schema.pointer_mut("/properties/name") {
                name["minLength"] = 1.into();
                name["maxLength"] = NAME_LIMIT.into();
                name["pattern"] = TodoName::PATTERN.into();
            }
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

/// Adds the schemas of problems, which poem-openapi drops because no operation refers to them, and
/// the schema of their codes.
pub(super) fn add_problems(schemas: &mut Value) {
    let mut registry = Registry::new();
    ProblemDocument::register(&mut registry);
    for (name, schema) in &registry.schemas {
        schemas[name] = json!(schema);
    }
    for problem in [PROBLEM, health::SCHEMA] {
        let properties = &mut schemas[problem]["properties"];
        properties["code"] = reference(CODE);
        // Clients that Kiota generates use it as the message of the exception.
        properties["detail"]["x-ms-primary-error-message"] = true.into();
    }
    schemas[CODE] = json!({
        "type": "string",
        "title": CODE,
        "description": "A stable name of the problem, for programs.",
        "enum": Code::ALL.iter().map(|code| code.name_and_status().0).collect::<Vec<_>>(),
    });
}

/// The name of the schema of `code` in problems.
const CODE: &str = "ProblemCode";

/// Writes whole numbers without a fraction. poem-openapi writes bounds as `1.0`.
pub(super) fn write_whole_numbers(value: &mut Value) {
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
