//! The rules of service principals, grants and assignments.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{graph::StrictGraph, test_name};

use super::{get, new_api, ok, refused, role};

const BAD_REQUEST: &str = "Request_BadRequest";
const DUPLICATE: &str = "Request_MultipleObjectsWithSameKeyValue";
const NOT_FOUND: &str = "Request_ResourceNotFound";
const ADA: &str = "ada00000-0000-4000-8000-000000000001";

/// A new API with a service principal.
async fn new_principal(graph: &StrictGraph) -> Value {
    let api = new_api(graph).await;
    let body = json!({ "appId": api["appId"] });
    ok(graph, Method::POST, "servicePrincipals", &body, 201).await
}

#[tokio::test]
async fn an_application_has_one_service_principal() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let principal = new_principal(&graph).await;
    assert_eq!(principal["appRoles"][0]["value"], "Admin");
    assert_eq!(principal["oauth2PermissionScopes"][0]["value"], "access_as_user");
    assert_eq!(principal["servicePrincipalNames"][0], principal["appId"]);
    let again = json!({ "appId": principal["appId"] });
    refused(&graph, Method::POST, "servicePrincipals", &again, 409, DUPLICATE).await;
    let unknown = json!({ "appId": ADA });
    let error =
        refused(&graph, Method::POST, "servicePrincipals", &unknown, 400, BAD_REQUEST).await;
    assert_eq!(error["details"][0]["code"], "NoBackingApplicationObject");
    for wrong in [json!({}), json!({ "appID": ADA }), json!({ "appId": ADA, "id": ADA })] {
        refused(&graph, Method::POST, "servicePrincipals", &wrong, 400, BAD_REQUEST).await;
    }
    let path = format!("servicePrincipals(appId='{}')", principal["appId"].as_str().unwrap());
    let tags = json!({ "tags": ["WindowsAzureActiveDirectoryIntegratedApp"] });
    ok(&graph, Method::PATCH, &path, &tags, 204).await;
    assert_eq!(get(&graph, &path).await.body["tags"], tags["tags"]);
    ok(&graph, Method::DELETE, &path, &Value::Null, 204).await;
    assert_eq!(get(&graph, &path).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_permission_is_granted_once() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let (api, client) = (new_principal(&graph).await, new_principal(&graph).await);
    let grant = |change: Value| {
        let mut grant = json!({
            "clientId": client["id"],
            "consentType": "AllPrincipals",
            "resourceId": api["id"],
            "scope": "access_as_user",
        });
        for (name, value) in change.as_object().unwrap() {
            grant[name] = value.clone();
        }
        grant
    };
    for (change, status, code) in [
        (json!({ "consentType": "Everybody" }), 400, BAD_REQUEST),
        (json!({ "consentType": "Principal" }), 400, BAD_REQUEST),
        (json!({ "principalId": ADA }), 400, BAD_REQUEST),
        (json!({ "scope": "another_scope" }), 400, BAD_REQUEST),
        (json!({ "scope": "" }), 400, BAD_REQUEST),
        (json!({ "startTime": "2026-01-01T00:00:00Z" }), 400, BAD_REQUEST),
        (json!({ "clientId": client["appId"] }), 404, NOT_FOUND),
    ] {
        let path = "oauth2PermissionGrants";
        refused(&graph, Method::POST, path, &grant(change), status, code).await;
    }
    let path = "oauth2PermissionGrants";
    let created = ok(&graph, Method::POST, path, &grant(json!({})), 201).await;
    refused(&graph, Method::POST, path, &grant(json!({})), 409, DUPLICATE).await;
    let for_ada = json!({ "consentType": "Principal", "principalId": ADA });
    ok(&graph, Method::POST, path, &grant(for_ada), 201).await;

    let own = format!("{path}/{}", created["id"].as_str().unwrap());
    for wrong in [grant(json!({})), json!({ "scope": "another" }), json!({ "resourceId": ADA })] {
        refused(&graph, Method::PATCH, &own, &wrong, 400, BAD_REQUEST).await;
    }
    let same = json!({ "scope": "access_as_user" });
    ok(&graph, Method::PATCH, &own, &same, 204).await;
    let filter = format!("{path}?$filter=clientId eq '{}'", client["id"].as_str().unwrap());
    let listed = get(&graph, &filter).await.body;
    assert_eq!(listed["value"].as_array().unwrap().len(), 2, "{listed}");
    ok(&graph, Method::DELETE, &own, &Value::Null, 204).await;
    assert_eq!(get(&graph, &own).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_role_is_assigned_once_and_must_exist() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let (api, other) = (new_principal(&graph).await, new_principal(&graph).await);
    let path = format!("servicePrincipals/{}/appRoleAssignedTo", api["id"].as_str().unwrap());
    let assignment = |principal: &str, resource: &Value, role: &Value| {
        let resource = &resource["id"];
        json!({ "principalId": principal, "resourceId": resource, "appRoleId": role })
    };
    let id = &role()["id"];
    for (wrong, status, code) in [
        (assignment("00000000-0000-4000-8000-000000000001", &api, id), 404, NOT_FOUND),
        (assignment(ADA, &other, id), 400, BAD_REQUEST),
        (assignment(ADA, &api, &json!(ADA)), 400, BAD_REQUEST),
        (json!({ "principalId": ADA, "resourceId": api["id"] }), 400, BAD_REQUEST),
        (json!({ "principalType": "User" }), 400, BAD_REQUEST),
    ] {
        refused(&graph, Method::POST, &path, &wrong, status, code).await;
    }
    let right = assignment(ADA, &api, id);
    let created = ok(&graph, Method::POST, &path, &right, 201).await;
    assert_eq!(created["principalDisplayName"], "Ada Adler");
    let error = refused(&graph, Method::POST, &path, &right, 400, BAD_REQUEST).await;
    assert_eq!(error["message"], "Permission being assigned already exists on the object");
    assert_eq!(get(&graph, &path).await.body["value"][0]["id"], created["id"]);
    let own = format!("{path}/{}", created["id"].as_str().unwrap());
    ok(&graph, Method::DELETE, &own, &Value::Null, 204).await;
    assert_eq!(get(&graph, &path).await.body["value"], json!([]));
}

#[tokio::test]
async fn a_deleted_application_takes_its_service_principal_and_its_grants_along() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let (api, client) = (new_principal(&graph).await, new_principal(&graph).await);
    let grant = json!({
        "clientId": client["id"],
        "consentType": "AllPrincipals",
        "resourceId": api["id"],
        "scope": "access_as_user",
    });
    ok(&graph, Method::POST, "oauth2PermissionGrants", &grant, 201).await;
    let application = format!("applications(appId='{}')", api["appId"].as_str().unwrap());
    ok(&graph, Method::DELETE, &application, &Value::Null, 204).await;
    let principal = format!("servicePrincipals/{}", api["id"].as_str().unwrap());
    assert_eq!(get(&graph, &principal).await.status.as_u16(), 404);
    assert_eq!(get(&graph, "oauth2PermissionGrants").await.body["value"], json!([]));
}
