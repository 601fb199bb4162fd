//! Which access tokens Microsoft Graph refuses.

use entra_dev::{
    Options,
    ids::{CONTOSO, FABRIKAM},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, GRAPH_PATH, TestTenant, shared_keys};

const REFUSED: &str = "InvalidAuthenticationToken";

/// A token for Graph with these changes.
async fn token(tenant: &TestTenant, changes: Value) -> String {
    let mut body = json!({ "person": "uma", "resource": "Microsoft Graph" });
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    tenant.forged(body).await
}

#[tokio::test]
async fn graph_refuses_tokens_that_are_not_valid() {
    let tenant = TestTenant::start().await;
    let issuer = tenant.url(&format!("/{CONTOSO}/"));
    let other = tenant.url(&format!("/{FABRIKAM}/"));
    for (changes, said) in [
        (json!({ "expires_in": -1 }), "the token is expired"),
        (json!({ "valid_in": 60 }), "not yet valid"),
        (json!({ "signed_with": "stranger" }), "Signature is invalid"),
        (json!({ "signed_with": "nothing" }), "Signature is invalid"),
        (json!({ "signed_with": "hmac" }), "Signature is invalid"),
        (json!({ "signed_with": "personal" }), "Signature is invalid"),
        (json!({ "header": { "kid": "x" } }), "Signature is invalid"),
        (json!({ "encrypted": true }), "not a JWT"),
        (json!({ "claims": { "iss": "https://evil.example/" } }), "Invalid issuer"),
        (json!({ "claims": { "iss": other } }), "Invalid issuer"),
        (json!({ "claims": { "iss": null } }), "Invalid issuer"),
        (json!({ "claims": { "iss": format!("{issuer}v2.0") } }), "Invalid issuer"),
        (json!({ "claims": { "cnf": { "kid": "x" } } }), "bound to a key"),
        (json!({ "resource": "Todo API" }), "Invalid audience"),
        (json!({ "kind": "id" }), "Invalid audience"),
        (json!({ "claims": { "aud": "https://graph.microsoft.com.evil.example" } }), "evil"),
        (json!({ "claims": { "aud": null } }), "Invalid audience"),
    ] {
        let token = token(&tenant, changes.clone()).await;
        let answer = tenant.graph(&token, "/me").await;
        answer.assert_graph_error(401, REFUSED, said);
        let challenge = answer.header("www-authenticate").unwrap();
        let authorize = tenant.url("/common/oauth2/v2.0/authorize");
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        assert!(challenge.contains(&format!("authorization_uri=\"{authorize}\"")), "{challenge}");
    }
    let good = token(&tenant, json!({})).await;
    assert_eq!(tenant.graph(&good, "/me").await.status, StatusCode::OK);
    let changed = format!("{}AAAA", &good[..good.len() - 4]);
    tenant.graph(&changed, "/me").await.assert_graph_error(401, REFUSED, "Signature");
    tenant.graph("x", "/me").await.assert_graph_error(401, REFUSED, "not a JWT");
    // The token is checked first, so that nobody learns what there is.
    tenant.graph("x", "/nothing").await.assert_graph_error(401, REFUSED, "not a JWT");
}

#[tokio::test]
async fn graph_needs_a_bearer_token() {
    let tenant = TestTenant::start().await;
    let good = token(&tenant, json!({})).await;
    for header in [None, Some("Bearer"), Some("Bearer "), Some("Basic eDp5"), Some(good.as_str())] {
        let mut request = tenant.browser.get(tenant.url(&format!("{GRAPH_PATH}/me")));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let answer = Answer::of(request).await;
        answer.assert_graph_error(401, REFUSED, "Access token is empty.");
    }
}

#[tokio::test]
async fn graph_expects_the_issuer_that_access_tokens_have() {
    let tenant = TestTenant::issued_by_https().await;
    let good = token(&tenant, json!({})).await;
    assert_eq!(TestTenant::claims(&good)["iss"], tenant.https_url(&format!("/{CONTOSO}/")));
    assert_eq!(tenant.graph(&good, "/me").await.status, StatusCode::OK);
    let other = TestTenant::start_with(shared_keys(), Options::ephemeral()).await;
    other.graph(&good, "/me").await.assert_graph_error(401, REFUSED, "Invalid issuer");
}

#[tokio::test]
async fn a_removed_person_is_not_found() {
    let tenant = TestTenant::start().await;
    let token = tenant.graph_token("uma", "User.Read").await;
    tenant.delete("/_dev/directory/people/uma").await.assert_done();
    tenant.graph(&token, "/me").await.assert_graph_error(404, "Request_ResourceNotFound", "0a0");
}
