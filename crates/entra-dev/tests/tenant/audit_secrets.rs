//! The audit trail contains no secrets, neither on the page nor in JSON.

use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use entra_dev::ids::CONTOSO;
use serde_json::json;

use crate::{
    isolated_tenants::Isolated,
    support::{
        Answer, Browser, CHALLENGE, Form, NATIVE, ORIGIN, TestTenant, VERIFIER, authorize_path,
        section,
    },
};

/// The client ids of one tenant.
struct Apps {
    api: String,
    spa: String,
    daemon: String,
    native: String,
}

#[tokio::test]
async fn the_audit_trail_contains_no_secrets() {
    let tenant = TestTenant::start().await;
    let apps = Apps {
        api: entra_dev::ids::API_CLIENT_ID.to_owned(),
        spa: entra_dev::ids::SWAGGER_UI_CLIENT_ID.to_owned(),
        daemon: entra_dev::ids::DAEMON_CLIENT_ID.to_owned(),
        native: NATIVE.client_id.to_owned(),
    };
    let secrets = send_secrets(&tenant, CONTOSO, &apps).await;
    assert_hidden(&tenant, "/_dev", &secrets).await;
}

#[tokio::test]
async fn the_audit_trail_of_an_isolated_tenant_contains_no_secrets() {
    let tenant = TestTenant::start().await;
    let isolated = Isolated::create(&tenant, &json!({})).await;
    let apps = Apps {
        api: isolated.client_id("Todo API"),
        spa: isolated.client_id("Todo API - Swagger UI"),
        daemon: isolated.client_id("Nightly job"),
        native: isolated.client_id("Command line"),
    };
    let secrets = send_secrets(&tenant, &isolated.id, &apps).await;
    assert_hidden(&tenant, &isolated.controls(""), &secrets).await;
    assert_eq!(tenant.audit().await.len(), 0);
}

