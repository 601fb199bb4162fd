//! The authorization endpoint.

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, SWAGGER_UI_CLIENT_ID};
use reqwest::StatusCode;

use crate::support::{Form, OTHER_REDIRECT_URI, REDIRECT_URI, TestTenant, UNKNOWN_CLIENT_ID};

#[tokio::test]
async fn an_unknown_tenant_is_refused_on_a_page() {
    let tenant = TestTenant::start().await;
    for (name, number) in [("nowhere", 900_023), ("nowhere.example", 90002)] {
        tenant.authorize(name, &Form::authorization()).await.assert_page_refusal(number);
    }
}

#[tokio::test]
async fn an_unknown_or_missing_client_is_refused_on_a_page() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization();
    let unknown = form.clone().with("client_id", UNKNOWN_CLIENT_ID);
    tenant.authorize(CONTOSO, &unknown).await.assert_page_refusal(700_016);
    let missing = form.clone().without("client_id");
    tenant.authorize(CONTOSO, &missing).await.assert_page_refusal(900_144);
    let twice = form.and("client_id", SWAGGER_UI_CLIENT_ID);
    tenant.authorize(CONTOSO, &twice).await.assert_page_refusal(90100);
}

#[tokio::test]
async fn an_unregistered_redirect_uri_is_refused_on_a_page() {
    let tenant = TestTenant::start().await;
    for uri in [
        "https://evil.example/",
        "http://localhost:8000/oauth2-redirect/",
        "http://localhost:8000/oauth2-redirect?x=1",
        "http://localhost:8000/oauth2-redirect#x",
        "http://localhost:8000/OAUTH2-redirect",
        "http://localhost:port/oauth2-redirect",
        "http://127.0.0.1:8000/oauth2-redirect",
        "http://[::1]:8000/oauth2-redirect",
        "https://localhost:8000/oauth2-redirect",
        "http://localhost:8000/oauth2-redirect/../x",
    ] {
        let form = Form::authorization().with("redirect_uri", uri);
        tenant.authorize(CONTOSO, &form).await.assert_page_refusal(50011);
        tenant.pick(CONTOSO, &form, "ada").await.assert_page_refusal(50011);
    }
    let missing = Form::authorization().without("redirect_uri");
    tenant.authorize(CONTOSO, &missing).await.assert_page_refusal(900_144);
    let twice = Form::authorization().and("redirect_uri", "https://evil.example/");
    tenant.authorize(CONTOSO, &twice).await.assert_page_refusal(90100);
}

#[tokio::test]
async fn the_port_of_a_loopback_redirect_uri_is_not_compared() {
    let tenant = TestTenant::start().await;
    for uri in ["http://localhost:9000/oauth2-redirect", "http://localhost/oauth2-redirect"] {
        let form = Form::authorization().with("redirect_uri", uri);
        let code = tenant.code_for(CONTOSO, &form, "ada").await;
        // The code is for the requested URI, including its port (RFC 6749, section 4.1.3).
        let redemption = Form::redemption(&code);
        let answer = tenant.redeem(CONTOSO, &redemption).await;
        answer.assert_refusal(400, "invalid_grant", 500_112);
        let answer = tenant.redeem(CONTOSO, &redemption.with("redirect_uri", uri)).await;
        assert_eq!(answer.status, StatusCode::OK, "{uri}");
    }
}

#[tokio::test]
async fn the_port_of_any_other_redirect_uri_is_compared() {
    const APP: &str = "a1000000-0000-4000-8000-000000000001";
    let registered = ["https://app.example:8000/", "https://127.0.0.1:8000/", "http://[::1]:8000/"];
    let tenant = TestTenant::start_having(&format!(
        "[[apps]]\nclient_id = \"{APP}\"\nname = \"Shop\"\ntenant = \"Contoso\"\n\
         redirect_uris.spa = {registered:?}\n"
    ))
    .await;
    for uri in registered {
        let form = Form::authorization().with("client_id", APP).with("redirect_uri", uri);
        assert_eq!(tenant.authorize(CONTOSO, &form).await.status, StatusCode::OK, "{uri}");
        for port in ["", ":9000"] {
            let elsewhere = form.clone().with("redirect_uri", &uri.replace(":8000", port));
            tenant.authorize(CONTOSO, &elsewhere).await.assert_page_refusal(50011);
        }
    }
}

#[tokio::test]
async fn an_app_without_redirect_uris_cannot_sign_in_people() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization().with("client_id", API_CLIENT_ID);
    tenant.authorize(CONTOSO, &form).await.assert_page_refusal(50011);
}

