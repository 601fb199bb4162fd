//! The rules of applications.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{graph::StrictGraph, test_name};

use super::{SCOPE, get, new_api, ok, path, refused, role, scope};

const BAD_REQUEST: &str = "Request_BadRequest";
const INVALID: &str = "InvalidValue";

#[tokio::test]
async fn the_body_of_an_application_has_the_members_and_types_of_microsofts_types() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let api = new_api(&graph).await;
    for wrong in [
        json!({ "display_name": "API" }),
        json!({ "displayName": 1 }),
        json!({ "api": { "requestedAccessTokenVersion": "2" } }),
        json!({ "api": { "accessTokenAcceptedVersion": 2 } }),
        json!({ "api": { "preAuthorizedApplications": [{ "permissionIds": [] }] } }),
        json!({ "appRoles": [{ "isEnabled": "true" }] }),
        json!({ "appRoles": null }),
        json!({ "spa": { "redirectUris": "http://localhost" } }),
        json!({ "optionalClaims": { "accessToken": ["acct"] } }),
        // Read-only members.
        json!({ "id": "00000000-0000-4000-8000-000000000001" }),
        json!({ "appId": "00000000-0000-4000-8000-000000000001" }),
        json!({ "uniqueName": "api" }),
        json!({ "publisherDomain": "contoso.example" }),
        json!({ "passwordCredentials": [] }),
        json!({ "appRoles": [{ "origin": "Application" }] }),
    ] {
        let error = refused(&graph, Method::PATCH, &path(&api), &wrong, 400, BAD_REQUEST).await;
        assert!(error["message"].as_str().unwrap().starts_with("Invalid body"), "{error}");
    }
    assert_eq!(get(&graph, &path(&api)).await.body["displayName"], "API");
}

#[tokio::test]
async fn a_response_has_all_default_members() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let body = json!({ "displayName": "API" });
    let created = ok(&graph, Method::POST, "applications", &body, 201).await;
    assert_eq!(created["signInAudience"], "AzureADMyOrg");
    assert_eq!(created["api"]["requestedAccessTokenVersion"], Value::Null);
    for empty in ["/api/oauth2PermissionScopes", "/spa/redirectUris", "/identifierUris", "/tags"] {
        assert_eq!(created.pointer(empty), Some(&json!([])), "{empty}");
    }
    let context = created["@odata.context"].as_str().unwrap();
    assert!(context.ends_with("/v1.0/$metadata#applications/$entity"), "{context}");
    let client = created["appId"].as_str().unwrap();
    assert_eq!(get(&graph, &format!("applications(appId='{client}')")).await.body, created);
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_contain() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let api = new_api(&graph).await;
    let client = &api["appId"];
    let change = json!({ "api": { "knownClientApplications": [client] } });
    let body = ok(&graph, Method::PATCH, &path(&api), &change, 204).await;
    assert_eq!(body, Value::Null);
    let changed = get(&graph, &path(&api)).await.body;
    assert_eq!(changed["api"]["knownClientApplications"], json!([client]));
    assert_eq!(changed["api"]["oauth2PermissionScopes"], api["api"]["oauth2PermissionScopes"]);
    assert_eq!(changed["appRoles"], api["appRoles"]);
    assert_eq!(changed["appRoles"][0]["origin"], "Application");
}

#[tokio::test]
async fn wrong_roles_and_scopes_are_refused() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let api = new_api(&graph).await;
    let with = |mut it: Value, name: &str, value: Value| {
        it[name] = value;
        it
    };
    let roles = [
        vec![role(), with(role(), "value", json!("Auditor"))],
        vec![role(), with(role(), "id", json!(SCOPE))],
        vec![with(role(), "id", json!("1"))],
        vec![with(role(), "value", json!("All todos"))],
        vec![with(role(), "value", json!(".Admin"))],
        vec![with(role(), "displayName", json!(null))],
        vec![with(role(), "allowedMemberTypes", json!([]))],
        vec![with(role(), "allowedMemberTypes", json!(["Group"]))],
    ];
    for roles in roles {
        let wrong = json!({ "appRoles": roles });
        refused(&graph, Method::PATCH, &path(&api), &wrong, 400, INVALID).await;
    }
    let scopes = [
        vec![scope(), with(scope(), "value", json!("other"))],
        vec![with(scope(), "adminConsentDescription", json!(""))],
        vec![with(scope(), "type", json!("Everybody"))],
        vec![with(scope(), "value", json!(null))],
    ];
    for scopes in scopes {
        let wrong = json!({ "api": { "oauth2PermissionScopes": scopes } });
        refused(&graph, Method::PATCH, &path(&api), &wrong, 400, INVALID).await;
    }
}

