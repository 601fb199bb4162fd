//! Tokens, rights, paths and query options.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    client,
    graph::{Account, GraphToken, StrictGraph},
    test_name,
};

use super::{answer, assert_error, get, new_api, ok, path, refused, request, send};

#[tokio::test]
async fn a_request_needs_a_current_token_for_graph() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let url = format!("{}/v1.0/organization", graph.url());
    let by_id =
        GraphToken { audience: "00000003-0000-0000-c000-000000000000", ..GraphToken::default() };
    let accepted = answer(client().get(&url).bearer_auth(by_id.encode())).await;
    assert_eq!(accepted.status.as_u16(), 200, "{accepted:?}");

    let other = GraphToken { audience: "https://management.azure.com", ..GraphToken::default() };
    let expired = GraphToken { lifetime: -1, ..GraphToken::default() };
    let wrong = [other.encode(), expired.encode(), "abc".to_owned(), "a.b.c".to_owned()];
    for token in wrong {
        let refusal = answer(client().get(&url).bearer_auth(&token)).await;
        assert_error(&refusal, 401, "InvalidAuthenticationToken");
    }
    assert_error(&answer(client().get(&url)).await, 401, "InvalidAuthenticationToken");
}

#[tokio::test]
async fn an_account_without_the_role_or_a_token_without_the_scope_is_refused() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let api = new_api(&graph).await;
    let body = json!({ "displayName": "Another" });
    graph.sign_in_as(Account::Member);
    let denied = "Authorization_RequestDenied";
    refused(&graph, Method::POST, "applications", &body, 403, denied).await;
    assert_eq!(get(&graph, &path(&api)).await.status.as_u16(), 200);
    graph.sign_in_as(Account::Developer);
    ok(&graph, Method::POST, "applications", &body, 201).await;
    refused(&graph, Method::POST, "oauth2PermissionGrants", &body, 403, denied).await;
    let assign = "servicePrincipals/1/appRoleAssignedTo";
    refused(&graph, Method::POST, assign, &body, 403, denied).await;
    ok(&graph, Method::PATCH, &path(&api), &body, 204).await;
    let other = graph.add_application(&json!({ "displayName": "Other", "uniqueName": "other" }));
    refused(&graph, Method::PATCH, &path(&other), &body, 403, denied).await;
    refused(&graph, Method::DELETE, &path(&other), &Value::Null, 403, denied).await;
    let upsert = request(&graph, Method::PATCH, "applications(uniqueName='other')");
    let upsert = upsert.header("prefer", "create-if-missing").json(&body);
    assert_error(&answer(upsert).await, 403, denied);

    graph.sign_in_as(Account::Administrator);
    let scopes = "User.Read";
    let token = GraphToken { scopes, ..GraphToken::default() }.encode();
    let url = format!("{}/v1.0/applications", graph.url());
    assert_error(&answer(client().get(url).bearer_auth(token)).await, 403, denied);
}

#[tokio::test]
async fn a_body_must_be_json() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let body = r#"{"displayName":"API"}"#;
    for (content_type, body) in [("text/plain", body), ("application/json", "{")] {
        let post = request(&graph, Method::POST, "applications");
        let refusal = answer(post.header("content-type", content_type).body(body)).await;
        assert_error(&refusal, 400, "BadRequest");
    }
    let empty = answer(request(&graph, Method::POST, "applications")).await;
    assert_error(&empty, 400, "Request_BadRequest");
    let list = send(&graph, Method::POST, "applications", &json!([])).await;
    assert_error(&list, 400, "Request_BadRequest");
}

#[tokio::test]
async fn an_unknown_path_method_or_query_option_is_refused() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    for path in ["groups", "users/1/manager", "applications(appId=1)", "users//", "me"] {
        assert_error(&get(&graph, path).await, 400, "BadRequest");
    }
    assert_error(&get(&graph, "applications(displayName='a')").await, 400, "Request_BadRequest");
    let put = send(&graph, Method::PUT, "applications/1", &json!({})).await;
    assert_error(&put, 405, "Request_BadRequest");
    new_api(&graph).await;
    for query in ["$expand=owners", "$select=nothing", "$skiptoken=1"] {
        let refusal = get(&graph, &format!("applications?{query}")).await;
        assert_error(&refusal, 400, "Request_BadRequest");
    }
    let refusal = get(&graph, "applications?$filter=startswith(displayName,'a')").await;
    assert_error(&refusal, 400, "Request_UnsupportedQuery");
}

#[tokio::test]
async fn a_list_comes_in_pages_that_keep_the_filter() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    for name in ["a", "b", "a", "a"] {
        graph.add_application(&json!({ "displayName": name }));
    }
    let filter = "applications?$filter=displayName eq 'a'&$select=displayName";
    let first = get(&graph, filter).await.body;
    assert_eq!(first["value"], json!([{ "displayName": "a" }, { "displayName": "a" }]));
    assert!(first["@odata.context"].as_str().unwrap().ends_with("$metadata#applications"));
    let next = first["@odata.nextLink"].as_str().unwrap();
    let second = answer(client().get(next).bearer_auth(graph.token())).await.body;
    assert_eq!(second["value"], json!([{ "displayName": "a" }]));
    assert_eq!(second.get("@odata.nextLink"), None);
}

#[tokio::test]
async fn a_user_is_found_by_id_and_by_name() {
    let Some(graph) = StrictGraph::start(test_name!()).await else { return };
    let ada = get(&graph, "users/ada%40contoso.example").await;
    assert_eq!(ada.body["displayName"], "Ada Adler", "{ada:?}");
    let by_id = get(&graph, &format!("users/{}", ada.body["id"].as_str().unwrap())).await;
    assert_eq!(by_id.body, ada.body);
    let nobody = get(&graph, "users/nobody@contoso.example?$select=id").await;
    assert_error(&nobody, 404, "Request_ResourceNotFound");
    let organization = get(&graph, "organization?$select=id,verifiedDomains").await.body;
    assert_eq!(organization["value"][0].as_object().map(|it| it.len()), Some(2));
    let none = Value::Null;
    assert_eq!(organization["value"][0].get("displayName").unwrap_or(&none), &none);
}
