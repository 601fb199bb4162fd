//! The token endpoint: the authorization code grant.

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, FABRIKAM};
use reqwest::StatusCode;

use crate::support::{
    Answer, Form, ORIGIN, OTHER_REDIRECT_URI, TestTenant, UNKNOWN_CLIENT_ID, VERIFIER,
};

#[tokio::test]
async fn a_code_becomes_an_access_token() {
    let tenant = TestTenant::start().await;
    let code = tenant.code("ada").await;
    let answer = tenant.redeem(CONTOSO, &Form::redemption(&code)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let body = answer.json();
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["token_type", "scope", "expires_in", "ext_expires_in", "access_token"];
    assert_eq!(members, expected);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["scope"], format!("api://{API_CLIENT_ID}/access_as_user"));
    assert!((3600..=5399).contains(&body["expires_in"].as_u64().unwrap()));
    assert_eq!(body["ext_expires_in"], body["expires_in"]);
}

#[tokio::test]
async fn scopes_are_returned_in_the_clients_order_and_form() {
    let tenant = TestTenant::start().await;
    for (asked, granted) in [
        ("openid api://{}/.default", "openid api://{}/.default"),
        ("{}/access_as_user", "{}/access_as_user"),
        ("profile  api://{}/access_as_user email", "profile api://{}/access_as_user email"),
        // As in Entra: it is not a permission of an API.
        ("api://{}/access_as_user offline_access", "api://{}/access_as_user"),
    ] {
        let form = Form::authorization().with("scope", &asked.replace("{}", API_CLIENT_ID));
        let body = tenant.sign_in(CONTOSO, &form, "ada").await;
        // The redirect and the PKCE values are those of the default form.
        assert_eq!(body["scope"], granted.replace("{}", API_CLIENT_ID));
    }
}

