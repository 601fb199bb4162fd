//! The device authorization grant (RFC 8628).

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, FABRIKAM, SWAGGER_UI_CLIENT_ID};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Answer, Form, NATIVE, TestTenant, UNKNOWN_CLIENT_ID, WEB, api_scope, claims, text,
};

const GRANTS: [&str; 2] = ["urn:ietf:params:oauth:grant-type:device_code", "device_code"];

const ENTRIES: &str = r#"
[[apps]]
client_id = "c3000000-0000-4000-8000-000000000001"
name = "Television"
tenant = "Contoso"
public_client = true
"#;
const TELEVISION: &str = "c3000000-0000-4000-8000-000000000001";

fn device_request() -> Form {
    let scope = format!("openid profile offline_access {}", api_scope());
    Form::empty().with("client_id", NATIVE.client_id).with("scope", &scope)
}

async fn ask_for_codes(tenant: &TestTenant, authority: &str, form: &Form) -> Answer {
    let url = tenant.url(&format!("/{authority}/oauth2/v2.0/devicecode"));
    Answer::of(form.on(tenant.browser.post(url))).await
}

pub(crate) async fn codes(tenant: &TestTenant) -> Value {
    codes_at(tenant, CONTOSO).await
}

async fn codes_at(tenant: &TestTenant, authority: &str) -> Value {
    let answer = ask_for_codes(tenant, authority, &device_request()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()
}

/// Submits the form of the device page.
pub(crate) async fn submit(
    tenant: &TestTenant,
    user_code: &str,
    pressed: &[(&str, &str)],
) -> Answer {
    let form = Form::empty().with("user_code", user_code);
    let form = pressed.iter().fold(form, |form, (name, value)| form.with(name, value));
    let url = tenant.url(&format!("/{CONTOSO}/oauth2/deviceauth"));
    Answer::of(form.on(tenant.browser.post(url))).await
}

async fn accept(tenant: &TestTenant, codes: &Value, account: &str) {
    let answer = submit(tenant, &text(codes, "user_code"), &[("account", account)]).await;
    answer.assert_page("You have signed in");
}

fn collection(device_code: &str) -> Form {
    Form::empty()
        .with("grant_type", GRANTS[0])
        .with("client_id", NATIVE.client_id)
        .with("device_code", device_code)
}

pub(crate) async fn collect(tenant: &TestTenant, codes: &Value) -> Answer {
    NATIVE.ask(tenant, &collection(&text(codes, "device_code"))).await
}

#[tokio::test]
async fn a_person_signs_in_for_a_device() {
    let tenant = TestTenant::start().await;
    let answer = ask_for_codes(&tenant, CONTOSO, &device_request()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let codes = answer.json();
    let (uri, user_code) = (text(&codes, "verification_uri"), text(&codes, "user_code"));
    assert_eq!(uri, tenant.url(&format!("/{CONTOSO}/oauth2/deviceauth")));
    assert_eq!(codes["expires_in"], 900);
    assert_eq!(codes["interval"], 5);
    assert_eq!(user_code.len(), 9);
    let message = text(&codes, "message");
    assert!(message.contains(&uri) && message.contains(&user_code), "{message}");

    let page = Answer::of(tenant.browser.get(&uri)).await;
    page.assert_page("Enter code");
    assert!(page.body.contains("<input id=\"user_code\" name=\"user_code\""));
    assert!(!page.body.contains("role=\"alert\""));
    let page = submit(&tenant, &user_code, &[]).await;
    page.assert_page("Pick an account");
    assert!(page.body.contains("<strong>Command line</strong>"), "{}", page.body);
    assert_eq!(page.hidden_input("user_code").as_deref(), Some(user_code.as_str()));
    collect(&tenant, &codes).await.assert_refusal(400, "authorization_pending", 70016);
    let page = submit(&tenant, &user_code, &[("account", "uma")]).await;
    page.assert_page("You have signed in");
    assert!(page.body.contains("<strong>Command line</strong>"), "{}", page.body);

    let answer = collect(&tenant, &codes).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    let access = claims(&body, "access_token");
    for (name, expected) in [
        ("aud", json!(API_CLIENT_ID)),
        ("azp", json!(NATIVE.client_id)),
        ("azpacr", json!("0")),
        ("scp", json!("access_as_user")),
        ("preferred_username", json!("uma@contoso.example")),
    ] {
        assert_eq!(access[name], expected, "{name}");
    }
    assert_eq!(claims(&body, "id_token")["aud"], NATIVE.client_id);
    NATIVE.renew(&tenant, &text(&body, "refresh_token")).await;
}

#[tokio::test]
async fn the_device_grant_type_has_two_names() {
    let tenant = TestTenant::start().await;
    for grant in GRANTS {
        let codes = codes(&tenant).await;
        let form = collection(&text(&codes, "device_code")).with("grant_type", grant);
        let answer = NATIVE.ask(&tenant, &form).await;
        answer.assert_refusal(400, "authorization_pending", 70016);
        accept(&tenant, &codes, "ada").await;
        assert_eq!(NATIVE.ask(&tenant, &form).await.status, StatusCode::OK, "{grant}");
    }
}

#[tokio::test]
async fn a_device_code_is_redeemed_once() {
    let tenant = TestTenant::start().await;
    let codes = codes(&tenant).await;
    accept(&tenant, &codes, "ada").await;
    assert_eq!(collect(&tenant, &codes).await.status, StatusCode::OK);
    collect(&tenant, &codes).await.assert_refusal(400, "invalid_grant", 54005);
    // The person cannot decide again.
    let page = submit(&tenant, &text(&codes, "user_code"), &[("account", "uma")]).await;
    page.assert_page_refusal(90119);
}

#[tokio::test(flavor = "multi_thread")]
async fn simultaneous_device_redemptions_succeed_once() {
    let tenant = TestTenant::start().await;
    let codes = codes(&tenant).await;
    accept(&tenant, &codes, "ada").await;
    let form = collection(&text(&codes, "device_code"));
    let requests = (0..8).map(|_| tokio::spawn(Answer::of(form.on(tenant.token_request(CONTOSO)))));
    let mut won = 0;
    for request in requests.collect::<Vec<_>>() {
        let answer = request.await.unwrap();
        if answer.status == StatusCode::OK {
            won += 1;
        } else {
            answer.assert_refusal(400, "invalid_grant", 54005);
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn cancelling_declines_the_device() {
    let tenant = TestTenant::start().await;
    let codes = codes(&tenant).await;
    let user_code = text(&codes, "user_code");
    let page = submit(&tenant, &user_code, &[("consent", "cancel")]).await;
    page.assert_page("Cancelled");
    for _ in 0..2 {
        collect(&tenant, &codes).await.assert_refusal(400, "authorization_declined", 90120);
    }
    submit(&tenant, &user_code, &[("account", "ada")]).await.assert_page_refusal(90119);
}

#[tokio::test]
async fn a_device_code_expires_after_fifteen_minutes() {
    let tenant = TestTenant::start().await;
    let (early, late) = (codes(&tenant).await, codes(&tenant).await);
    tenant.clock.advance(899);
    accept(&tenant, &early, "ada").await;
    assert_eq!(collect(&tenant, &early).await.status, StatusCode::OK);
    collect(&tenant, &late).await.assert_refusal(400, "authorization_pending", 70016);
    tenant.clock.advance(1);
    collect(&tenant, &late).await.assert_refusal(400, "expired_token", 70019);
    let page = submit(&tenant, &text(&late, "user_code"), &[("account", "ada")]).await;
    page.assert_page_refusal(90119);
}

#[tokio::test]
async fn a_device_code_of_another_app_is_refused() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let codes = codes(&tenant).await;
    accept(&tenant, &codes, "ada").await;
    let form = collection(&text(&codes, "device_code"));
    let other = NATIVE.ask(&tenant, &form.clone().with("client_id", TELEVISION)).await;
    other.assert_refusal(400, "bad_verification_code", 70018);
    let user_code = form.clone().with("device_code", &text(&codes, "user_code"));
    for (form, error, code) in [
        (user_code, "bad_verification_code", 70018),
        (form.clone().with("device_code", "unknown"), "bad_verification_code", 70018),
        (form.clone().without("device_code"), "invalid_request", 900_144),
    ] {
        NATIVE.ask(&tenant, &form).await.assert_refusal(400, error, code);
    }
    assert_eq!(NATIVE.ask(&tenant, &form).await.status, StatusCode::OK);
}

#[tokio::test]
async fn people_of_other_tenants_cannot_sign_in_for_a_device() {
    let tenant = TestTenant::start().await;
    let codes = codes(&tenant).await;
    for (account, number) in [("tia", 50020), ("pia", 50020), ("nobody", 50034)] {
        let page = submit(&tenant, &text(&codes, "user_code"), &[("account", account)]).await;
        page.assert_page_refusal(number);
    }
    collect(&tenant, &codes).await.assert_refusal(400, "authorization_pending", 70016);
}

#[tokio::test]
async fn a_device_code_is_valid_at_its_authority_or_the_tenant() {
    let tenant = TestTenant::start().await;
    for (asked_at, collected_at) in [
        (CONTOSO, CONTOSO),
        (CONTOSO, "contoso.example"),
        ("common", "common"),
        ("common", CONTOSO),
        ("organizations", CONTOSO),
    ] {
        let codes = codes_at(&tenant, asked_at).await;
        let collect = async |authority| {
            let form = collection(&text(&codes, "device_code"));
            Answer::of(form.on(tenant.token_request(authority))).await
        };
        collect(asked_at).await.assert_refusal(400, "authorization_pending", 70016);
        collect(FABRIKAM).await.assert_refusal(400, "invalid_grant", 700_005);
        accept(&tenant, &codes, "ada").await;
        for elsewhere in [FABRIKAM, "consumers", "organizations", "common"] {
            if elsewhere != asked_at {
                collect(elsewhere).await.assert_refusal(400, "invalid_grant", 700_005);
            }
        }
        // The refused attempt has not used up the code.
        let answer = collect(collected_at).await;
        assert_eq!(answer.status, StatusCode::OK, "{asked_at}, {collected_at}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_form_of_another_site_cannot_sign_in_a_device() {
    let tenant = TestTenant::start().await;
    let codes = codes(&tenant).await;
    let form = Form::empty().with("user_code", &text(&codes, "user_code")).with("account", "ada");
    let url = tenant.url(&format!("/{CONTOSO}/oauth2/deviceauth"));
    let request = form.on(tenant.browser.post(url)).header("sec-fetch-site", "cross-site");
    Answer::of(request).await.assert_page_refusal(90004);
    collect(&tenant, &codes).await.assert_refusal(400, "authorization_pending", 70016);
}

#[tokio::test]
async fn each_device_error_has_its_code() {
    let tenant = TestTenant::start().await;
    let form = device_request;
    for (form, status, error, code) in [
        (form().without("client_id"), 400, "invalid_request", 900_144),
        (form().with("client_id", UNKNOWN_CLIENT_ID), 400, "unauthorized_client", 700_016),
        (form().with("client_id", SWAGGER_UI_CLIENT_ID), 401, "invalid_client", 7_000_218),
        (form().with("client_id", WEB.client_id), 401, "invalid_client", 7_000_218),
        (form().without("scope"), 400, "invalid_request", 900_144),
        (form().with("scope", "api://unknown/read"), 400, "invalid_resource", 500_011),
        (form().with("claims", "[]"), 400, "invalid_request", 90023),
    ] {
        ask_for_codes(&tenant, CONTOSO, &form).await.assert_refusal(status, error, code);
    }
}
