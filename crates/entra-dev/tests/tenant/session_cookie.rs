//! The cookie that a browser stays signed in by.

use entra_dev::ids::CONTOSO;
use reqwest::StatusCode;
use reqwest::header::{COOKIE, SET_COOKIE};

use crate::support::{Answer, Browser, Form, TestTenant, authorize_path};

/// `entra-dev-<port>`.
fn name(url: &str) -> String {
    format!("entra-dev-{}", url.rsplit(':').next().unwrap())
}

#[tokio::test]
async fn over_http_the_cookie_is_for_this_server_and_its_own_links() {
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
async fn over_https_the_cookie_is_sent_from_frames_too() {
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

/// A browser sends the cookies of all ports of a host to each.
#[tokio::test]
async fn the_cookie_is_found_among_others_and_by_its_own_name() {
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

/// Whoever plants a cookie in a browser would otherwise share the session that follows.
#[tokio::test]
async fn an_id_that_this_server_has_not_made_is_not_taken_over() {
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
