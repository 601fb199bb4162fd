//! The table of operations, compared with what the server answers and with the document.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{App, Launch, TestClock, operations};

use super::{explain, forge};

#[tokio::test(flavor = "multi_thread")]
async fn the_server_admits_the_callers_that_the_table_admits() {
    let app = App::start_at(TestClock::real(), |environment| environment).await;
    let launch = Launch::serve(app.tenant.base_url());
    let document: Value = app
        .client
        .get(format!("{}/openapi.json", app.url))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    for token in [
        json!({ "person": "ada" }),
        json!({ "person": "uma" }),
        json!({ "person": "ida" }),
        json!({ "person": "noel" }),
        json!({ "person": "tia" }),
        json!({ "person": "ada", "expires_in": -3_600 }),
        json!({ "person": "ada", "claims": { "scp": "todos.read" } }),
        json!({ "kind": "app", "client": "Nightly job" }),
    ] {
        let text = forge(&app.tenant, &token);
        let answer = explain(&launch, &["--json", &text]).json();
        let rows = answer["operations"].as_array().unwrap();
        let declared = operations(&document);
        assert_eq!(rows.len(), declared.len(), "{answer}");
        for operation in declared {
            let row = rows.iter().find(|row| row["operation"] == operation.id).unwrap();
            assert_eq!(row["path"], operation.path, "{row}");
            assert_eq!(row["method"], operation.method.as_str(), "{row}");
            // There is no todo with this id, so an allowed caller gets 404.
            let path = operation.path.replace("{id}", "999999");
            let body = match operation.method {
                Method::POST => Some(json!({ "item": { "name": "Walk the dog" } })),
                Method::PATCH => Some(json!({ "item": { "is_complete": true } })),
                _ => None,
            };
            let response = app.send(Some(&text), operation.method.clone(), &path, body).await;
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
            let allowed = !refused.contains(&response.status);
            assert_eq!(row["allowed"], allowed, "{token}: {row} {response:?}");
            assert_eq!(row["missing"].is_string(), !allowed, "{token}: {row}");
            if operation.is_protected() && !allowed && answer["reason"].is_object() {
                assert_eq!(answer["reason"]["code"], response.body["code"], "{token}: {row}");
                assert_eq!(answer["reason"]["detail"], response.body["detail"], "{token}: {row}");
            }
        }
    }
}
