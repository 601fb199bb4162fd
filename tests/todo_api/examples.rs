//! The error examples in the document are the errors that the server sends.

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use todo_api::api::http::code::Code;

use crate::support::{Answer, App, Database, Operation, free_ports, operations};

#[tokio::test]
async fn each_error_example_is_what_the_server_sends() {
    let apps = Apps::start().await;
    let document = apps.normal.send(None, Method::GET, "/openapi.json", None).await.body;
    let mut compared = BTreeSet::new();
    for operation in operations(&document) {
        for (status, response) in operation.object["responses"].as_object().unwrap() {
            let example = &response["content"]["application/problem+json"]["example"];
            if example.is_null() {
                assert!(status.as_str() < "400", "{} has no example for {status}", operation.id);
                continue;
            }
            // Nothing makes these two operations fail in this way.
            if status == "500" && !operation.is_protected() {
                continue;
            }
            let request = apps.failing_request(&operation, status).await;
            let answer = Answer::of(request.send().await.unwrap()).await;
            let context = format!("{} {status}", operation.id);
            assert_eq!(answer.status.as_str(), status, "{context}: {answer:?}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{context}");
            assert_eq!(without_id(&answer.body), without_id(example), "{context}");
            compared.insert(status.clone());
        }
    }
    // Every error of an operation has an example. The server sends these before it finds the operation.
    let earlier = [Code::MethodNotAllowed, Code::RequestTimeout, Code::HeadersTooLarge];
    let expected = Code::ALL.iter().filter(|code| !earlier.contains(code));
    let expected = expected.map(|code| code.name_and_status().1.as_str().to_owned());
    assert_eq!(compared, expected.collect());
}

/// The problem without the id of the request.
fn without_id(problem: &Value) -> Value {
    let mut problem = problem.clone();
    problem.as_object_mut().unwrap().remove("instance");
    problem
}

/// A server that works, one whose database has no tables, and one whose authority is down.
struct Apps {
    normal: App,
    broken: App,
    without_keys: App,
}

impl Apps {
    async fn start() -> Self {
        let database = Database::sqlite();
        let broken = App::on(database.clone()).await;
        database.execute("ALTER TABLE todos RENAME TO elsewhere").await;
        let [unused] = free_ports();
        let authority = format!("http://127.0.0.1:{unused}");
        Self {
            normal: App::start().await,
            broken,
            without_keys: App::start_with(|environment| {
                environment.with("AAD_INSTANCE", authority)
            })
            .await,
        }
    }

    /// A request that fails with this status in the way that the example shows.
    async fn failing_request(&self, operation: &Operation<'_>, status: &str) -> RequestBuilder {
        let app = match status {
            "500" => &self.broken,
            "503" => &self.without_keys,
            _ => &self.normal,
        };
        let token = match status {
            "401" => None,
            "403" if operation.object.get("x-required-roles").is_some() => Some("uma"),
            "403" if !operation.path.contains('{') => None,
            "403" => Some("ulf"),
            _ => Some("ada"),
        };
        let mut token = match token {
            Some(person) => Some(app.token(person).await),
            None => None,
        };
        if status == "403" && token.is_none() {
            token = Some(app.forged(|claims| claims["scp"] = "another_scope".into()));
        }
        let id = match status {
            "400" => "abc".to_owned(),
            "404" | "500" | "503" => "999999".to_owned(),
            _ => app.create("uma", "Walk the dog").await["id"].to_string(),
        };
        let invalid = status == "400";
        let is_list = operation.parameters("query").contains(&"limit");
        let query = if invalid && is_list { "?limit=0" } else { "" };
        let path = format!("{}{query}", operation.path.replace("{id}", &id));
        let mut request = app.request(token.as_deref(), operation.method.clone(), &path);
        if status == "412" {
            request = request.header("if-match", "\"0\"");
        }
        if invalid && operation.parameters("header").contains(&"If-Match") {
            request = request.header("if-match", "0");
        }
        if status == "422" {
            let first = app.request(token.as_deref(), operation.method.clone(), &path);
            let first = first.header("idempotency-key", "key").json(&body("Another todo"));
            assert_eq!(first.send().await.unwrap().status().as_u16(), 201);
            request = request.header("idempotency-key", "key");
        }
        match (status, operation.has_body()) {
            ("413", _) => request.json(&body(&"a".repeat(70_000))),
            ("415", _) => request.body("Walk the dog"),
            ("400", true) => request.json(&body("")),
            (_, true) => request.json(&body("Walk the dog")),
            (_, false) => request,
        }
    }
}

fn body(name: &str) -> Value {
    json!({ "item": { "name": name } })
}
