//! Access tokens that are bound to a key of the client: MSAL's signed requests.

use base64::{
    Engine,
    prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD},
};
use entra_dev::ids::{
    API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET, SWAGGER_UI_CLIENT_ID,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Answer, Form, NATIVE, SINGLE_PAGE, TestTenant, api_scope, claims, client_credentials,
    reports_scope, text,
};

/// The thumbprint of the example of RFC 7638.
const KID: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

const OLD_API: &str = r#"
[[apps]]
client_id = "b4000000-0000-4000-8000-000000000001"
name = "Old API"
tenant = "Contoso"
access_token_version = 1
scopes = ["read"]
"#;

/// The parameter that MSAL for JavaScript sends.
fn req_cnf() -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json!({ "kid": KID, "xms_ksl": "sw" }).to_string())
}

fn bound(form: &Form) -> Form {
    form.clone().with("token_type", "pop").with("req_cnf", &req_cnf())
}

/// A client credentials request.
fn daemon() -> Form {
    client_credentials(DAEMON_CLIENT_ID, DAEMON_SECRET, &format!("{API_CLIENT_ID}/.default"))
}

#[track_caller]
fn assert_bound(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let body = answer.json();
    assert_eq!(body["token_type"], "pop");
    assert_eq!(claims(&body, "access_token")["cnf"], json!({ "kid": KID }));
    body
}

#[track_caller]
fn assert_bearer(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(claims(&body, "access_token").get("cnf"), None);
    body
}

#[tokio::test]
async fn every_grant_can_bind_the_access_token_to_a_key() {
    let tenant = TestTenant::start().await;
    let scope = format!("openid offline_access {}", api_scope());
    let code = tenant.code_for(CONTOSO, &SINGLE_PAGE.authorization(&scope), "uma").await;
    let answer = SINGLE_PAGE.ask(&tenant, &bound(&SINGLE_PAGE.redemption(&code))).await;
    let body = assert_bound(&answer);
    assert_eq!(claims(&body, "id_token").get("cnf"), None, "only the access token is bound");

    let renewal = SINGLE_PAGE.renewal(&text(&body, "refresh_token"));
    assert_bound(&SINGLE_PAGE.ask(&tenant, &bound(&renewal)).await);
    // The refresh token itself is not bound.
    let body = assert_bearer(&SINGLE_PAGE.ask(&tenant, &renewal).await);

    let on_behalf_of = Form::empty()
        .with("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .with("client_id", API_CLIENT_ID)
        .with("client_secret", "api-secret")
        .with("assertion", &text(&body, "access_token"))
        .with("scope", &reports_scope())
        .with("requested_token_use", "on_behalf_of");
    assert_bound(&tenant.post("token", &bound(&on_behalf_of)).await);
    assert_bearer(&tenant.post("token", &on_behalf_of).await);

    assert_bound(&tenant.post("token", &bound(&daemon())).await);
    assert_bearer(&tenant.post("token", &daemon()).await);
    assert_bearer(&tenant.post("token", &daemon().with("token_type", "Bearer")).await);
}

#[tokio::test]
async fn a_device_can_bind_its_access_token_to_a_key() {
    let tenant = TestTenant::start().await;
    let request = Form::empty().with("client_id", NATIVE.client_id).with("scope", &api_scope());
    let codes = tenant.post("devicecode", &request).await.json();
    let form = Form::empty().with("user_code", &text(&codes, "user_code")).with("account", "uma");
    let url = tenant.url(&format!("/{CONTOSO}/oauth2/deviceauth"));
    Answer::of(form.on(tenant.browser.post(url))).await.assert_page("You have signed in");
    let collection = Form::empty()
        .with("grant_type", "device_code")
        .with("client_id", NATIVE.client_id)
        .with("device_code", &text(&codes, "device_code"));
    assert_bound(&tenant.post("token", &bound(&collection)).await);
}

#[tokio::test]
async fn a_v1_token_can_be_bound_to_a_key() {
    let tenant = TestTenant::start_having(OLD_API).await;
    let scope = "api://b4000000-0000-4000-8000-000000000001/.default";
    let body = assert_bound(&tenant.post("token", &bound(&daemon().with("scope", scope))).await);
    assert_eq!(claims(&body, "access_token")["ver"], "1.0");
}

#[tokio::test]
async fn a_binding_without_a_valid_key_is_refused() {
    let tenant = TestTenant::start().await;
    let pop = daemon().with("token_type", "pop");
    tenant.post("token", &pop).await.assert_refusal(400, "invalid_request", 900_144);
    let empty = pop.clone().with("req_cnf", "");
    tenant.post("token", &empty).await.assert_refusal(400, "invalid_request", 900_144);
    let encoded = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    for malformed in [
        "!".to_owned(),
        json!({ "kid": KID }).to_string(),
        BASE64_URL_SAFE_NO_PAD.encode("{\"kid\":"),
        encoded(&json!(KID)),
        encoded(&json!([KID])),
        encoded(&json!({})),
        encoded(&json!({ "kid": "" })),
        encoded(&json!({ "kid": 1 })),
        encoded(&json!({ "jwk": { "kid": KID } })),
    ] {
        let answer = tenant.post("token", &pop.clone().with("req_cnf", &malformed)).await;
        assert_eq!(answer.status, 400, "{malformed}");
        answer.assert_refusal(400, "invalid_request", 90023);
    }
    let twice = bound(&daemon()).and("req_cnf", &req_cnf());
    tenant.post("token", &twice).await.assert_refusal(400, "invalid_request", 90100);
    for other in ["ssh-cert", "mtls_pop", "DPoP"] {
        let form = bound(&daemon()).with("token_type", other);
        tenant.post("token", &form).await.assert_refusal(400, "invalid_request", 90023);
    }
    // MSAL for JavaScript may add padding.
    let padded = BASE64_URL_SAFE.encode(json!({ "kid": KID }).to_string());
    assert!(padded.ends_with('='), "{padded}");
    assert_bound(&tenant.post("token", &pop.with("req_cnf", &padded)).await);
}

#[tokio::test]
async fn a_faulty_binding_does_not_use_up_the_code() {
    let tenant = TestTenant::start().await;
    let code = tenant.code("uma").await;
    let form = Form::redemption(&code);
    for faulty in [form.clone().with("token_type", "pop"), bound(&form).with("req_cnf", "e30")] {
        assert_eq!(tenant.redeem(CONTOSO, &faulty).await.status, 400);
    }
    let body = assert_bound(&tenant.redeem(CONTOSO, &bound(&form)).await);
    assert_eq!(claims(&body, "access_token")["azp"], SWAGGER_UI_CLIENT_ID);
}

#[tokio::test]
async fn user_information_refuses_a_bound_token_as_bearer() {
    let tenant = TestTenant::start().await;
    let authorization = Form::authorization().with("scope", "openid");
    for (is_bound, status) in [(true, 401), (false, 200)] {
        let form = Form::redemption(&tenant.code_for(CONTOSO, &authorization, "uma").await);
        let form = if is_bound { bound(&form) } else { form };
        let token = tenant.redeem(CONTOSO, &form).await.token("access_token");
        let request = tenant.browser.get(tenant.url("/oidc/userinfo")).bearer_auth(token);
        assert_eq!(Answer::of(request).await.status, status);
    }
}