#[tokio::test]
async fn an_enabled_role_or_scope_must_be_disabled_before_it_is_removed() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let api = new_api(&graph).await;
    let code = "CannotDeleteOrUpdateEnabledEntitlement";
    let change = |value: Value| value;
    let mut disabled = (role(), scope());
    disabled.0["isEnabled"] = false.into();
    disabled.1["isEnabled"] = false.into();
    let steps = [
        (json!({ "appRoles": [] }), json!({ "appRoles": [disabled.0] })),
        (
            json!({ "api": { "oauth2PermissionScopes": [] } }),
            json!({ "api": { "oauth2PermissionScopes": [disabled.1] } }),
        ),
    ];
    for (remove, disable) in steps {
        refused(&graph, Method::PATCH, &path(&api), &remove, 400, code).await;
        ok(&graph, Method::PATCH, &path(&api), &change(disable), 204).await;
        ok(&graph, Method::PATCH, &path(&api), &remove, 204).await;
    }
    // A role can be renamed while it is enabled.
    let renamed = json!({ "appRoles": [role()] });
    ok(&graph, Method::PATCH, &path(&api), &renamed, 204).await;
    let mut role = role();
    role["value"] = "Owner".into();
    ok(&graph, Method::PATCH, &path(&api), &json!({ "appRoles": [role] }), 204).await;
}

#[tokio::test]
async fn a_scope_must_exist_before_the_request_that_pre_authorizes_it() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let azure_cli = "04b07795-8ddb-461a-bbee-02f9e1bf7b46";
    let clients =
        |client: &str, scope: &str| json!([{ "appId": client, "delegatedPermissionIds": [scope] }]);
    let both = json!({
        "displayName": "API",
        "api": {
            "oauth2PermissionScopes": [scope()],
            "preAuthorizedApplications": clients(azure_cli, SCOPE),
        },
    });
    refused(&graph, Method::POST, "applications", &both, 400, INVALID).await;
    let api = new_api(&graph).await;
    for (client, scope) in [
        (azure_cli, "5c000000-0000-4000-8000-000000000002"),
        ("99999999-0000-4000-8000-000000000001", SCOPE),
    ] {
        let wrong = json!({ "api": { "preAuthorizedApplications": clients(client, scope) } });
        refused(&graph, Method::PATCH, &path(&api), &wrong, 400, INVALID).await;
    }
    let client = api["appId"].as_str().unwrap();
    for client in [azure_cli, client] {
        let right = json!({ "api": { "preAuthorizedApplications": clients(client, SCOPE) } });
        ok(&graph, Method::PATCH, &path(&api), &right, 204).await;
    }
}

#[tokio::test]
async fn a_deleted_client_can_be_neither_pre_authorized_nor_known() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let (api, client) = (new_api(&graph).await, new_api(&graph).await);
    let id = &client["appId"];
    let lists = [
        json!({ "preAuthorizedApplications": [{ "appId": id, "delegatedPermissionIds": [SCOPE] }] }),
        json!({ "knownClientApplications": [id] }),
    ];
    for list in &lists {
        ok(&graph, Method::PATCH, &path(&api), &json!({ "api": list }), 204).await;
    }
    ok(&graph, Method::DELETE, &path(&client), &Value::Null, 204).await;
    for list in &lists {
        refused(&graph, Method::PATCH, &path(&api), &json!({ "api": list }), 400, INVALID).await;
    }
    let neither =
        json!({ "api": { "preAuthorizedApplications": [], "knownClientApplications": [] } });
    ok(&graph, Method::PATCH, &path(&api), &neither, 204).await;
}

