//! The API with a development tenant in the same process.

mod support;

use entra_dev::{
    DevTenant, Edit, Endpoint, FaultPlan, Forgery, SignedWith,
    ids::{API_CLIENT_ID, CONTOSO},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::Api;

/// Each test has a tenant and an API of its own, so no test affects another.
async fn start() -> (DevTenant, Api) {
    let tenant = DevTenant::start().await.unwrap();
    let api = start_api(&tenant);
    (tenant, api)
}

fn start_api(tenant: &DevTenant) -> Api {
    Api::start(tenant.base_url(), CONTOSO, API_CLIENT_ID)
}

#[tokio::test]
async fn a_signed_in_user_is_admitted() {
    let (tenant, api) = start().await;
    let token = tenant.access_token("uma").unwrap();
    let response = api.request(Method::GET, "/me").bearer_auth(token).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let people = tenant.people();
    let uma = people.iter().find(|person| person.name == "uma").unwrap();
    assert_eq!(response.text().await.unwrap(), uma.oid);
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let (_tenant, api) = start().await;
    let response = api.request(Method::GET, "/me").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let (tenant, api) = start().await;
    let uma = Forgery::of("uma");
    for (kind, forgery) in [
        ("wrong audience", uma.clone().claim("aud", "another API")),
        ("wrong issuer", uma.clone().claim("iss", "https://sts.example")),
        ("another tenant", Forgery::of("tia")),
        ("expired", uma.clone().expires_in(-3600)),
        ("never expires", uma.clone().claim("exp", Value::Null)),
        ("wrong signature", uma.clone().signed_with(SignedWith::Stranger)),
        ("not signed", uma.clone().signed_with(SignedWith::Nothing)),
        ("signed with the public key", uma.clone().signed_with(SignedWith::Hmac)),
        ("unknown key", uma.header("kid", "unknown")),
    ] {
        let token = tenant.forge(&forgery).unwrap();
        let status = api.status(Method::GET, "/me", &token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{kind}");
    }
}

#[tokio::test]
async fn a_token_without_the_scope_is_not_enough() {
    let (tenant, api) = start().await;
    let token = tenant.forge(&Forgery::of("uma").claim("scp", "read")).unwrap();
    assert_eq!(api.status(Method::GET, "/me", &token).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn only_administrators_delete_announcements() {
    let (tenant, api) = start().await;
    let delete_as = async |person| {
        let token = tenant.access_token(person).unwrap();
        api.status(Method::DELETE, "/announcements", &token).await
    };
    assert_eq!(delete_as("ada").await, StatusCode::OK);
    assert_eq!(delete_as("noel").await, StatusCode::FORBIDDEN);
    // The next token of Noel has the role.
    let role = Edit::add(["people", "noel", "roles", "Todo API"], json!("Admin"));
    tenant.edit_directory(role).await.unwrap();
    assert_eq!(delete_as("noel").await, StatusCode::OK);
}

#[tokio::test]
async fn a_token_expires() {
    let (tenant, api) = start().await;
    let status = async || {
        let token = tenant.access_token("uma").unwrap();
        api.status(Method::GET, "/me", &token).await
    };
    tenant.set_clock_offset(-2 * 60 * 60);
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
    tenant.set_clock_offset(0);
    assert_eq!(status().await, StatusCode::OK);
}

#[tokio::test]
async fn tokens_are_accepted_before_and_after_a_key_rotation() {
    let (tenant, api) = start().await;
    let before = tenant.access_token("uma").unwrap();
    assert_eq!(api.status(Method::GET, "/me", &before).await, StatusCode::OK);
    tenant.rotate_keys(true).await.unwrap();
    // Like Entra, the tenant publishes the next key before it signs with it.
    let after = tenant.access_token("uma").unwrap();
    for token in [before, after] {
        assert_eq!(api.status(Method::GET, "/me", &token).await, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_api_survives_an_outage_of_entra_once_it_has_the_keys() {
    let (tenant, api) = start().await;
    let token = tenant.access_token("uma").unwrap();
    assert_eq!(api.status(Method::GET, "/me", &token).await, StatusCode::OK);
    let mut outage = FaultPlan::default();
    outage.status = Some(503);
    tenant.plan_fault(Endpoint::Metadata, Some(outage.clone()));
    tenant.plan_fault(Endpoint::Keys, Some(outage));
    assert_eq!(api.status(Method::GET, "/me", &token).await, StatusCode::OK);
    // Without keys, it cannot tell who calls.
    let restarted = start_api(&tenant);
    let status = restarted.status(Method::GET, "/me", &token).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}
