//! Requests to Microsoft Graph in the audit trail.

use entra_dev::ids::{CONTOSO, FABRIKAM, MICROSOFT_GRAPH, SWAGGER_UI_CLIENT_ID};
use serde_json::{Value, json};

use crate::support::{Answer, GRAPH_PATH, GraphToken, TestTenant, section};

/// The last request in the audit trail, which must have this outcome.
async fn last(tenant: &TestTenant, outcome: &str) -> Value {
    let answer = tenant.get_json(&format!("/_dev/audit?outcome={outcome}")).await;
    let entry = answer["entries"][0].clone();
    assert_eq!(entry["endpoint"], "graph", "{entry}");
    entry
}

#[tokio::test]
async fn the_audit_trail_says_who_asked_graph_for_what() {
    let tenant = TestTenant::start().await;
    let token = tenant.graph_token("uma", "User.Read").await;
    let id = "5f0cb1a2-6d3b-4c1e-8a52-1b1f0a4a7c11";
    let url = tenant.url(&format!("{GRAPH_PATH}/me/memberOf?$top=5&unknown=secret-value"));
    let request = tenant.browser.get(url).bearer_auth(&token).header("client-request-id", id);
    assert_eq!(Answer::of(request).await.status, 200);
    let entry = last(&tenant, "granted").await;
    for (name, value) in [
        ("client_id", json!(SWAGGER_UI_CLIENT_ID)),
        ("correlation_id", json!(id)),
        ("detail", json!("/me/memberOf")),
        ("outcome", json!("granted")),
        ("person", json!("uma@contoso.example")),
        ("tenant", json!(CONTOSO)),
    ] {
        assert_eq!(entry[name], value, "{name}");
    }
    let request = &entry["request"];
    assert_eq!(request["method"], "GET");
    assert_eq!(request["path"], "/graph/v1.0/me/memberOf");
    assert_eq!(request["parameters"][0], json!({ "name": "$top", "value": "5" }));
    let text = entry.to_string();
    let signature = token.rsplit('.').next().unwrap();
    for secret in ["secret-value", "unknown", "eyJ", signature] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let page = tenant.dev_page().await;
    let trail = section(&page, "Audit trail");
    assert!(trail.contains("graph <span class=\"quiet\">/me/memberOf, "), "{trail}");
    assert!(!trail.contains(signature) && !trail.contains("secret-value"), "{trail}");
}

#[tokio::test]
async fn an_action_of_an_app_names_the_app_and_nobody_else() {
    let tenant = TestTenant::start().await;
    let token = GraphToken::App("User.Read.All".to_owned()).get(&tenant).await;
    let body = json!({ "securityEnabledOnly": true });
    let path = "/users/uma%40contoso.example/getMemberObjects";
    assert_eq!(tenant.graph_action(&token, path, &body).await.status, 200);
    let entry = last(&tenant, "granted").await;
    assert_eq!(entry["detail"], path);
    assert_eq!(entry["client_id"], SWAGGER_UI_CLIENT_ID);
    assert_eq!(entry["person"], Value::Null);
}

#[tokio::test]
async fn a_request_that_graph_refuses_is_recorded_with_the_reason() {
    let tenant = TestTenant::start().await;
    let token = tenant.graph_token("uma", "User.Read").await;
    let reason = |entry: &Value| {
        assert_eq!(entry["outcome"]["refused"]["aadsts"], 0);
        entry["outcome"]["refused"]["reason"].as_str().unwrap().to_owned()
    };
    // The permissions are not enough.
    assert_eq!(tenant.graph(&token, "/users/ada").await.status, 403);
    let denied = last(&tenant, "refused").await;
    assert!(reason(&denied).starts_with("Authorization_RequestDenied: "), "{denied}");
    assert_eq!(denied["person"], "uma@contoso.example");
    // The token is not for Graph. It names its person and its app nevertheless.
    let other = tenant.forged(json!({ "person": "tia", "claims": { "aud": "other" } })).await;
    assert_eq!(tenant.graph(&other, "/me").await.status, 401);
    let refused = last(&tenant, "refused").await;
    assert!(reason(&refused).contains("the token is for 'other'"), "{refused}");
    assert_eq!(refused["person"], "tia@fabrikam.example");
    assert_eq!(refused["client_id"], SWAGGER_UI_CLIENT_ID);
    assert_eq!(refused["tenant"], FABRIKAM);
    // No token was sent, or what was sent is not a token.
    for request in [
        tenant.browser.get(tenant.url(&format!("{GRAPH_PATH}/me"))),
        tenant.browser.delete(tenant.url(&format!("{GRAPH_PATH}/me"))).bearer_auth("my-secret"),
    ] {
        assert_eq!(Answer::of(request).await.status, 401);
        let refused = last(&tenant, "refused").await;
        assert!(reason(&refused).starts_with("InvalidAuthenticationToken: "), "{refused}");
        for name in ["client_id", "person"] {
            assert_eq!(refused[name], Value::Null, "{refused}");
        }
        assert_eq!(refused["tenant"], "common");
        assert!(!refused.to_string().contains("my-secret"), "{refused}");
    }
    let refusals = tenant.get_json("/_dev/audit?outcome=refused").await;
    assert_eq!(refusals["entries"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_token_in_the_path_is_hidden() {
    let tenant = TestTenant::start().await;
    let token = tenant.graph_token("uma", "User.Read").await;
    assert_eq!(tenant.graph(&token, &format!("/users/{token}")).await.status, 403);
    let entry = last(&tenant, "refused").await;
    assert!(!entry.to_string().contains("eyJ"), "{entry}");
}

#[tokio::test]
async fn requests_with_tokens_of_an_isolated_tenant_are_in_its_own_audit_trail() {
    let tenant = TestTenant::start().await;
    let isolated = tenant.post_json("/_dev/tenants", &json!({})).await.json();
    let controls = isolated["controls"].as_str().unwrap().to_owned();
    let controls = controls.trim_start_matches(tenant.tenant.base_url());
    let body = json!({ "resource": MICROSOFT_GRAPH });
    let token = tenant.post_json(&format!("{controls}/tokens"), &body).await.token("access_token");
    assert_eq!(tenant.graph(&token, "/me").await.status, 200);
    assert!(tenant.audit().await.is_empty());
    let entries = tenant.get_json(&format!("{controls}/audit")).await;
    assert_eq!(entries["entries"][0]["detail"], "/me", "{entries}");
}
