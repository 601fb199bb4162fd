//! The strict Microsoft Graph of the tests: each rule refuses a wrong request.

mod application_calls;
mod applications;
mod faults;
mod objects;
mod requests;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, client, graph::StrictGraph};

/// A scope that Graph accepts.
pub(crate) const SCOPE: &str = "5c000000-0000-4000-8000-000000000001";

fn request(graph: &StrictGraph, method: Method, path: &str) -> RequestBuilder {
    client().request(method, format!("{}/v1.0/{path}", graph.url())).bearer_auth(graph.token())
}

async fn answer(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

async fn get(graph: &StrictGraph, path: &str) -> Answer {
    answer(request(graph, Method::GET, path)).await
}

async fn send(graph: &StrictGraph, method: Method, path: &str, body: &Value) -> Answer {
    let request = request(graph, method, path);
    answer(if body.is_null() { request } else { request.json(body) }).await
}

/// Sends a request that must succeed with this status, and returns the body.
async fn ok(graph: &StrictGraph, method: Method, path: &str, body: &Value, status: u16) -> Value {
    let answer = send(graph, method, path, body).await;
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    answer.body
}

/// Sends a request that must be refused with this status and code.
async fn refused(
    graph: &StrictGraph,
    method: Method,
    path: &str,
    body: &Value,
    status: u16,
    code: &str,
) -> Value {
    let answer = send(graph, method, path, body).await;
    assert_error(&answer, status, code);
    answer.body["error"].clone()
}

#[track_caller]
fn assert_error(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
    let error = &answer.body["error"];
    assert_eq!(error["code"], code, "{answer:?}");
    assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{answer:?}");
    assert!(error["innerError"]["request-id"].is_string(), "{answer:?}");
}

/// A new application with a scope and a role.
async fn new_api(graph: &StrictGraph) -> Value {
    let body = json!({
        "displayName": "API",
        "appRoles": [role()],
        "api": { "requestedAccessTokenVersion": 2, "oauth2PermissionScopes": [scope()] },
    });
    ok(graph, Method::POST, "applications", &body, 201).await
}

fn scope() -> Value {
    json!({
        "id": SCOPE,
        "value": "access_as_user",
        "type": "User",
        "adminConsentDisplayName": "Access",
        "adminConsentDescription": "Access it.",
    })
}

fn role() -> Value {
    json!({
        "id": "40000000-0000-4000-8000-000000000001",
        "value": "Admin",
        "displayName": "Admin",
        "description": "Does everything.",
        "allowedMemberTypes": ["User"],
    })
}

/// The path of an application.
fn path(application: &Value) -> String {
    format!("applications/{}", application["id"].as_str().unwrap())
}
