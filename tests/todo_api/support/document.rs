//! An OpenAPI document: its operations, and whether values match its schemas.

use reqwest::Method;
use serde_json::{Value, json};

use super::Answer;

/// An operation of the document.
#[derive(Clone)]
pub(crate) struct Operation<'a> {
    pub(crate) path: &'a str,
    pub(crate) method: Method,
    /// The operation id.
    pub(crate) id: &'a str,
    /// The operation object itself.
    pub(crate) object: &'a Value,
}

impl Operation<'_> {
    /// The security requirements.
    pub(crate) fn security(&self) -> &[Value] {
        self.object["security"].as_array().map_or(&[], Vec::as_slice)
    }

    pub(crate) fn is_protected(&self) -> bool {
        !self.security().is_empty()
    }

    /// The declared parameters in this place: `path`, `query` or `header`.
    pub(crate) fn parameters(&self, place: &str) -> Vec<&str> {
        let all = self.object.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let there = all.filter(|parameter| parameter["in"] == place);
        there.map(|parameter| parameter["name"].as_str().unwrap()).collect()
    }

    pub(crate) fn has_body(&self) -> bool {
        self.object.get("requestBody").is_some()
    }

    /// Asserts that the document describes this response: its status, its header fields, its media
    /// type and its body.
    #[track_caller]
    pub(crate) fn assert_describes(&self, document: &Value, answer: &Answer) {
        let context = format!("{} {}: {answer:?}", self.id, answer.status);
        let response = &self.object["responses"][answer.status.as_str()];
        assert!(response.is_object(), "not in the document: {context}");
        let no_headers = serde_json::Map::new();
        let headers = response["headers"].as_object().unwrap_or(&no_headers);
        for (name, header) in headers {
            let schema = &header["schema"];
            match answer.headers.get(name).map(|value| value.to_str().unwrap()) {
                Some(value) if schema["type"] == "integer" => {
                    assert!(value.parse::<i32>().is_ok(), "{name}: {context}");
                }
                Some(value) => assert_valid(document, schema, &value.into()),
                None => assert_ne!(header["required"], true, "{name} is missing: {context}"),
            }
        }
        for name in ["accept-patch", "etag", "link", "location", "retry-after", "www-authenticate"]
        {
            let described = headers.keys().any(|header| header.eq_ignore_ascii_case(name));
            assert!(described || answer.header(name).is_empty(), "{name} in {context}");
        }
        match response["content"].as_object() {
            Some(content) => {
                let media_type = &content[answer.header("content-type")];
                assert_valid(document, &media_type["schema"], &answer.body);
            }
            None => {
                assert_eq!(answer.header("content-type"), "", "{context}");
                assert_eq!(answer.body, Value::Null, "{context}");
            }
        }
    }
}

/// Asserts that a value matches a schema of the document.
#[track_caller]
pub(crate) fn assert_valid(document: &Value, schema: &Value, instance: &Value) {
    if let Err(error) = validator(document, schema).validate(instance) {
        panic!("{schema}: {error} in {instance}");
    }
}

/// A validator for a schema. OpenAPI 3.0 schemas are JSON Schema except for `nullable`.
pub(crate) fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    // A reference must not have siblings.
    let mut schema = json!({ "allOf": [schema], "components": document["components"] });
    allow_null(&mut schema);
    jsonschema::draft4::new(&schema).unwrap()
}

fn allow_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("nullable") == Some(&Value::Bool(true)) {
                let kind = members["type"].clone();
                members.insert("type".into(), json!([kind, "null"]));
            }
            members.values_mut().for_each(allow_null);
        }
        Value::Array(items) => items.iter_mut().for_each(allow_null),
        _ => {}
    }
}

/// Calls a function with this object and every object inside it.
pub(crate) fn visit<'a>(value: &'a Value, look: &mut impl FnMut(&'a Value)) {
    match value {
        Value::Object(members) => {
            look(value);
            members.values().for_each(|member| visit(member, look));
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, look)),
        _ => {}
    }
}

/// All operations of a document.
pub(crate) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, object)| Operation {
            path,
            method: method.to_uppercase().parse().unwrap(),
            id: object["operationId"].as_str().unwrap(),
            object,
        })
    });
    operations.collect()
}
