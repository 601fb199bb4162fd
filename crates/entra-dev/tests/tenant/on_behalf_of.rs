//! The on-behalf-of grant.

use entra_dev::{
    Forgery, SignedWith,
    ids::{
        API_CLIENT_ID, CONSUMERS, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET, FABRIKAM,
        SWAGGER_UI_CLIENT_ID,
    },
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Answer, Form, NATIVE, Program, REPORTS_API, SINGLE_PAGE, TestTenant, WEB, api_scope, claims,
    reports_scope, text,
};

const TODO_API: Program = Program {
    client_id: API_CLIENT_ID,
    redirect_uri: "",
    secret: Some("api-secret"),
    origin: None,
};

fn exchange(assertion: &str) -> Form {
    Form::empty()
        .with("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .with("client_id", API_CLIENT_ID)
        .with("client_secret", "api-secret")
        .with("assertion", assertion)
        .with("scope", &reports_scope())
        .with("requested_token_use", "on_behalf_of")
}

fn caller_token(tenant: &TestTenant, account: &str) -> String {
    tenant.tenant.access_token(account).unwrap()
}

#[tokio::test]
async fn an_api_gets_a_token_on_behalf_of_its_caller() {
    let tenant = TestTenant::start().await;
    let body = SINGLE_PAGE.sign_in(&tenant, &api_scope(), "uma").await;
    let before = claims(&body, "access_token");
    let answer = TODO_API.ask(&tenant, &exchange(&text(&body, "access_token"))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["scope"], reports_scope());
    for absent in ["refresh_token", "id_token"] {
        assert_eq!(body.get(absent), None, "{absent}");
    }
    let after = claims(&body, "access_token");
    for (name, expected) in [
        ("aud", json!(REPORTS_API)),
        ("azp", json!(API_CLIENT_ID)),
        ("azpacr", json!("1")),
        ("scp", json!("read")),
        ("tid", json!(CONTOSO)),
        ("oid", before["oid"].clone()),
        ("preferred_username", json!("uma@contoso.example")),
    ] {
        assert_eq!(after[name], expected, "{name}");
    }
    assert_ne!(after["sub"], before["sub"]);
    // Roles are for one API.
    assert_eq!(before["roles"], json!(["User"]));
    assert_eq!(after.get("roles"), None);
}

#[tokio::test]
async fn on_behalf_of_can_return_a_refresh_token() {
    let tenant = TestTenant::start().await;
    let scope = format!("{} openid offline_access", reports_scope());
    let form = exchange(&caller_token(&tenant, "ada")).with("scope", &scope);
    let answer = TODO_API.ask(&tenant, &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let body = answer.json();
    assert_eq!(claims(&body, "id_token")["aud"], API_CLIENT_ID);
    let renewal = TODO_API.renewal(&text(&body, "refresh_token"));
    let answer = TODO_API.ask(&tenant, &renewal).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let renewed = claims(&answer.json(), "access_token");
    assert_eq!(renewed["aud"], REPORTS_API);
    assert_eq!(renewed["scp"], "read");
    let without = TODO_API.ask(&tenant, &renewal.without("client_secret")).await;
    without.assert_refusal(401, "invalid_client", 7_000_218);
}

#[tokio::test]
async fn an_assertion_outside_its_valid_time_is_refused() {
    let tenant = TestTenant::start().await;
    let body = SINGLE_PAGE.sign_in(&tenant, &api_scope(), "ada").await;
    let form = exchange(&text(&body, "access_token"));
    tenant.clock.advance(body["expires_in"].as_u64().unwrap() - 1);
    assert_eq!(TODO_API.ask(&tenant, &form).await.status, StatusCode::OK);
    tenant.clock.advance(1);
    TODO_API.ask(&tenant, &form).await.assert_refusal(400, "invalid_grant", 500_133);
    let early = tenant.tenant.forge(&Forgery::of("ada").valid_in(1)).unwrap();
    let answer = TODO_API.ask(&tenant, &exchange(&early)).await;
    answer.assert_refusal(400, "invalid_grant", 500_133);
}

#[tokio::test]
async fn an_assertion_that_is_not_our_token_is_refused() {
    let tenant = TestTenant::start().await;
    let honest = caller_token(&tenant, "ada");
    let (signed, _) = honest.rsplit_once('.').unwrap();
    let forged = |forgery: Forgery| tenant.tenant.forge(&forgery).unwrap();
    for (reason, assertion) in [
        ("no signature", format!("{signed}.")),
        ("a stranger's", forged(Forgery::of("ada").signed_with(SignedWith::Stranger))),
        ("nobody's", forged(Forgery::of("ada").signed_with(SignedWith::Nothing))),
        ("an unknown key", forged(Forgery::of("ada").header("kid", "unknown"))),
        ("another algorithm", forged(Forgery::of("ada").header("alg", "HS256"))),
        ("nobody", forged(Forgery::of("ada").claim("oid", Value::Null))),
        ("of another issuer", forged(Forgery::of("ada").claim("iss", "https://evil.example/v2.0"))),
        ("bound", forged(Forgery::of("ada").claim("cnf", json!({ "kid": "x" })))),
    ] {
        let answer = TODO_API.ask(&tenant, &exchange(&assertion)).await;
        assert_eq!(answer.status, 400, "{reason}");
        answer.assert_refusal(400, "invalid_grant", 50013);
    }
    for no_jwt in ["assertion", signed] {
        let answer = TODO_API.ask(&tenant, &exchange(no_jwt)).await;
        answer.assert_refusal(400, "invalid_request", 50027);
    }
    assert_eq!(TODO_API.ask(&tenant, &exchange(&honest)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    let tenant = TestTenant::start().await;
    for scope in [reports_scope(), "openid profile".to_owned()] {
        let body = SINGLE_PAGE.sign_in(&tenant, &scope, "ada").await;
        let answer = TODO_API.ask(&tenant, &exchange(&text(&body, "access_token"))).await;
        answer.assert_refusal(400, "invalid_grant", 500_131);
        assert!(answer.body.contains(&format!("expected audience is '{API_CLIENT_ID}'")));
    }
}

/// Each published key has an issuer.
#[tokio::test]
async fn the_key_of_personal_accounts_signs_nobody_else() {
    let tenant = TestTenant::start().await;
    for (account, key, home, accepted) in [
        ("ada", SignedWith::Personal, CONTOSO, false),
        ("ada", SignedWith::Next, CONTOSO, true),
        ("pia", SignedWith::Personal, "consumers", true),
        ("pia", SignedWith::Next, "consumers", false),
    ] {
        let token = tenant.tenant.forge(&Forgery::of(account).signed_with(key)).unwrap();
        let answer = Answer::of(exchange(&token).on(tenant.token_request(home))).await;
        if accepted {
            assert_eq!(answer.status, StatusCode::OK, "{account} {key:?}: {}", answer.body);
        } else {
            answer.assert_refusal(400, "invalid_grant", 50013);
        }
    }
    let tid = |tid: &str| Forgery::of("ada").claim("tid", tid).signed_with(SignedWith::Personal);
    let token = tenant.tenant.forge(&tid(CONSUMERS)).unwrap();
    let answer = TODO_API.ask(&tenant, &exchange(&token)).await;
    answer.assert_refusal(400, "invalid_grant", 50013);
}

#[tokio::test]
async fn an_id_token_is_refused_as_an_assertion() {
    let tenant = TestTenant::start().await;
    let body = WEB.sign_in(&tenant, "openid profile", "ada").await;
    let id_token = text(&body, "id_token");
    let of_the_site = exchange(&id_token)
        .with("client_id", WEB.client_id)
        .with("client_secret", WEB.secret.unwrap());
    for form in [of_the_site, exchange(&id_token)] {
        let answer = TODO_API.ask(&tenant, &form).await;
        answer.assert_refusal(400, "invalid_grant", 240_002);
    }
}

#[tokio::test]
async fn an_app_only_token_is_refused_as_an_assertion() {
    let tenant = TestTenant::start().await;
    let form = Form::empty()
        .with("grant_type", "client_credentials")
        .with("client_id", DAEMON_CLIENT_ID)
        .with("client_secret", DAEMON_SECRET)
        .with("scope", &format!("{API_CLIENT_ID}/.default"));
    let body = TODO_API.ask(&tenant, &form).await.json();
    let answer = TODO_API.ask(&tenant, &exchange(&text(&body, "access_token"))).await;
    answer.assert_refusal(400, "invalid_grant", 7_000_114);
}

#[tokio::test]
async fn an_assertion_of_another_tenants_person_is_refused() {
    let tenant = TestTenant::start().await;
    for (account, home) in [("tia", FABRIKAM), ("pia", "consumers")] {
        let form = exchange(&caller_token(&tenant, account));
        let answer = TODO_API.ask(&tenant, &form).await;
        answer.assert_refusal(400, "invalid_grant", 50013);
        let answer = Answer::of(form.on(tenant.token_request(home))).await;
        assert_eq!(answer.status, StatusCode::OK, "{account}: {}", answer.body);
    }
}

#[tokio::test]
async fn each_on_behalf_of_error_has_its_code() {
    let tenant = TestTenant::start().await;
    let token = caller_token(&tenant, "ada");
    let form = || exchange(&token);
    let two = format!("{} {}", reports_scope(), api_scope());
    for (form, status, error, code) in [
        (form().without("requested_token_use"), 400, "invalid_request", 900_144),
        (form().with("requested_token_use", "anything"), 400, "invalid_request", 900_144),
        (form().without("assertion"), 400, "invalid_request", 900_144),
        (form().without("scope"), 400, "invalid_request", 900_144),
        (form().with("scope", &two), 400, "invalid_scope", 28000),
        (form().with("scope", "api://unknown/read"), 400, "invalid_resource", 500_011),
        (form().without("client_secret"), 401, "invalid_client", 7_000_218),
        (form().with("client_secret", "wrong"), 401, "invalid_client", 7_000_215),
    ] {
        TODO_API.ask(&tenant, &form).await.assert_refusal(status, error, code);
    }
}

#[tokio::test]
async fn a_public_client_cannot_act_on_behalf_of_anybody() {
    let tenant = TestTenant::start().await;
    let form = exchange(&caller_token(&tenant, "ada")).without("client_secret");
    for client_id in [NATIVE.client_id, SWAGGER_UI_CLIENT_ID] {
        let answer = TODO_API.ask(&tenant, &form.clone().with("client_id", client_id)).await;
        answer.assert_refusal(401, "invalid_client", 7_000_218);
    }
}
