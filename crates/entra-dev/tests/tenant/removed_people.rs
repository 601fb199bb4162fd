//! What people have left behind when they are removed from the directory of a running tenant.

use entra_dev::ids::CONTOSO;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Answer, Browser, Form, NATIVE, PLANNER_ENTRIES, SINGLE_PAGE, TestTenant, WEB, accept,
    api_scope, on_behalf_of, planner_requests, reports_scope, text,
};

const UMA: &str = "/_dev/directory/people/uma";

async fn remove_uma(tenant: &TestTenant) -> Value {
    let uma = tenant.get_json(UMA).await;
    tenant.delete(UMA).await.assert_done();
    uma
}

async fn add(tenant: &TestTenant, person: &Value) {
    let answer = tenant.post_json("/_dev/directory/people", person).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
}

#[tokio::test]
async fn codes_of_removed_people_stop_working() {
    let tenant = TestTenant::start().await;
    let [code, other] = [tenant.code("uma").await, tenant.code("ulf").await];
    let uma = remove_uma(&tenant).await;
    let redeem = |code| {
        let tenant = &tenant;
        async move { tenant.redeem(CONTOSO, &Form::redemption(code)).await }
    };
    redeem(&code).await.assert_refusal(400, "invalid_grant", 50034);
    // The same person, added again, has to sign in again.
    add(&tenant, &uma).await;
    redeem(&code).await.assert_refusal(400, "invalid_grant", 50034);
    assert_eq!(redeem(&other).await.status, StatusCode::OK);
}

#[tokio::test]
async fn refresh_tokens_of_removed_people_stop_working() {
    let tenant = TestTenant::start().await;
    for program in [SINGLE_PAGE, NATIVE, WEB] {
        let token = program.refresh_token(&tenant, "uma").await;
        let other = program.refresh_token(&tenant, "ulf").await;
        let uma = remove_uma(&tenant).await;
        let renewal = program.renewal(&token);
        program.ask(&tenant, &renewal).await.assert_refusal(400, "invalid_grant", 50034);
        add(&tenant, &uma).await;
        program.ask(&tenant, &renewal).await.assert_refusal(400, "invalid_grant", 50034);
        program.renew(&tenant, &other).await;
    }
}

#[tokio::test]
async fn sessions_of_removed_people_end() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("uma").await;
    browser.ask_silently(&Form::authorization()).await.assert_code(StatusCode::FOUND);
    let uma = remove_uma(&tenant).await;
    let refused = || async {
        let answer = browser.ask_silently(&Form::authorization()).await;
        answer.assert_redirected_refusal("login_required", 50058);
    };
    refused().await;
    add(&tenant, &uma).await;
    refused().await;
    browser.sign_in("ulf").await;
    browser.ask_silently(&Form::authorization()).await.assert_code(StatusCode::FOUND);
}

#[tokio::test]
async fn a_device_that_waits_for_a_removed_person_gets_nothing() {
    let tenant = TestTenant::start().await;
    let scope = api_scope();
    let request = Form::empty().with("client_id", NATIVE.client_id).with("scope", &scope);
    let codes = tenant.post("devicecode", &request).await.json();
    let form = Form::empty().with("user_code", &text(&codes, "user_code")).with("account", "uma");
    let url = tenant.url(&format!("/{CONTOSO}/oauth2/deviceauth"));
    Answer::of(form.on(tenant.browser.post(url))).await.assert_page("You have signed in");
    let uma = remove_uma(&tenant).await;
    let poll = Form::empty()
        .with("grant_type", "device_code")
        .with("client_id", NATIVE.client_id)
        .with("device_code", &text(&codes, "device_code"));
    tenant.post("token", &poll).await.assert_refusal(400, "invalid_grant", 50034);
    add(&tenant, &uma).await;
    tenant.post("token", &poll).await.assert_refusal(400, "invalid_grant", 50034);
}

#[tokio::test]
async fn access_tokens_of_removed_people_stay_valid_but_give_no_new_ones() {
    let tenant = TestTenant::start().await;
    let token = tenant.tenant.access_token("uma").unwrap();
    remove_uma(&tenant).await;
    // Nothing in the token or the key set has changed, so an API still accepts it until it expires.
    let keys = crate::support::PublishedKeys::of(&tenant).await;
    assert!(keys.signer(&token).is_some());
    let form = on_behalf_of(&token, &reports_scope());
    tenant.post("token", &form).await.assert_refusal(400, "invalid_grant", 50013);
}

#[tokio::test]
async fn consents_of_removed_people_are_withdrawn() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let form = planner_requests("api://calendar/read");
    accept(&Browser::new(&tenant), &form, "uma").await.assert_code(StatusCode::SEE_OTHER);
    tenant.code_for(CONTOSO, &form, "uma").await;
    let uma = remove_uma(&tenant).await;
    add(&tenant, &uma).await;
    tenant.pick(CONTOSO, &form, "uma").await.assert_page("Permissions requested");
}

#[tokio::test]
async fn grants_to_removed_apps_stop_working() {
    let tenant = TestTenant::start().await;
    let token = NATIVE.refresh_token(&tenant, "uma").await;
    let path = format!("/_dev/directory/apps/{}", NATIVE.client_id);
    let app = tenant.get_json(&path).await;
    tenant.delete(&path).await.assert_done();
    let renewal = NATIVE.renewal(&token);
    NATIVE.ask(&tenant, &renewal).await.assert_refusal(400, "unauthorized_client", 700_016);
    let answer = tenant.put_json(&path, &app).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    NATIVE.ask(&tenant, &renewal).await.assert_refusal(400, "invalid_grant", 70000);
}

#[tokio::test]
async fn a_replaced_directory_ends_the_grants_of_those_who_are_not_in_it() {
    let tenant = TestTenant::start().await;
    let token = NATIVE.refresh_token(&tenant, "uma").await;
    let other = NATIVE.refresh_token(&tenant, "ulf").await;
    let mut document = tenant.get_json("/_dev/directory").await;
    document["people"].as_array_mut().unwrap().retain(|person| person["name"] != "uma");
    let answer = tenant.put_json("/_dev/directory", &document).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    tenant.post_json("/_dev/directory/reset", &json!({})).await.assert_done();
    let refused = NATIVE.ask(&tenant, &NATIVE.renewal(&token)).await;
    refused.assert_refusal(400, "invalid_grant", 50034);
    NATIVE.renew(&tenant, &other).await;
}
