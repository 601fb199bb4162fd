//! A body for each status of each operation, as the server sends it.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, App, FailingApps, operations};

/// `{operation, status, body}` for each body. `operation` is null for errors that belong to none.
pub(super) async fn every_body(test: &str) -> Vec<Value> {
    let apps = FailingApps::start(test).await;
    let document = apps.document().await;
    let mut bodies = successes().await;
    bodies.extend(general_errors().await);
    for failure in apps.cause_all(&document).await {
        bodies.push(body(Some(failure.operation.id), &failure.answer));
    }
    assert_is_complete(&document, &bodies);
    bodies
}

fn body(operation: Option<&str>, answer: &Answer) -> Value {
    json!({ "operation": operation, "status": answer.status.as_u16(), "body": answer.body })
}

async fn successes() -> Vec<Value> {
    let app = App::start().await;
    app.wait_until_ready().await;
    let mut bodies = Vec::new();
    let mut send = async |operation, method, path: &str, item: Value| {
        let item = (!item.is_null()).then(|| json!({ "item": item }));
        let answer = app.send_as("uma", method, path, item).await;
        assert!(answer.status.is_success(), "{answer:?}");
        bodies.push(body(Some(operation), &answer));
        answer.body["item"]["id"].to_string()
    };
    send("getHealth", Method::GET, "/health", Value::Null).await;
    send("getReadiness", Method::GET, "/health/ready", Value::Null).await;
    send("listTodos", Method::GET, "/todoitems", Value::Null).await;
    let longest = "🐕".repeat(200);
    let id = send("createTodo", Method::POST, "/todoitems", json!({ "name": longest })).await;
    send("createTodo", Method::POST, "/todoitems", json!({ "name": "\u{202e}\u{feff}<b>" })).await;
    let path = format!("/todoitems/{id}");
    send("getTodo", Method::GET, &path, Value::Null).await;
    send("updateTodo", Method::PATCH, &path, json!({ "is_complete": true })).await;
    send("listTodos", Method::GET, "/todoitems?limit=1", Value::Null).await;
    send("listTodos", Method::GET, "/todoitems", Value::Null).await;
    bodies
}

/// Errors that the server sends before it finds an operation, one with several field errors, and one
/// that says which rule was broken.
async fn general_errors() -> Vec<Value> {
    let app = App::start_with(|environment| environment.with("EXPLAIN_401", "1")).await;
    let token = app.token("uma").await;
    let padding = "a".repeat(70_000);
    let mut bodies = Vec::new();
    for (method, path, header, status) in [
        (Method::GET, "/nothing", "", 404),
        (Method::PUT, "/todoitems", "", 405),
        (Method::GET, "/todoitems?limit=0&after=-", "-", 400),
        (Method::GET, "/todoitems", &*padding, 431),
        (Method::DELETE, "/todoitems", "", 403),
    ] {
        let headers = [("if-match", header)];
        let headers = if header.is_empty() { &[][..] } else { &headers };
        let answer = app.send_all(Some(&token), method, path, headers, None).await;
        assert_eq!(answer.status, status, "{path}");
        bodies.push(body(None, &answer));
    }
    bodies
}

/// Asserts that there is a body for each status that has one, and one with each member of a problem.
fn assert_is_complete(document: &Value, bodies: &[Value]) {
    let mut expected = BTreeSet::new();
    for operation in operations(document) {
        for (status, response) in operation.object["responses"].as_object().unwrap() {
            // Slow clients get 408, which another test is about.
            if response.get("content").is_some() && status != "408" {
                expected.insert(format!("\"{}\" {status}", operation.id));
            }
        }
    }
    let sent = bodies.iter().filter(|body| !body["operation"].is_null());
    let sent: BTreeSet<_> =
        sent.map(|body| format!("{} {}", body["operation"], body["status"])).collect();
    assert_eq!(sent, expected);
    for member in document["components"]["schemas"]["Problem"]["properties"].as_object().unwrap() {
        let is_sent = bodies.iter().any(|body| body["body"].get(member.0).is_some());
        assert!(is_sent, "no body has {}", member.0);
    }
}