#[tokio::test]
async fn an_app_id_uri_is_unique_and_names_the_app_or_a_verified_domain() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let api = new_api(&graph).await;
    let client = api["appId"].as_str().unwrap();
    let uris = |uri: &str| json!({ "identifierUris": [uri] });
    for uri in [
        "api://unknown.example/todo",
        "https://notcontoso.example",
        "https://contoso.example.org",
        &format!("https://other.example/{client}"),
        "api://99999999-0000-4000-8000-000000000001",
    ] {
        let code = "HostNameNotOnVerifiedDomain";
        refused(&graph, Method::PATCH, &path(&api), &uris(uri), 400, code).await;
    }
    for uri in ["todo", "urn:todo", "https://contoso.example/"] {
        refused(&graph, Method::PATCH, &path(&api), &uris(uri), 400, INVALID).await;
    }
    for uri in [
        &format!("api://{client}"),
        &format!("api://localhost:3000/{client}"),
        "https://contoso.example",
        "api://todo.contoso.example/v1",
        "api://11111111-1111-4111-8111-111111111111/todo",
    ] {
        ok(&graph, Method::PATCH, &path(&api), &uris(uri), 204).await;
    }
    let other = new_api(&graph).await;
    let taken = uris("api://11111111-1111-4111-8111-111111111111/todo");
    let error = refused(&graph, Method::PATCH, &path(&other), &taken, 400, BAD_REQUEST).await;
    assert_eq!(error["details"][0]["code"], "ObjectConflict");
}

#[tokio::test]
async fn personal_accounts_require_v2_tokens() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let personal = "AzureADandPersonalMicrosoftAccount";
    let app = |audience: &str, version: Value| {
        json!({
            "displayName": "API",
            "signInAudience": audience,
            "api": { "requestedAccessTokenVersion": version },
        })
    };
    for wrong in [app(personal, json!(null)), app("Everybody", json!(2)), app(personal, json!(3))] {
        refused(&graph, Method::POST, "applications", &wrong, 400, INVALID).await;
    }
    ok(&graph, Method::POST, "applications", &app(personal, json!(2)), 201).await;
}

#[tokio::test]
async fn redirect_uris_permissions_and_claims_are_checked() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let api = new_api(&graph).await;
    let permission = json!([{ "id": SCOPE, "type": "Scope" }]);
    for wrong in [
        json!({ "spa": { "redirectUris": ["http://contoso.example/docs"] } }),
        json!({ "spa": { "redirectUris": ["https://contoso.example/#docs"] } }),
        json!({ "spa": { "redirectUris": ["https://*.contoso.example"] } }),
        json!({
            "spa": { "redirectUris": ["http://localhost"] },
            "web": { "redirectUris": ["http://localhost"] },
        }),
        json!({ "requiredResourceAccess": [{
            "resourceAppId": "1",
            "resourceAccess": permission,
        }] }),
        json!({ "requiredResourceAccess": [{
            "resourceAppId": SCOPE,
            "resourceAccess": [{ "id": SCOPE, "type": "Delegated" }],
        }] }),
        json!({ "optionalClaims": { "accessToken": [{ "name": "acct" }, { "name": "acct" }] } }),
        json!({ "optionalClaims": { "accessToken": [{ "essential": true }] } }),
    ] {
        refused(&graph, Method::PATCH, &path(&api), &wrong, 400, INVALID).await;
    }
    let right = json!({
        "spa": { "redirectUris": ["http://localhost:8000/docs", "https://contoso.example"] },
        "requiredResourceAccess": [{ "resourceAppId": SCOPE, "resourceAccess": permission }],
        "optionalClaims": { "accessToken": [{ "name": "acct" }] },
    });
    ok(&graph, Method::PATCH, &path(&api), &right, 204).await;
    let claims = get(&graph, &path(&api)).await.body["optionalClaims"].clone();
    let claim =
        json!({ "name": "acct", "source": null, "essential": false, "additionalProperties": [] });
    assert_eq!(claims, json!({ "accessToken": [claim], "idToken": [], "saml2Token": [] }));
}
