//! Browser sessions and silent requests.

use entra_dev::ids::{CONTOSO, FABRIKAM};
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{Answer, Browser, Form, TestTenant, between, claims};

const DAY: u64 = 24 * 60 * 60;

/// The claims after a silent sign-in.
async fn silent_claims(tenant: &TestTenant, browser: &Browser, form: &Form) -> Value {
    let answer = browser.ask_silently(form).await;
    answer.assert_code(StatusCode::FOUND);
    let code = answer.redirect_parameter("code").unwrap();
    let answer = tenant.redeem(CONTOSO, &Form::redemption(&code)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    claims(&answer.json(), "access_token")
}

#[tokio::test]
async fn a_new_browser_has_no_session() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    let answer = browser.ask_silently(&Form::authorization()).await;
    answer.assert_redirected_refusal("login_required", 50058);
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn prompt_none_returns_a_code_after_a_sign_in() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("uma").await;
    for _ in 0..2 {
        let claims = silent_claims(&tenant, &browser, &Form::authorization()).await;
        assert_eq!(claims["preferred_username"], "uma@contoso.example");
    }
    // Other browsers have no session.
    let answer = Browser::new(&tenant).ask_silently(&Form::authorization()).await;
    answer.assert_redirected_refusal("login_required", 50058);
}

#[tokio::test]
async fn a_login_hint_selects_one_of_two_accounts() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("uma").await;
    browser.sign_in("ulf").await;
    let answer = browser.ask_silently(&Form::authorization()).await;
    answer.assert_redirected_refusal("interaction_required", 16000);
    for name in ["uma", "ulf"] {
        let sign_in_name = format!("{name}@contoso.example");
        for hint in [sign_in_name.clone(), sign_in_name.to_uppercase()] {
            let form = Form::authorization().with("login_hint", &hint);
            let claims = silent_claims(&tenant, &browser, &form).await;
            assert_eq!(claims["preferred_username"], sign_in_name);
        }
    }
}

#[tokio::test]
async fn prompt_none_refuses_a_hint_for_somebody_else() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("uma").await;
    for hint in ["ada@contoso.example", "nobody@contoso.example"] {
        let answer = browser.ask_silently(&Form::authorization().with("login_hint", hint)).await;
        answer.assert_redirected_refusal("login_required", 50058);
    }
}

#[tokio::test]
async fn prompt_none_ignores_accounts_of_other_tenants() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    for account in ["tia", "pia"] {
        let answer = browser.pick("common", &Form::authorization(), account).await;
        answer.assert_code(StatusCode::SEE_OTHER);
    }
    let answer = browser.ask_silently(&Form::authorization()).await;
    answer.assert_redirected_refusal("login_required", 50058);
    browser.sign_in("uma").await;
    let claims = silent_claims(&tenant, &browser, &Form::authorization()).await;
    assert_eq!(claims["preferred_username"], "uma@contoso.example");
    let form = Form::authorization().with("prompt", "none");
    for authority in [FABRIKAM, "consumers"] {
        browser.authorize(authority, &form).await.assert_code(StatusCode::FOUND);
    }
    let answer = browser.authorize("common", &form).await;
    answer.assert_redirected_refusal("interaction_required", 16000);
}

#[tokio::test]
async fn a_session_ends_after_24_hours() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("uma").await;
    tenant.clock.advance(DAY - 1);
    let answer = browser.ask_silently(&Form::authorization()).await;
    answer.assert_code(StatusCode::FOUND);
    tenant.clock.advance(1);
    let answer = browser.ask_silently(&Form::authorization()).await;
    answer.assert_redirected_refusal("login_required", 50058);
}

#[tokio::test]
async fn the_account_page_shows_signed_in_people_first() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    let page = browser.authorize(CONTOSO, &Form::authorization()).await;
    page.assert_page("Pick an account");
    assert!(!page.body.contains("Signed in"), "{}", page.body);
    browser.sign_in("ulf").await;
    let page = browser.authorize(CONTOSO, &Form::authorization()).await;
    page.assert_page("Pick an account");
    let people: Vec<_> = between(&page.body, "<li><button", "</button>").collect();
    assert!(people[0].contains("ulf@contoso.example"), "{}", page.body);
    let is_marked = |person: &&&str| person.ends_with("<span class=\"badge\">Signed in</span>");
    let marked: Vec<_> = people.iter().filter(is_marked).collect();
    assert_eq!(marked, [&people[0]], "{}", page.body);
}

#[tokio::test]
async fn without_prompt_none_the_account_page_is_shown() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("uma").await;
    for form in [
        Form::authorization(),
        Form::authorization().with("prompt", "login"),
        Form::authorization().with("prompt", "select_account"),
    ] {
        browser.authorize(CONTOSO, &form).await.assert_page("Pick an account");
    }
}

#[tokio::test]
async fn a_hinted_person_who_is_signed_in_is_not_asked() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    let form = Form::authorization().with("login_hint", "uma@contoso.example");
    browser.authorize(CONTOSO, &form).await.assert_page("Pick an account");
    browser.sign_in("uma").await;
    browser.sign_in("ulf").await;
    let answer = browser.authorize(CONTOSO, &form).await;
    answer.assert_code(StatusCode::FOUND);
    let code = answer.redirect_parameter("code").unwrap();
    let body = tenant.redeem(CONTOSO, &Form::redemption(&code)).await.json();
    assert_eq!(claims(&body, "access_token")["preferred_username"], "uma@contoso.example");
    // A prompt shows the page anyway, and other tenants do not know her.
    for prompt in ["login", "select_account"] {
        let form = form.clone().with("prompt", prompt);
        browser.authorize(CONTOSO, &form).await.assert_page("Pick an account");
    }
    browser.authorize(FABRIKAM, &form).await.assert_page("Pick an account");
    let another = form.with("login_hint", "ada@contoso.example");
    browser.authorize(CONTOSO, &another).await.assert_page("Pick an account");
}

#[tokio::test]
async fn a_form_of_another_site_cannot_sign_in_anybody() {
    let tenant = TestTenant::start().await;
    let url = tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/authorize"));
    let form = Form::authorization().with("account", "ada");
    for site in ["cross-site", "same-site", "none", "Same-Origin"] {
        let request = form.on(tenant.browser.post(&url)).header("sec-fetch-site", site);
        let answer = Answer::of(request).await;
        answer.assert_page_refusal(90004);
        assert_eq!(answer.header("set-cookie"), None, "{site}");
    }
    let request = form.on(tenant.browser.post(&url)).header("sec-fetch-site", "same-origin");
    Answer::of(request).await.assert_code(StatusCode::SEE_OTHER);
    // The app may still send its request in a form.
    let request = Form::authorization().on(tenant.browser.post(&url));
    let answer = Answer::of(request.header("sec-fetch-site", "cross-site")).await;
    answer.assert_page("Pick an account");
}
