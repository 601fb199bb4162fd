//! Requests for user information in the audit trail.

use entra_dev::ids::{CONTOSO, SWAGGER_UI_CLIENT_ID};
use serde_json::{Value, json};

use crate::support::{Answer, Form, TestTenant, section};

async fn ask(tenant: &TestTenant, token: &str) -> u16 {
    let request = tenant.browser.get(tenant.url("/oidc/userinfo")).bearer_auth(token);
    Answer::of(request).await.status.as_u16()
}

/// The last request in the audit trail of the tenant with these controls.
async fn last(tenant: &TestTenant, controls: &str) -> Value {
    tenant.get_json(&format!("{controls}/audit")).await["entries"][0].clone()
}

#[tokio::test]
async fn the_audit_trail_says_who_asked_for_whose_user_information() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization().with("scope", "openid");
    let answer = tenant.sign_in(CONTOSO, &form, "uma").await;
    let token = answer["access_token"].as_str().unwrap();
    let id = "5f0cb1a2-6d3b-4c1e-8a52-1b1f0a4a7c11";
    let request = tenant.browser.post(tenant.url("/oidc/userinfo?client_secret=hidden-value"));
    let request = request.bearer_auth(token).header("client-request-id", id);
    assert_eq!(Answer::of(request).await.status, 200);
    let entry = last(&tenant, "/_dev").await;
    for (name, value) in [
        ("endpoint", json!("userinfo")),
        ("client_id", json!(SWAGGER_UI_CLIENT_ID)),
        ("correlation_id", json!(id)),
        ("outcome", json!("granted")),
        ("person", json!("uma@contoso.example")),
        ("tenant", json!(CONTOSO)),
    ] {
        assert_eq!(entry[name], value, "{name}");
    }
    assert_eq!(entry["request"]["method"], "POST");
    assert_eq!(entry["request"]["path"], "/oidc/userinfo");
    let text = entry.to_string();
    let signature = token.rsplit('.').next().unwrap();
    for secret in ["hidden-value", "eyJ", signature] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let page = tenant.dev_page().await;
    let trail = section(&page, "Audit trail");
    assert!(trail.contains("userinfo <span class=\"quiet\">"), "{trail}");
    assert!(!trail.contains(signature) && !trail.contains("hidden-value"), "{trail}");
}

#[tokio::test]
async fn refused_requests_for_user_information_are_recorded_with_the_reason() {
    let tenant = TestTenant::start().await;
    let graph =
        |claims: Value| json!({ "person": "uma", "resource": "Microsoft Graph", "claims": claims });
    let openid = json!({ "scp": "openid" });
    for (description, reason, person) in [
        (json!({ "person": "uma" }), "the token is for ", Some("uma@contoso.example")),
        (graph(json!({ "scp": null })), "the token has no scp", Some("uma@contoso.example")),
        (graph(json!({ "scp": "openid", "cnf": {} })), "bound", Some("uma@contoso.example")),
        (graph(json!({ "scp": "openid", "iss": "x" })), "issuer 'x'", Some("uma@contoso.example")),
        (graph(json!({ "scp": "openid", "oid": "x" })), "not in the directory", None),
    ] {
        let token = tenant.forged(description).await;
        assert_eq!(ask(&tenant, &token).await, 401, "{reason}");
        let entry = last(&tenant, "/_dev").await;
        assert_eq!(entry["endpoint"], "userinfo");
        assert_eq!(entry["person"].as_str(), person, "{entry}");
        assert_eq!(entry["outcome"]["refused"]["aadsts"], 0);
        let said = entry["outcome"]["refused"]["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{said}");
    }
    let good = tenant.forged(graph(openid)).await;
    assert_eq!(ask(&tenant, &good).await, 200);
    assert_eq!(ask(&tenant, &good[1..]).await, 401);
    assert_eq!(tenant.get("/oidc/userinfo").await.status, 401);
    let entry = last(&tenant, "/_dev").await;
    assert_eq!(entry["tenant"], "common");
    let reason = &entry["outcome"]["refused"]["reason"];
    assert_eq!(reason, "the request has no bearer token, or several");
}

#[tokio::test]
async fn user_information_of_an_isolated_tenant_is_in_its_own_audit_trail() {
    let tenant = TestTenant::start().await;
    let one = tenant.post_json("/_dev/tenants", &json!({})).await.json();
    let controls = format!("/_dev/tenants/{}", one["id"].as_str().unwrap());
    let scopes = json!({ "scp": "openid" });
    let body = json!({ "person": "uma", "resource": "Microsoft Graph", "claims": scopes });
    let token = tenant.post_json(&format!("{controls}/tokens"), &body).await;
    assert_eq!(ask(&tenant, &token.token("access_token")).await, 200);
    let entry = last(&tenant, &controls).await;
    assert_eq!((&entry["endpoint"], &entry["tenant"]), (&json!("userinfo"), &one["id"]));
    assert_eq!(last(&tenant, "/_dev").await, Value::Null);
}
