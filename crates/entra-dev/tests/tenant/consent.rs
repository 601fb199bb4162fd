//! Consent of people.

use entra_dev::ids::CONTOSO;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{
    Answer, Browser, Form, PLANNER, PLANNER_ENTRIES, REDIRECT_URI, TestTenant, accept,
    authorize_path, planner_requests,
};

/// Asserts that the browser is redirected to the app with `access_denied`.
#[track_caller]
fn assert_refused_by_the_person(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(answer.location().as_str().starts_with(REDIRECT_URI));
    assert_eq!(answer.redirect_parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.redirect_parameter("error_subcode").as_deref(), Some("cancel"));
    let description = answer.redirect_parameter("error_description").unwrap();
    assert!(description.starts_with("AADSTS65004: "), "{description}");
    assert_eq!(answer.redirect_parameter("state").as_deref(), Some("VHVlIE5vdiAyNA=="));
    assert_eq!(answer.redirect_parameter("code"), None);
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn a_person_is_asked_for_consent_once() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    let form = planner_requests("openid api://calendar/read");
    let page = browser.pick(CONTOSO, &form, "uma").await;
    page.assert_page("Permissions requested");
    for text in [
        "Uma Ulrich",
        "uma@contoso.example",
        "<strong>Planner</strong> asks to",
        "<code>api:/<wbr>/<wbr>calendar/<wbr>read</code>",
        "name=\"consent\" value=\"accept\"",
        "name=\"consent\" value=\"cancel\"",
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert_eq!(page.header("set-cookie"), None);
    accept(&browser, &form, "uma").await.assert_code(StatusCode::SEE_OTHER);
    let answer = browser.pick(CONTOSO, &form, "uma").await;
    answer.assert_code(StatusCode::SEE_OTHER);
    // Her consent is not his.
    browser.pick(CONTOSO, &form, "ulf").await.assert_page("Permissions requested");
}

/// Submits the form as a browser would.
#[tokio::test]
async fn the_consent_page_repeats_the_request_and_the_account() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    let form = planner_requests("api://calendar/read");
    let page = browser.pick(CONTOSO, &form, "uma").await;
    let action = format!("<form method=\"post\" action=\"{}\">", authorize_path(CONTOSO));
    assert!(page.body.contains(&action), "{}", page.body);
    let mut sent = Form::empty().with("consent", "accept");
    for name in [
        "account",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
    ] {
        sent = sent.with(name, &page.hidden_input(name).unwrap());
    }
    let answer = browser.post(&authorize_path(CONTOSO), &sent).await;
    answer.assert_code(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn cancelling_redirects_to_the_app() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    let form = planner_requests("api://calendar/read");
    let cancelled = form.clone().with("consent", "cancel");
    assert_refused_by_the_person(&browser.pick(CONTOSO, &cancelled, "uma").await);
    // On the account page, no account has been chosen yet.
    assert_refused_by_the_person(&browser.post(&authorize_path(CONTOSO), &cancelled).await);
    browser.pick(CONTOSO, &form, "uma").await.assert_page("Permissions requested");
}

#[tokio::test]
async fn only_new_permissions_need_consent_again() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    let read = planner_requests("api://calendar/read");
    accept(&browser, &read, "uma").await.assert_code(StatusCode::SEE_OTHER);
    let both = planner_requests("api://calendar/read api://calendar/write");
    browser.pick(CONTOSO, &both, "uma").await.assert_page("Permissions requested");
    accept(&browser, &both, "uma").await.assert_code(StatusCode::SEE_OTHER);
    browser
        .pick(CONTOSO, &planner_requests("openid"), "uma")
        .await
        .assert_page("Permissions requested");
    for scope in ["api://calendar/write", "api://calendar/read"] {
        let answer = browser.pick(CONTOSO, &planner_requests(scope), "uma").await;
        answer.assert_code(StatusCode::SEE_OTHER);
    }
    // A client id names the same API.
    let by_id = planner_requests("c4000000-0000-4000-8000-000000000002/read");
    browser.pick(CONTOSO, &by_id, "uma").await.assert_code(StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn prompt_consent_always_asks_for_consent() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    let planner = planner_requests("api://calendar/read").with("prompt", "consent");
    // Otherwise Swagger UI needs no consent.
    for form in [planner, Form::authorization().with("prompt", "consent")] {
        for _ in 0..2 {
            browser.authorize(CONTOSO, &form).await.assert_page("Pick an account");
            browser.pick(CONTOSO, &form, "uma").await.assert_page("Permissions requested");
            accept(&browser, &form, "uma").await.assert_code(StatusCode::SEE_OTHER);
        }
    }
}

#[tokio::test]
async fn a_silent_request_without_consent_is_refused() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    browser.sign_in("uma").await;
    let form = planner_requests("api://calendar/read");
    let answer = browser.ask_silently(&form).await;
    answer.assert_redirected_refusal("consent_required", 65001);
    let subcode = answer.redirect_parameter("error_subcode");
    assert_eq!(subcode.as_deref(), Some("consent_required"));
    accept(&browser, &form, "uma").await.assert_code(StatusCode::SEE_OTHER);
    browser.ask_silently(&form).await.assert_code(StatusCode::FOUND);
}

#[tokio::test]
async fn a_link_cannot_give_consent() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    let form = planner_requests("api://calendar/read");
    let link = form.clone().with("account", "uma").with("consent", "accept");
    browser.authorize(CONTOSO, &link).await.assert_page("Pick an account");
    browser.pick(CONTOSO, &form, "uma").await.assert_page("Permissions requested");
}

#[tokio::test]
async fn a_refresh_without_consent_is_refused() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    let form = planner_requests("api://calendar/read offline_access");
    let answer = accept(&browser, &form, "uma").await;
    let code = answer.redirect_parameter("code").unwrap();
    let redemption = Form::redemption(&code).with("client_id", PLANNER);
    let body = tenant.redeem(CONTOSO, &redemption).await.json();
    let renewal = Form::empty()
        .with("grant_type", "refresh_token")
        .with("client_id", PLANNER)
        .with("refresh_token", body["refresh_token"].as_str().unwrap());
    let answer = tenant.redeem(CONTOSO, &renewal).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let answer = tenant.redeem(CONTOSO, &renewal.with("scope", "api://calendar/write")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["error"], "invalid_grant", "{body}");
    assert_eq!(body["error_codes"], json!([65001]));
    assert_eq!(body["suberror"], "consent_required");
}
