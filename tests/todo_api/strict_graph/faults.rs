//! Late replication, throttling and interrupted calls.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    graph::{Fault, Moment, StrictGraph},
    test_name,
};

use super::{SCOPE, answer, get, new_api, ok, path, refused, request, scope};

#[tokio::test]
async fn a_new_object_is_replicated_late() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    graph.delay_replication(2);
    let api = new_api(&graph).await;
    let principal = json!({ "appId": api["appId"] });
    let error =
        refused(&graph, Method::POST, "servicePrincipals", &principal, 400, "Request_BadRequest");
    assert_eq!(error.await["details"][0]["code"], "NoBackingApplicationObject");
    assert_eq!(get(&graph, &path(&api)).await.status.as_u16(), 404);
    assert_eq!(get(&graph, &path(&api)).await.status.as_u16(), 200);

    let created = ok(&graph, Method::POST, "servicePrincipals", &principal, 201).await;
    let own = format!("servicePrincipals/{}", created["id"].as_str().unwrap());
    assert_eq!(get(&graph, "servicePrincipals").await.body["value"], json!([]));
    let again = json!({ "appId": api["appId"] });
    let code = "Request_MultipleObjectsWithSameKeyValue";
    refused(&graph, Method::POST, "servicePrincipals", &again, 409, code).await;
    assert_eq!(get(&graph, &own).await.status.as_u16(), 404);
    assert_eq!(get(&graph, &own).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_change_is_replicated_late() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let body = json!({ "displayName": "API" });
    let api = ok(&graph, Method::POST, "applications", &body, 201).await;
    graph.delay_replication(2);
    let scopes = json!({ "api": { "oauth2PermissionScopes": [scope()] } });
    ok(&graph, Method::PATCH, &path(&api), &scopes, 204).await;
    let old = get(&graph, &path(&api)).await.body;
    assert_eq!(old["api"]["oauth2PermissionScopes"], json!([]));
    let client = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
    let clients = json!([{ "appId": client, "delegatedPermissionIds": [SCOPE] }]);
    let authorize = json!({ "api": { "preAuthorizedApplications": clients } });
    refused(&graph, Method::PATCH, &path(&api), &authorize, 400, "InvalidValue").await;
    ok(&graph, Method::PATCH, &path(&api), &authorize, 204).await;
}

#[tokio::test]
async fn a_throttled_call_changes_nothing() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    graph.fail_each(2, Fault::Throttle(429, Some("0")));
    let create =
        || request(&graph, Method::POST, "applications").json(&json!({ "displayName": "a" }));
    for _ in 0..2 {
        let throttled = answer(create()).await;
        assert_eq!((throttled.status.as_u16(), throttled.header("retry-after")), (429, "0"));
    }
    assert_eq!(answer(create()).await.status.as_u16(), 201);
    assert_eq!(get(&graph, "organization").await.status.as_u16(), 429);
    graph.forget();
    assert_eq!(get(&graph, "applications").await.body["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_call_fails_before_or_after_it_is_applied() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let create = async || {
        let request = request(&graph, Method::POST, "applications");
        request.json(&json!({ "displayName": "a" })).send().await
    };
    let applications = async || get(&graph, "applications").await.body["value"].clone();
    for (moment, left) in [(Moment::Before, 0), (Moment::After, 1)] {
        graph.forget();
        graph.fail_at(1, Fault::Drop(moment));
        assert!(create().await.is_err(), "the connection is closed");
        assert_eq!(applications().await.as_array().unwrap().len(), left);
        assert_eq!(graph.calls()[0].status, None);
    }
    for (moment, left) in [(Moment::Before, 1), (Moment::After, 2)] {
        graph.fail_on("POST", "/applications", [Fault::Status(moment, 500)]);
        assert_eq!(create().await.unwrap().status().as_u16(), 500);
        assert_eq!(applications().await.as_array().unwrap().len(), left);
    }
    let writes: Vec<_> = graph.writes().iter().map(|call| call.line()).collect();
    assert_eq!(writes, vec!["POST /v1.0/applications"; 3]);
    assert_eq!(graph.writes()[0].body, json!({ "displayName": "a" }));
}

#[tokio::test]
async fn a_held_call_waits_until_it_is_released() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    graph.fail_at(1, Fault::Hold(Moment::After));
    let held = tokio::spawn({
        let create = request(&graph, Method::POST, "applications");
        answer(create.json(&json!({ "displayName": "a" })))
    });
    graph.wait_until_held().await;
    assert_ne!(get(&graph, "applications").await.body["value"], json!([]));
    assert!(!held.is_finished());
    graph.release();
    assert_eq!(held.await.unwrap().status.as_u16(), 201);
    assert!(graph.refused().is_empty());
}

#[tokio::test]
async fn registrations_are_compared_without_random_ids_and_times() {
    let Some(first) = StrictGraph::start(test_name!()).await else { return };
    let Some(second) = StrictGraph::start(test_name!()).await else { return };
    for graph in [&first, &second] {
        for application in [new_api(graph).await, new_api(graph).await] {
            let principal = json!({ "appId": application["appId"] });
            ok(graph, Method::POST, "servicePrincipals", &principal, 201).await;
        }
    }
    assert_eq!(first.registrations(), second.registrations());
    let api = first.registrations()["applications"][0].clone();
    assert_eq!((&api["displayName"], api.get("createdDateTime")), (&"API".into(), None::<&Value>));
}