#[tokio::test]
async fn other_errors_are_sent_to_the_app_with_the_state() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization;
    for (form, error, code) in [
        (form().without("response_type"), "invalid_request", 900_144),
        (form().with("response_type", "none"), "unsupported_response_type", 700_054),
        (form().with("response_mode", "pigeon"), "invalid_request", 70007),
        (form().without("scope"), "invalid_request", 900_144),
        (form().with("scope", "/"), "invalid_scope", 70011),
        (form().with("scope", "https://unknown.example/.default"), "invalid_resource", 500_011),
        (form().with("scope", "access_as_user"), "invalid_client", 650_053),
        (form().with("scope", &format!("api://{API_CLIENT_ID}/other")), "invalid_client", 650_053),
        (form().without("code_challenge"), "invalid_request", 9_002_325),
        (form().without("code_challenge_method"), "invalid_request", 50149),
        (form().with("code_challenge_method", "plain"), "invalid_request", 50149),
        (form().with("code_challenge_method", "s256"), "invalid_request", 50149),
        (form().with("code_challenge", "short"), "invalid_request", 501_491),
        (form().and("scope", "openid"), "invalid_request", 90100),
        (form().and("code_challenge", "x"), "invalid_request", 90100),
        (form().with("prompt", "none"), "login_required", 50058),
        (form().with("prompt", "none login"), "invalid_request", 90023),
        (form().with("claims", "[]"), "invalid_request", 90023),
        (form().with("resource", "https://graph.microsoft.com"), "invalid_target", 9_010_010),
        (form().and("resource", "x").and("resource", "x"), "invalid_request", 90100),
    ] {
        tenant.authorize(CONTOSO, &form).await.assert_redirected_refusal(error, code);
    }
}

#[tokio::test]
async fn the_request_is_checked_again_after_an_account_is_picked() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization().without("code_challenge");
    let answer = tenant.pick(CONTOSO, &form, "ada").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.redirect_parameter("error").as_deref(), Some("invalid_request"));
    assert_eq!(answer.redirect_parameter("code"), None);
}

#[tokio::test]
async fn a_repeated_state_is_refused_and_not_returned() {
    let tenant = TestTenant::start().await;
    let answer = tenant.authorize(CONTOSO, &Form::authorization().and("state", "2")).await;
    assert_eq!(answer.redirect_parameter("error").as_deref(), Some("invalid_request"));
    assert_eq!(answer.redirect_parameter("state"), None);
}

#[tokio::test]
async fn the_state_is_returned_unchanged() {
    let tenant = TestTenant::start().await;
    for state in
        ["a b+c%20&=#?;'\"<>\\", "zażółć 🗝", "line\nbreak\r\n\0", "x".repeat(4000).as_str()]
    {
        let form = Form::authorization().with("state", state);
        let answer = tenant.pick(CONTOSO, &form, "ada").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.redirect_parameter("state").as_deref(), Some(state));
        // `decodeURIComponent` does not decode `+` as a space.
        assert!(!answer.location().query().unwrap().contains('+'));
    }
}

#[tokio::test]
async fn a_response_has_no_state_if_the_request_has_none() {
    let tenant = TestTenant::start().await;
    for form in [Form::authorization().without("state"), Form::authorization().with("state", "")] {
        let answer = tenant.pick(CONTOSO, &form, "ada").await;
        assert!(answer.redirect_parameter("code").is_some());
        assert_eq!(answer.redirect_parameter("state"), None);
    }
}

#[tokio::test]
async fn picking_an_account_sends_a_code_to_the_app() {
    let tenant = TestTenant::start().await;
    for account in ["ada", "ADA@contoso.example", &tenant.tenant.people()[0].oid] {
        let answer = tenant.pick(CONTOSO, &Form::authorization(), account).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.location().as_str().starts_with(&format!("{REDIRECT_URI}?code=")));
        assert_eq!(answer.redirect_parameter("code").unwrap().len(), 43);
        assert_eq!(answer.redirect_parameter("session_state").unwrap().len(), 36);
        assert_eq!(answer.redirect_parameter("state").as_deref(), Some("VHVlIE5vdiAyNA=="));
    }
}

#[tokio::test]
async fn a_redirect_uri_keeps_its_own_query() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization().with("redirect_uri", OTHER_REDIRECT_URI);
    let answer = tenant.pick(CONTOSO, &form, "ada").await;
    assert!(answer.location().as_str().starts_with(&format!("{OTHER_REDIRECT_URI}&code=")));
}

#[tokio::test]
async fn unknown_parameters_are_ignored() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization()
        .with("client-request-id", "1")
        .with("x-client-SKU", "msal.js")
        .and("x-client-SKU", "again")
        .with("claims", "{}")
        .with("prompt", "select_account");
    assert_eq!(tenant.authorize(CONTOSO, &form).await.status, StatusCode::OK);
    assert!(!tenant.code_for(CONTOSO, &form, "ada").await.is_empty());
}

#[tokio::test]
async fn people_cannot_sign_in_at_other_tenants() {
    let tenant = TestTenant::start().await;
    for (at, account, number) in [
        (CONTOSO, "tia", 50020),
        (CONTOSO, "pia", 50020),
        ("fabrikam.example", "ada", 50020),
        ("consumers", "ada", 50020),
        ("organizations", "pia", 500_200),
        ("common", "nobody", 50034),
        (CONTOSO, "nobody", 50034),
    ] {
        tenant.pick(at, &Form::authorization(), account).await.assert_page_refusal(number);
    }
}

#[tokio::test]
async fn a_link_cannot_pick_an_account() {
    let tenant = TestTenant::start().await;
    let answer = tenant.authorize(CONTOSO, &Form::authorization().with("account", "ada")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("Pick an account"));
}

#[tokio::test]
async fn an_app_may_post_its_request() {
    let tenant = TestTenant::start().await;
    let url = tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/authorize"));
    let answer =
        crate::support::Answer::of(Form::authorization().on(tenant.browser.post(url))).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("Pick an account"));
}
