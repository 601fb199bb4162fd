//! The guard comes first: a caller without a token, or without the scope, learns nothing about ids,
//! parameters or bodies, whatever else is wrong with the request.
//!
//! These may come before 401: 400 for an invalid `Host` or more than one token, 405 for an unknown
//! method, 429, 431 and 503. Nothing about the path, the query or the body may, such as 404, 413
//! and 415.

use reqwest::{Method, RequestBuilder, header};
use serde_json::json;

use crate::support::{Answer, App, Operation, operations};

#[tokio::test]
async fn garbage_without_a_token_causes_401_for_every_operation() {
    let app = App::start().await;
    for_all_garbage(&app, None, 401, "missing_token").await;
}

#[tokio::test]
async fn garbage_without_the_scope_causes_403_for_every_operation() {
    let app = App::start().await;
    let token = app.forged(|claims| claims["scp"] = "another_scope".into());
    for_all_garbage(&app, Some(&token), 403, "insufficient_scope").await;
}

#[tokio::test]
async fn only_faults_of_the_whole_request_come_before_401() {
    let app = App::start().await;
    let document = app.send(None, Method::GET, "/openapi.json", None).await.body;
    let token = app.token("ada").await;
    for operation in operations(&document).iter().filter(|operation| operation.is_protected()) {
        let path = path(operation, "%ff");
        // Two tokens.
        let request = app.request(Some(&token), operation.method.clone(), &path);
        let answer = Answer::of(request.bearer_auth(&token).send().await.unwrap()).await;
        answer.assert_problem(400, "invalid_request");
        let start = format!("{} {path} HTTP/1.1\r\n", operation.method);
        let no_host = format!("{start}connection: close\r\n\r\n");
        let answer = app.send_bytes(no_host.as_bytes()).await;
        answer.assert_problem(400, "invalid_request");
        let answer = app.send(None, Method::PUT, &path, None).await;
        answer.assert_problem(405, "method_not_allowed");
        let headers = [("x-padding", &*"a".repeat(70_000))];
        let answer = app.send_all(None, operation.method.clone(), &path, &headers, None).await;
        answer.assert_problem(431, "headers_too_large");
    }
}

/// Sends garbage of each kind, alone and together, to every protected operation.
async fn for_all_garbage(app: &App, token: Option<&str>, status: u16, code: &str) {
    let document = app.send(None, Method::GET, "/openapi.json", None).await.body;
    let todo = app.create("uma", "Walk the dog").await["id"].to_string();
    let bodies = bodies();
    let mut protected = 0;
    for operation in operations(&document).iter().filter(|operation| operation.is_protected()) {
        protected += 1;
        let ids = if operation.path.contains('{') { IDS } else { &[] };
        let valid = Request { id: &todo, query: "", headers: &[], body: None };
        let mut requests = vec![valid];
        requests.extend(ids.iter().map(|id| Request { id, ..valid }));
        requests.extend(QUERIES.iter().map(|query| Request { query, ..valid }));
        requests.extend(HEADERS.chunks(1).map(|headers| Request { headers, ..valid }));
        requests.extend(bodies.iter().map(|body| Request { body: Some(body), ..valid }));
        for id in ids.iter().copied().chain(["%ff"]) {
            for body in &bodies {
                let (headers, body) = (HEADERS, Some(body.as_slice()));
                requests.extend(QUERIES.iter().map(|query| Request { id, query, headers, body }));
            }
        }
        for request in requests {
            let sent = request.of(app, token, operation).send().await.unwrap();
            let answer = Answer::of(sent).await;
            assert_eq!(answer.status.as_u16(), status, "{} {request:?}", operation.id);
            answer.assert_problem(status, code);
        }
    }
    assert!(protected > 0, "the document has no protected operation");
}

/// The parts of a request that may be garbage.
#[derive(Clone, Copy)]
struct Request<'a> {
    id: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a [u8])],
    /// `None` for a valid body, if the operation has one.
    body: Option<&'a [u8]>,
}

/// Values for the parameters of the path.
const IDS: &[&str] = &[
    "%ff",
    "abc",
    "0",
    "-1",
    "9223372036854775808",
    "%00",
    "%2f",
    "%",
    "%zz",
    "999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999999",
];

const QUERIES: &[&str] =
    &["?limit=0&limit=abc&after=%ff", "?unknown=1&unknown=2", "?%ff=%ff", "?limit", "?&&=&"];

const HEADERS: &[(&str, &[u8])] = &[
    ("if-match", b"garbage"),
    ("if-none-match", b"\""),
    ("idempotency-key", b"a b\"\xff"),
    ("content-type", b"text/plain"),
    ("content-encoding", b"gzip"),
    ("accept", b"text/garbage"),
];

/// Invalid JSON, wrong types, invalid UTF-8, and a body that is too large.
fn bodies() -> [Vec<u8>; 6] {
    [
        Vec::new(),
        b"{".to_vec(),
        b"[1, null]".to_vec(),
        br#"{"item":{"name":7,"is_complete":"yes"},"unknown":1}"#.to_vec(),
        b"{\"item\":{\"name\":\"\xff\"}}".to_vec(),
        vec![b' '; 70 * 1024],
    ]
}

impl Request<'_> {
    fn of(&self, app: &App, token: Option<&str>, operation: &Operation<'_>) -> RequestBuilder {
        let path = path(operation, self.id) + self.query;
        let mut request = app.request(token, operation.method.clone(), &path);
        let typed = self.headers.iter().any(|(name, _)| *name == "content-type");
        if !typed {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in self.headers {
            request = request.header(*name, *value);
        }
        match self.body {
            Some(body) => request.body(body.to_vec()),
            None if operation.has_body() => {
                request.body(json!({ "item": { "name": "Rest" } }).to_string())
            }
            None => request,
        }
    }
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let start = self.body.map(|body| String::from_utf8_lossy(&body[..body.len().min(60)]));
        write!(f, "id {}, query {}, headers {headers:?}, body {start:?}", self.id, self.query)
    }
}

/// The path of an operation with this value for each of its parameters.
fn path(operation: &Operation<'_>, value: &str) -> String {
    let mut path = operation.path.to_owned();
    for name in operation.parameters("path") {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    path
}
