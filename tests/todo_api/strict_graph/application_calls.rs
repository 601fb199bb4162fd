//! Creating, deleting and restoring applications, and their secrets.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{graph::StrictGraph, test_name};

use super::{SCOPE, answer, assert_error, get, new_api, ok, path, refused, request};

const BAD_REQUEST: &str = "Request_BadRequest";

#[tokio::test]
async fn an_upsert_creates_once_and_updates_later() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let path = "applications(uniqueName='api')";
    let upsert = |body: Value| {
        request(&graph, Method::PATCH, path).header("prefer", "create-if-missing").json(&body)
    };
    let name = json!({ "displayName": "API" });
    refused(&graph, Method::PATCH, path, &name, 404, "Request_ResourceNotFound").await;
    assert_error(&answer(upsert(json!({}))).await, 400, BAD_REQUEST);
    let created = answer(upsert(name)).await;
    assert_eq!(created.status.as_u16(), 201, "{created:?}");
    assert_eq!(created.body["uniqueName"], "api");
    let updated = answer(upsert(json!({ "displayName": "Renamed" }))).await;
    assert_eq!((updated.status.as_u16(), updated.body), (204, Value::Null));
    assert_error(&answer(upsert(json!({ "tags": [] }))).await, 400, BAD_REQUEST);
    let renamed = get(&graph, path).await.body;
    assert_eq!((&renamed["displayName"], &renamed["id"]), (&"Renamed".into(), &created.body["id"]));
}

#[tokio::test]
async fn a_deleted_application_keeps_its_unique_name_until_it_is_purged_or_restored() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let create = async || {
        let path = "applications(uniqueName='api')";
        let upsert = request(&graph, Method::PATCH, path).header("prefer", "create-if-missing");
        answer(upsert.json(&json!({ "displayName": "API" }))).await
    };
    let first = create().await.body;
    ok(&graph, Method::DELETE, &path(&first), &Value::Null, 204).await;
    assert_error(&get(&graph, &path(&first)).await, 404, "Request_ResourceNotFound");
    let refusal = create().await;
    assert_error(&refusal, 400, BAD_REQUEST);
    assert_eq!(refusal.body["error"]["details"][0]["target"], "uniqueName");

    let filter = "directory/deletedItems/microsoft.graph.application?$filter=uniqueName eq 'api'";
    let listed = get(&graph, filter).await.body;
    assert_eq!(listed["value"][0]["id"], first["id"], "{listed}");
    let deleted = format!("directory/deletedItems/{}", first["id"].as_str().unwrap());
    ok(&graph, Method::POST, &format!("{deleted}/restore"), &Value::Null, 200).await;
    ok(&graph, Method::DELETE, &path(&first), &Value::Null, 204).await;
    ok(&graph, Method::DELETE, &deleted, &Value::Null, 204).await;
    let second = create().await;
    assert_eq!(second.status.as_u16(), 201, "{second:?}");
    assert_ne!(second.body["appId"], first["appId"]);
}

#[tokio::test]
async fn a_secret_is_in_one_response_only() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let api = new_api(&graph).await;
    let add = format!("{}/addPassword", path(&api));
    for wrong in [
        json!({ "displayName": "secret" }),
        json!({ "passwordCredential": { "secretText": "chosen" } }),
        json!({ "passwordCredential": { "name": "secret" } }),
    ] {
        refused(&graph, Method::POST, &add, &wrong, 400, BAD_REQUEST).await;
    }
    let right = json!({ "passwordCredential": { "displayName": "secret" } });
    let created = ok(&graph, Method::POST, &add, &right, 200).await;
    let secret = created["secretText"].as_str().unwrap();
    let shown = get(&graph, &path(&api)).await.body;
    assert_eq!(shown["passwordCredentials"][0]["displayName"], "secret");
    assert!(!shown.to_string().contains(secret), "{shown}");

    let remove = format!("{}/removePassword", path(&api));
    let unknown = json!({ "keyId": SCOPE });
    refused(&graph, Method::POST, &remove, &unknown, 400, BAD_REQUEST).await;
    let known = json!({ "keyId": created["keyId"] });
    ok(&graph, Method::POST, &remove, &known, 204).await;
    assert_eq!(get(&graph, &path(&api)).await.body["passwordCredentials"], json!([]));
}
