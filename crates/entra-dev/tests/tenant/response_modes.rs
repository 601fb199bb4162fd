//! Response modes.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use entra_dev::ids::{CONSUMERS, CONTOSO, FABRIKAM};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Answer, Browser, Form, REDIRECT_URI, SINGLE_PAGE, TestTenant, api_scope, text,
};

const STATE: &str = "VHVlIE5vdiAyNA==";

fn in_mode(mode: &str) -> Form {
    Form::authorization().with("response_mode", mode)
}

#[tokio::test]
async fn response_mode_fragment_uses_the_fragment() {
    let tenant = TestTenant::start().await;
    let answer = tenant.pick(CONTOSO, &in_mode("fragment"), "ada").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.location().as_str().starts_with(&format!("{REDIRECT_URI}#code=")));
    assert_eq!(answer.location().query(), None);
    assert_eq!(answer.fragment_parameter("state").as_deref(), Some(STATE));
    assert_eq!(answer.fragment_parameter("session_state").unwrap().len(), 36);
    let code = answer.fragment_parameter("code").unwrap();
    let answer = tenant.redeem(CONTOSO, &Form::redemption(&code)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn response_mode_form_post_posts_a_form() {
    let tenant = TestTenant::start().await;
    let answer = tenant.pick(CONTOSO, &in_mode("form_post"), "ada").await;
    assert_form_post(&answer);
    assert!(answer.header("set-cookie").is_some());
    assert_eq!(answer.hidden_input("state").as_deref(), Some(STATE));
    assert_eq!(answer.hidden_input("session_state").unwrap().len(), 36);
    let code = answer.hidden_input("code").unwrap();
    let answer = tenant.redeem(CONTOSO, &Form::redemption(&code)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn the_script_of_the_form_page_is_a_file() {
    let tenant = TestTenant::start().await;
    let script = tenant.get("/_assets/form-post.js").await;
    assert_eq!(script.status, StatusCode::OK);
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(script.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(script.body.trim(), "document.forms[0].submit();");
}

#[tokio::test]
async fn markup_in_the_state_is_escaped() {
    let tenant = TestTenant::start().await;
    let form = in_mode("form_post").with("state", "\"'><script>alert(1)</script>&amp;");
    let answer = tenant.pick(CONTOSO, &form, "ada").await;
    assert_form_post(&answer);
    let expected = "&quot;'&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;";
    assert_eq!(answer.hidden_input("state").as_deref(), Some(expected));
}

/// The button or the script submits the form, and the policy allows nothing else.
#[track_caller]
fn assert_form_post(answer: &Answer) {
    answer.assert_page("Going back to the app");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    let policy = answer.header("content-security-policy").unwrap();
    for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.split("; ").any(|known| known == rule), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("form-action"), "{policy}");
    let form = format!("<form method=\"post\" action=\"{REDIRECT_URI}\">");
    let (_, form) = answer.body.split_once(&form).unwrap();
    let (form, _) = form.split_once("</form>").unwrap();
    assert!(form.contains("<button type=\"submit\" class=\"primary\">"), "{form}");
    assert_eq!(answer.body.matches("<script").count(), 1, "{}", answer.body);
    assert!(answer.body.contains("<script src=\"/_assets/form-post.js\"></script>"));
}

#[tokio::test]
async fn errors_use_the_requested_response_mode() {
    let tenant = TestTenant::start().await;
    for (form, error, code) in [
        (Form::authorization().with("prompt", "none"), "login_required", "AADSTS50058: "),
        (Form::authorization().without("scope"), "invalid_request", "AADSTS900144: "),
    ] {
        let answer = tenant.authorize(CONTOSO, &form.clone().with("response_mode", "query")).await;
        assert_eq!(answer.status, StatusCode::FOUND);
        assert_eq!(answer.redirect_parameter("error").as_deref(), Some(error));
        assert_eq!(answer.location().fragment(), None);

        let form = form.with("response_mode", "fragment");
        let answer = tenant.authorize(CONTOSO, &form).await;
        assert_eq!(answer.status, StatusCode::FOUND);
        assert_eq!(answer.location().query(), None);
        assert_eq!(answer.fragment_parameter("error").as_deref(), Some(error));
        assert!(answer.fragment_parameter("error_description").unwrap().starts_with(code));
        assert_eq!(answer.fragment_parameter("state").as_deref(), Some(STATE));
        assert_eq!(answer.fragment_parameter("code"), None);

        let form = form.with("response_mode", "form_post");
        let answer = tenant.authorize(CONTOSO, &form).await;
        assert_form_post(&answer);
        assert_eq!(answer.hidden_input("error").as_deref(), Some(error));
        assert!(answer.hidden_input("error_description").unwrap().starts_with(code));
        assert_eq!(answer.hidden_input("state").as_deref(), Some(STATE));
        assert_eq!(answer.hidden_input("code"), None);
    }
}

#[tokio::test]
async fn cancelling_uses_the_requested_response_mode() {
    let tenant = TestTenant::start().await;
    let cancel = |mode| in_mode(mode).with("consent", "cancel");
    let answer = tenant.pick(CONTOSO, &cancel("fragment"), "ada").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.fragment_parameter("error").as_deref(), Some("access_denied"));
    let answer = tenant.pick(CONTOSO, &cancel("form_post"), "ada").await;
    assert_form_post(&answer);
    assert_eq!(answer.hidden_input("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn silent_responses_use_the_requested_mode() {
    let tenant = TestTenant::start().await;
    let browser = Browser::new(&tenant);
    browser.sign_in("ada").await;
    let answer = browser.ask_silently(&in_mode("fragment")).await;
    assert_eq!(answer.status, StatusCode::FOUND);
    assert!(answer.fragment_parameter("code").is_some());
    let answer = browser.ask_silently(&in_mode("form_post")).await;
    assert_form_post(&answer);
    assert!(answer.hidden_input("code").is_some());
}

/// MSAL derives its account ids from it.
#[tokio::test]
async fn client_info_is_returned_on_request() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization().with("client_info", "1");
    let answer = tenant.pick(CONTOSO, &form, "ada").await;
    let info = decode(&answer.redirect_parameter("client_info").unwrap());
    let code = answer.redirect_parameter("code").unwrap();
    let redemption = Form::redemption(&code).with("client_info", "1");
    let body = tenant.redeem(CONTOSO, &redemption).await.json();
    assert_eq!(decode(&text(&body, "client_info")), info);
    let claims = TestTenant::claims(&text(&body, "access_token"));
    assert_eq!(info, json!({ "uid": claims["oid"], "utid": claims["tid"] }));
    for (account, home) in [("tia", FABRIKAM), ("pia", CONSUMERS)] {
        let answer = tenant.pick("common", &form, account).await;
        let info = decode(&answer.redirect_parameter("client_info").unwrap());
        assert_eq!(info["utid"], home, "{account}");
    }

    let answer = tenant.pick(CONTOSO, &Form::authorization(), "ada").await;
    assert_eq!(answer.redirect_parameter("client_info"), None);
    let body = SINGLE_PAGE.sign_in(&tenant, &api_scope(), "ada").await;
    assert_eq!(body.get("client_info"), None);
}

fn decode(text: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}
