//! The operations of an OpenAPI document.

use reqwest::Method;
use serde_json::Value;

/// An operation of the document.
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
