//! A call to Microsoft Graph v1.0.

use reqwest::Method;
use serde_json::Value;
use url::Url;

/// A call without Graph's address.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path after the version, in segments that are not encoded.
    pub path: Vec<String>,
    /// The query, encoded.
    pub query: Option<String>,
    /// The body. It contains no secret.
    pub body: Option<Value>,
    /// Whether `PATCH` creates the resource if it does not exist.
    pub creates_if_missing: bool,
}

impl Call {
    fn new(method: Method, path: &[&str], body: Option<Value>) -> Self {
        let path = path.iter().map(|segment| (*segment).to_owned()).collect();
        Self { method, path, query: None, body, creates_if_missing: false }
    }

    pub(super) fn get(path: &[&str]) -> Self {
        Self::new(Method::GET, path, None)
    }

    pub(super) fn post(path: &[&str], body: Value) -> Self {
        Self::new(Method::POST, path, Some(body))
    }

    pub(super) fn patch(path: &[&str], body: Value) -> Self {
        Self::new(Method::PATCH, path, Some(body))
    }

    pub(super) fn delete(path: &[&str]) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    /// An upsert (<https://learn.microsoft.com/graph/api/application-upsert>).
    pub(super) fn or_create(self) -> Self {
        Self { creates_if_missing: true, ..self }
    }

    pub(super) fn with_query(self, query: impl Into<String>) -> Self {
        Self { query: Some(query.into()), ..self }
    }

    /// The URL at this Graph.
    pub fn url(&self, graph: &Url) -> Url {
        let mut url = graph.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1.0");
            for segment in &self.path {
                segments.push(segment);
            }
        }
        // An alternate key follows the collection without a slash.
        let path = url.path().replace("/(", "(");
        url.set_path(&path);
        url.set_query(self.query.as_deref());
        url
    }
}
