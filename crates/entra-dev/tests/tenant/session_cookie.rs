//! The session cookie.

use entra_dev::ids::CONTOSO;
use reqwest::{
    StatusCode,
    header::{COOKIE, SET_COOKIE},
};

use crate::support::{Answer, Browser, Form, TestTenant, authorize_path};

/// `entra-dev-<port>`.
fn name(url: &str) -> String {
    format!("entra-dev-{}", url.rsplit(':').next().unwrap())
}

#[tokio::test]
async fn over_http_the_cookie_is_same_site_lax() {
    let tenant = TestTenant::start().await;
    let answer = Browser::new(&tenant).pick(CONTOSO, &Form::authorization(), "ada").await;
    answer.assert_code(StatusCode::SEE_OTHER);
    let cookie = answer.header(SET_COOKIE.as_str()).unwrap();
    let (pair, rules) = cookie.split_once("; ").unwrap();
    let (known, id) = pair.split_once('=').unwrap();
    assert_eq!(known, name(tenant.tenant.base_url()));
    assert_eq!(id.len(), 43);
    assert_eq!(rules, "Path=/; HttpOnly; SameSite=Lax");
}

#[tokio::test]
async fn over_https_the_cookie_is_sent_from_frames() {
    let tenant = TestTenant::start().await;
    let browser = Browser::over_https(&tenant);
    let answer = browser.pick(CONTOSO, &Form::authorization(), "ada").await;
    answer.assert_code(StatusCode::SEE_OTHER);
    let cookie = answer.header(SET_COOKIE.as_str()).unwrap();
    let (pair, rules) = cookie.split_once("; ").unwrap();
    let (known, _) = pair.split_once('=').unwrap();
    assert_eq!(known, name(tenant.tenant.https_url().unwrap()));
    assert_eq!(rules, "Path=/; HttpOnly; SameSite=None; Secure");
    let answer = browser.ask_silently(&Form::authorization()).await;
    answer.assert_code(StatusCode::FOUND);
}

/// Browsers send the cookies of all ports of a host to each port.
#[tokio::test]
async fn cookies_of_other_listeners_are_ignored() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("ada").await;
    let cookie = browser.cookie().unwrap();
    let (known, id) = cookie.split_once('=').unwrap();
    let form = Form::authorization();
    browser.set_cookie(&format!("entra-dev-1=x; theme=dark; {cookie}; last"));
    browser.ask_silently(&form).await.assert_code(StatusCode::FOUND);
    for other in [format!("{known}0={id}"), format!("x{known}={id}"), format!("entra-dev={id}")] {
        browser.set_cookie(&other);
        let answer = browser.ask_silently(&form).await;
        answer.assert_redirected_refusal("login_required", 50058);
    }
}

#[tokio::test]
async fn a_second_sign_in_keeps_the_session() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("ada").await;
    let before = browser.cookie();
    browser.sign_in("uma").await;
    assert_eq!(browser.cookie(), before);
}

/// Otherwise an attacker who can set a cookie would share the session (session fixation).
#[tokio::test]
async fn an_unknown_session_id_is_not_used() {
    let tenant = TestTenant::start().await;
    let planted = format!("{}=planted", name(tenant.tenant.base_url()));
    let browser = Browser::new(&tenant);
    browser.set_cookie(&planted);
    browser.sign_in("ada").await;
    assert_ne!(browser.cookie().unwrap(), planted);
    browser.ask_silently(&Form::authorization()).await.assert_code(StatusCode::FOUND);
    let form = Form::authorization().with("prompt", "none");
    let url = tenant.url(&format!("{}?{}", authorize_path(CONTOSO), form.encoded()));
    let answer = Answer::of(tenant.browser.get(url).header(COOKIE, planted)).await;
    answer.assert_redirected_refusal("login_required", 50058);
}