#[tokio::test]
async fn secrets_in_names_and_in_uris_are_hidden() {
    let tenant = TestTenant::start().await;
    let token = tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/token"));
    for body in [
        r#"{"client_secret":"SECRET-json","grant_type":"client_credentials","x":"a=b"}"#,
        "grant_type=x&SECRET+base64==&SECRETpart=1&client_secret=SECRET-value",
    ] {
        let request = tenant.browser.post(&token).body(body);
        let form = "application/x-www-form-urlencoded";
        Answer::of(request.header("content-type", form)).await;
    }
    let form = Form::authorization()
        .with("redirect_uri", "http://localhost/cb?code=SECRET-code&x#SECRET-fragment")
        .with("claims", r#"{"id_token":{"nonce":{"value":"SECRET-nonce"},"acrs":null}}"#);
    tenant.authorize(CONTOSO, &form).await;
    let logout = Form::empty()
        .with("post_logout_redirect_uri", "http://localhost/cb?code=SECRET-logout")
        .encoded();
    tenant.get(&format!("/{CONTOSO}/oauth2/v2.0/logout?{logout}")).await;
    let json = tenant.get("/_dev/audit").await.body;
    let page = tenant.dev_page().await;
    for text in [&json, section(&page, "Audit trail")] {
        assert!(!text.contains("SECRET"), "{text}");
        assert!(text.contains("http://localhost/cb?code=(hidden, 11 characters)&"), "{text}");
        assert!(text.contains("acrs") && text.contains("client_secret"), "{text}");
    }
}

#[tokio::test]
async fn a_body_full_of_beginnings_of_tokens_is_recorded_at_once() {
    let tenant = TestTenant::start().await;
    let form = Form::empty().with("grant_type", &"eyJ ".repeat(16 * 1024 - 100));
    let before = Instant::now();
    tenant.redeem(CONTOSO, &form).await;
    // It took most of a minute when the time grew with the square of the length.
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    let detail = tenant.audit().await[0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("(hidden, 3 characters) (hidden, 3"), "{detail}");
    assert_eq!(detail.chars().count(), 401, "{detail}");
}

#[tokio::test]
async fn repeated_headers_are_cut() {
    let tenant = TestTenant::start().await;
    let mut request = tenant.token_request(CONTOSO);
    for _ in 0..40 {
        request = request.header("cookie", "a").header("origin", "o".repeat(300));
    }
    let form = (0..100).fold(Form::empty(), |form, _| form.and("scope", &"s".repeat(90)));
    Answer::of(form.on(request)).await;
    let recorded = &tenant.audit().await[0]["request"];
    let headers = recorded["headers"].as_array().unwrap();
    for name in ["cookie", "origin"] {
        assert_eq!(headers.iter().filter(|it| it["name"] == name).count(), 2, "{name}");
    }
    assert!(recorded.to_string().len() < 6_000, "{recorded}");
}

/// Sends every kind of secret in every place, and returns all of them.
async fn send_secrets(tenant: &TestTenant, authority: &str, apps: &Apps) -> Vec<String> {
    let mut secrets = Vec::from(
        [
            VERIFIER,
            CHALLENGE,
            "wrong-",
            "state-of-the-app",
            "nonce-of-the-app",
            "api-secret",
            "dev-secret",
            "session-of-",
            "password-of-",
        ]
        .map(str::to_owned),
    );
    let token = |form: Form| {
        let url = tenant.url(&format!("/{authority}/oauth2/v2.0/token"));
        Answer::of(form.on(tenant.browser.post(url)))
    };
    let grant = |grant_type: &str, client_id: &str| {
        Form::empty().with("grant_type", grant_type).with("client_id", client_id)
    };

    // A person signs in, twice in the same browser, and the app gets and renews its tokens.
    let scope = format!("openid offline_access api://{}/access_as_user", apps.api);
    let form = Form::authorization()
        .with("client_id", &apps.spa)
        .with("scope", &scope)
        .with("state", "state-of-the-app")
        .with("nonce", "nonce-of-the-app");
    let browser = Browser::new(tenant);
    let first = browser.pick(authority, &form, "ada").await;
    secrets.extend(browser.cookie().unwrap().split('=').skip(1).map(str::to_owned));
    let second =
        browser.post(&authorize_path(authority), &form.clone().with("account", "ada")).await;
    let [code, unused] = [&first, &second].map(|it| it.redirect_parameter("code").unwrap());
    let redemption = Form::redemption(&code).with("client_id", &apps.spa);
    let tokens = tenant.redeem(authority, &redemption).await;
    let [access, refresh, id] =
        ["access_token", "refresh_token", "id_token"].map(|name| tokens.token(name));
    tenant.redeem(authority, &redemption.with("code", "wrong-code")).await;
    for value in [&refresh, "wrong-refresh"] {
        let renewal = grant("refresh_token", &apps.spa).with("refresh_token", value);
        tenant.redeem(authority, &renewal).await;
    }

    // Clients authenticate in every way.
    let default = format!("api://{}/.default", apps.api);
    let daemon = grant("client_credentials", &apps.daemon).with("scope", &default);
    for secret in ["dev-secret", "wrong-secret"] {
        token(daemon.clone().with("client_secret", secret)).await;
        let request = tenant.token_request(authority).basic_auth(&apps.daemon, Some(secret));
        Answer::of(daemon.on(request.header("cookie", "entra=session-of-somebody"))).await;
        secrets.push(BASE64_STANDARD.encode(format!("{}:{secret}", apps.daemon)));
    }
    let bare = tenant.token_request(authority).header("authorization", "wrong-without-a-scheme");
    Answer::of(daemon.on(bare)).await;
    for assertion in [&id, "wrong-client-assertion"] {
        token(daemon.clone().with("client_assertion", assertion)).await;
    }
    let on_behalf_of = grant("urn:ietf:params:oauth:grant-type:jwt-bearer", &apps.api)
        .with("client_secret", "api-secret")
        .with("requested_token_use", "on_behalf_of")
        .with("scope", "openid");
    for assertion in [&access, "wrong-assertion"] {
        token(on_behalf_of.clone().with("assertion", assertion)).await;
    }
    token(grant("password", &apps.native).with("password", "password-of-ada")).await;

    // A device waits, and a person enters its code.
    let url = tenant.url(&format!("/{authority}/oauth2/v2.0/devicecode"));
    let device = Form::empty().with("client_id", &apps.native).with("scope", "openid");
    let device = Answer::of(device.on(tenant.browser.post(url))).await;
    let [device_code, user_code] = ["device_code", "user_code"].map(|name| device.token(name));
    token(grant("device_code", &apps.native).with("device_code", &device_code)).await;
    let page = tenant.url(&format!("/{authority}/oauth2/deviceauth"));
    for typed in [&user_code, "wrong-user-code"] {
        let form = Form::empty().with("user_code", typed);
        Answer::of(form.on(tenant.browser.post(&page))).await;
        Answer::of(tenant.browser.get(format!("{page}?{}", form.encoded()))).await;
    }

    // Tokens end up in parameters that should contain something else.
    for name in ["login_hint", "scope", "prompt", "client_id"] {
        let misplaced = form.clone().with(name, &access);
        tenant.authorize(authority, &misplaced).await;
    }
    token(grant(&access, &apps.native)).await;
    let hint = Form::empty().with("id_token_hint", &id).encoded();
    tenant.get(&format!("/{authority}/oauth2/v2.0/logout?{hint}")).await;
    // A repeated parameter, and an unknown one whose name is not a secret.
    let twice = form.clone().and("state", "state-of-the-app-again").with("note", "wrong-note");
    tenant.authorize(authority, &twice).await;
    let origin = tenant.token_request(authority).header("origin", ORIGIN);
    Answer::of(Form::empty().with("code", &unused).on(origin)).await;

    secrets.extend([code, unused, device_code, user_code]);
    for token in [access, refresh, id] {
        // The parts of a token, too.
        secrets.extend(token.split('.').skip(1).map(str::to_owned));
        secrets.push(token);
    }
    secrets
}

/// Asserts that the trail is long, and contains none of these texts.
async fn assert_hidden(tenant: &TestTenant, controls: &str, secrets: &[String]) {
    let json = tenant.get(&format!("{controls}/audit")).await;
    let entries = json.json()["entries"].as_array().unwrap().len();
    assert_eq!(entries, 30, "{}", json.body);
    let request = tenant.browser.get(tenant.url(controls)).header("accept", "text/html");
    let page = Answer::of(request).await.body;
    // The tables of the page show the registered secrets.
    let trail = section(&page, "Audit trail");
    assert!(trail.matches("(hidden, ").count() > 28, "{trail}");
    assert!(secrets.len() > 20);
    // Not even the beginning of a token.
    assert!(!json.body.contains("eyJ") && !trail.contains("eyJ"), "{trail}");
    for secret in secrets {
        assert!(secret.len() > 5, "{secret:?}");
        assert!(!json.body.contains(secret.as_str()), "the JSON has {secret}");
        assert!(!trail.contains(secret.as_str()), "the page has {secret}");
    }
}