#[tokio::test]
async fn a_code_is_valid_under_every_name_of_its_authority() {
    let tenant = TestTenant::start().await;
    let code = tenant.code_for("contoso.example", &Form::authorization(), "ada").await;
    let answer = tenant.redeem(CONTOSO, &Form::redemption(&code)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_of_another_tenant_is_refused() {
    let tenant = TestTenant::start().await;
    let code = tenant.code("ada").await;
    for other in [FABRIKAM, "common", "consumers"] {
        let answer = tenant.redeem(other, &Form::redemption(&code)).await;
        answer.assert_refusal(400, "invalid_grant", 700_005);
    }
    assert_eq!(tenant.redeem(CONTOSO, &Form::redemption(&code)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_is_redeemed_once() {
    let tenant = TestTenant::start().await;
    let form = Form::redemption(&tenant.code("ada").await);
    assert_eq!(tenant.redeem(CONTOSO, &form).await.status, StatusCode::OK);
    tenant.redeem(CONTOSO, &form).await.assert_refusal(400, "invalid_grant", 54005);
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_code_redemptions_succeed_once() {
    let tenant = TestTenant::start().await;
    for _ in 0..8 {
        let form = Form::redemption(&tenant.code("uma").await);
        let requests = (0..8).map(|_| {
            let request = form.on(tenant.token_request(CONTOSO).header("origin", ORIGIN));
            tokio::spawn(Answer::of(request))
        });
        let (mut won, mut lost) = (0, 0);
        for request in requests.collect::<Vec<_>>() {
            let answer = request.await.unwrap();
            if answer.status == StatusCode::OK {
                won += 1;
            } else {
                answer.assert_refusal(400, "invalid_grant", 54005);
                lost += 1;
            }
        }
        assert_eq!((won, lost), (1, 7));
    }
}

#[tokio::test]
async fn a_code_expires_after_ten_minutes() {
    let tenant = TestTenant::start().await;
    let (early, late) = (tenant.code("ada").await, tenant.code("ada").await);
    tenant.clock.advance(599);
    let answer = tenant.redeem(CONTOSO, &Form::redemption(&early)).await;
    assert_eq!(answer.status, StatusCode::OK);
    tenant.clock.advance(1);
    let answer = tenant.redeem(CONTOSO, &Form::redemption(&late)).await;
    answer.assert_refusal(400, "invalid_grant", 70008);
    assert_eq!(answer.json()["timestamp"], "2026-11-24 22:10:00Z");
}

#[tokio::test]
async fn each_token_error_has_its_code() {
    let tenant = TestTenant::start().await;
    let code = tenant.code("ada").await;
    let form = || Form::redemption(&code);
    let other_verifier = VERIFIER.replace('d', "e");
    for (form, status, error, number) in [
        (form().without("grant_type"), 400, "invalid_request", 900_144),
        (form().with("grant_type", "password"), 400, "unsupported_grant_type", 70003),
        (form().without("client_id"), 400, "invalid_request", 900_144),
        (form().with("client_id", UNKNOWN_CLIENT_ID), 400, "unauthorized_client", 700_016),
        (form().without("code"), 400, "invalid_request", 900_144),
        (form().with("code", "unknown"), 400, "invalid_grant", 9_002_313),
        (form().with("code", &VERIFIER.replace('d', "/")), 400, "invalid_grant", 9_002_313),
        (form().with("code", VERIFIER), 400, "invalid_grant", 70000),
        (form().without("redirect_uri"), 400, "invalid_request", 900_144),
        (form().with("redirect_uri", "https://evil.example/"), 400, "invalid_request", 50011),
        (form().with("redirect_uri", OTHER_REDIRECT_URI), 400, "invalid_grant", 500_112),
        (form().without("code_verifier"), 400, "invalid_grant", 50148),
        (form().with("code_verifier", &other_verifier), 400, "invalid_grant", 501_481),
        (form().with("client_secret", "x"), 401, "invalid_client", 700_025),
        (form().and("code", "again"), 400, "invalid_request", 90100),
        (form().with("scope", "nothing"), 400, "invalid_client", 650_053),
        (form().with("scope", "/"), 400, "invalid_scope", 70011),
    ] {
        tenant.redeem(CONTOSO, &form).await.assert_refusal(status, error, number);
    }
    for (name, number) in [
        ("nowhere", 900_023),
        ("11111111-1111-4111-8111-1111111111", 900_023),
        ("nowhere..example", 900_023),
        ("nowhere.example", 90002),
        ("11111111-1111-4111-8111-222222222222", 90002),
    ] {
        tenant.redeem(name, &form()).await.assert_refusal(400, "invalid_request", number);
    }
    // None of these requests has used up the code.
    assert_eq!(tenant.redeem(CONTOSO, &form()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_is_not_a_form_is_refused() {
    let tenant = TestTenant::start().await;
    for content_type in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let request = tenant.token_request(CONTOSO).header("origin", ORIGIN);
        let request = request.header("content-type", content_type).body("{}");
        Answer::of(request).await.assert_refusal(400, "invalid_request", 900_144);
    }
    let request = tenant.token_request(CONTOSO).header("origin", ORIGIN);
    Answer::of(request).await.assert_refusal(400, "invalid_request", 900_144);
    let code = tenant.code("ada").await;
    let request = tenant
        .token_request(CONTOSO)
        .header("origin", ORIGIN)
        .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
        .body(Form::redemption(&code).encoded());
    assert_eq!(Answer::of(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_single_page_apps_code_needs_an_origin() {
    let tenant = TestTenant::start().await;
    let form = Form::redemption(&tenant.code("ada").await);
    let answer = Answer::of(form.on(tenant.token_request(CONTOSO))).await;
    answer.assert_refusal(400, "invalid_request", 9_002_327);
}

#[tokio::test]
async fn query_parameters_are_ignored_in_a_post() {
    let tenant = TestTenant::start().await;
    let form = Form::redemption(&tenant.code("ada").await);
    let url = format!("/{CONTOSO}/oauth2/v2.0/token?{}", form.encoded());
    let request = tenant.browser.post(tenant.url(&url)).header("origin", ORIGIN);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    Answer::of(request).await.assert_refusal(400, "invalid_request", 900_144);
}
