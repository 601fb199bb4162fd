//! The client credentials grant.

use base64::{Engine, prelude::BASE64_STANDARD};
use entra_dev::ids::{
    API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET, FABRIKAM, SWAGGER_UI_CLIENT_ID,
};
use reqwest::StatusCode;
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use crate::support::{
    Answer, Form, NATIVE, NOW, TestTenant, UNKNOWN_CLIENT_ID, api_scope, claims, section,
};

const IMPORTER: &str = "c1000000-0000-4000-8000-000000000001";
const LEDGER: &str = "c1000000-0000-4000-8000-000000000002";
const OLD_API: &str = "c1000000-0000-4000-8000-000000000003";
const LOCAL_JOB: &str = "c1000000-0000-4000-8000-000000000004";
const AWKWARD_SECRET: &str = "a b+c&d=e%20~:ü";

const ENTRIES: &str = r#"
[[apps]]
client_id = "c1000000-0000-4000-8000-000000000001"
name = "Importer"
tenant = "Contoso"
added_to = ["Fabrikam"]
redirect_uris.web = ["http://localhost/imported"]
secrets = ["new-secret", "a b+c&d=e%20~:ü"]
expired_secrets = ["old-secret"]
permissions = { "Ledger API" = ["Post"] }

[[apps]]
client_id = "c1000000-0000-4000-8000-000000000002"
name = "Ledger API"
tenant = "Contoso"
assignment_required = true
app_roles = ["Post"]
optional_claims = ["idtyp"]

[[apps]]
client_id = "c1000000-0000-4000-8000-000000000003"
name = "Old API"
tenant = "Contoso"
app_id_uri = "https://old.example"
access_token_version = 1

[[apps]]
client_id = "c1000000-0000-4000-8000-000000000004"
name = "Local job"
tenant = "Contoso"
single_tenant = true
secrets = ["job-secret"]
"#;

fn request(client_id: &str, secret: &str, resource: &str) -> Form {
    Form::empty()
        .with("grant_type", "client_credentials")
        .with("client_id", client_id)
        .with("client_secret", secret)
        .with("scope", &format!("{resource}/.default"))
}

async fn ask(tenant: &TestTenant, form: &Form) -> Answer {
    Answer::of(form.on(tenant.token_request(CONTOSO))).await
}

fn basic(client_id: &str, secret: &str) -> String {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = format!("{}:{}", encode(client_id), encode(secret));
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

#[tokio::test]
async fn an_app_only_token_identifies_the_app() {
    let tenant = TestTenant::start().await;
    let form = request(DAEMON_CLIENT_ID, DAEMON_SECRET, &format!("api://{API_CLIENT_ID}"));
    let answer = ask(&tenant, &form.with("claims", "{}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    // There is no refresh token, ID token or scope.
    let expected = ["token_type", "expires_in", "ext_expires_in", "access_token"];
    assert_eq!(members, expected);
    let claims = claims(&body, "access_token");
    for (name, expected) in [
        ("aud", json!(API_CLIENT_ID)),
        ("iss", json!(tenant.url(&format!("/{CONTOSO}/v2.0")))),
        ("iat", json!(NOW)),
        ("azp", json!(DAEMON_CLIENT_ID)),
        ("azpacr", json!("1")),
        ("roles", json!(["Todos.ReadWrite.All"])),
        ("tid", json!(CONTOSO)),
        ("ver", json!("2.0")),
        ("sub", claims["oid"].clone()),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
    assert!(uuid::Uuid::try_parse(claims["oid"].as_str().unwrap()).is_ok());
    assert_ne!(claims["oid"], DAEMON_CLIENT_ID);
    for absent in ["scp", "name", "preferred_username", "idtyp", "acct", "email", "nonce"] {
        assert_eq!(claims.get(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn idtyp_is_set_if_the_api_asks_for_it() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let body = ask(&tenant, &request(IMPORTER, "new-secret", LEDGER)).await.json();
    let ledger = claims(&body, "access_token");
    assert_eq!(ledger["aud"], LEDGER);
    assert_eq!(ledger["idtyp"], "app");
    assert_eq!(ledger["roles"], json!(["Post"]));
    // The principal is the same for all APIs, and there are no roles without an assignment.
    let body = ask(&tenant, &request(IMPORTER, "new-secret", API_CLIENT_ID)).await.json();
    let todos = claims(&body, "access_token");
    assert_eq!(todos["oid"], ledger["oid"]);
    assert_eq!(todos.get("roles"), None);
    assert_eq!(todos.get("idtyp"), None);
}

#[tokio::test]
async fn a_version_1_api_gets_version_1_claims() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let by_id = ask(&tenant, &request(IMPORTER, "new-secret", OLD_API)).await.json();
    assert_eq!(claims(&by_id, "access_token")["aud"], "https://old.example");
    let form = request(IMPORTER, "new-secret", "https://old.example");
    let body = ask(&tenant, &form).await.json();
    let claims = claims(&body, "access_token");
    let issuer = tenant.url(&format!("/{CONTOSO}/"));
    for (name, expected) in [
        ("aud", json!("https://old.example")),
        ("iss", json!(issuer)),
        ("idp", json!(issuer)),
        ("appid", json!(IMPORTER)),
        ("appidacr", json!("1")),
        ("ver", json!("1.0")),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
    for absent in ["azp", "azpacr", "scp", "upn", "unique_name"] {
        assert_eq!(claims.get(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn an_app_has_one_service_principal_in_each_tenant() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let form = request(IMPORTER, "new-secret", API_CLIENT_ID);
    let here = claims(&ask(&tenant, &form).await.json(), "access_token");
    let there = Answer::of(form.on(tenant.token_request("fabrikam.example"))).await.json();
    let there = claims(&there, "access_token");
    assert_eq!(there["tid"], FABRIKAM);
    assert_eq!(there["iss"], tenant.url(&format!("/{FABRIKAM}/v2.0")));
    assert_ne!(there["oid"], here["oid"]);
}

/// Nobody signs in, so nobody consents, and the directory must say that the app is there.
#[tokio::test]
async fn an_app_that_was_not_added_to_a_tenant_is_unknown_there() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let ask_at = async |authority: &str, client_id: &str, secret: &str| {
        let form = request(client_id, secret, API_CLIENT_ID);
        Answer::of(form.on(tenant.token_request(authority))).await
    };
    for (authority, client_id, secret, added) in [
        (CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET, true),
        ("contoso.example", DAEMON_CLIENT_ID, DAEMON_SECRET, true),
        (FABRIKAM, DAEMON_CLIENT_ID, DAEMON_SECRET, false),
        ("fabrikam.example", DAEMON_CLIENT_ID, DAEMON_SECRET, false),
        ("consumers", DAEMON_CLIENT_ID, DAEMON_SECRET, false),
        (FABRIKAM, IMPORTER, "new-secret", true),
        ("fabrikam.example", IMPORTER, "new-secret", true),
        ("consumers", IMPORTER, "new-secret", false),
    ] {
        let answer = ask_at(authority, client_id, secret).await;
        if added {
            assert_eq!(answer.status, StatusCode::OK, "{authority}: {}", answer.body);
        } else {
            answer.assert_refusal(400, "unauthorized_client", 700_016);
        }
    }
    let page = tenant.dev_page().await;
    assert!(section(&page, "Apps").contains("added to Fabrikam"));
}

/// The consent of an administrator adds the app.
#[tokio::test]
async fn admin_consent_adds_an_app_to_the_tenant() {
    let entries = ENTRIES.replace("added_to = [\"Fabrikam\"]\n", "");
    let tenant = TestTenant::start_having(&entries).await;
    let form = request(IMPORTER, "new-secret", API_CLIENT_ID);
    let ask_there = async || Answer::of(form.on(tenant.token_request(FABRIKAM))).await;
    ask_there().await.assert_refusal(400, "unauthorized_client", 700_016);
    let consent = Form::empty()
        .with("client_id", IMPORTER)
        .with("redirect_uri", "http://localhost/imported")
        .with("scope", &format!("{API_CLIENT_ID}/.default"))
        .with("account", "tia")
        .with("consent", "accept");
    let url = tenant.url(&format!("/{FABRIKAM}/v2.0/adminconsent"));
    let answer = Answer::of(consent.on(tenant.browser.post(url))).await;
    assert_eq!(answer.redirect_parameter("admin_consent").as_deref(), Some("True"));
    let answer = ask_there().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    // In no other tenant, and for no other app.
    let form = request(DAEMON_CLIENT_ID, DAEMON_SECRET, API_CLIENT_ID);
    for (form, authority) in [(form, FABRIKAM), (request(IMPORTER, "new-secret", "x"), "consumers")]
    {
        let answer = Answer::of(form.on(tenant.token_request(authority))).await;
        answer.assert_refusal(400, "unauthorized_client", 700_016);
    }
}

#[tokio::test]
async fn a_secret_can_be_sent_with_http_basic() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let form = request("", "", API_CLIENT_ID);
    for secret in ["new-secret", AWKWARD_SECRET] {
        let asked = tenant.token_request(CONTOSO).header("authorization", basic(IMPORTER, secret));
        let answer = Answer::of(form.on(asked)).await;
        assert_eq!(answer.status, StatusCode::OK, "{secret}: {}", answer.body);
        assert_eq!(claims(&answer.json(), "access_token")["azpacr"], "1");
        let in_body = request(IMPORTER, secret, API_CLIENT_ID);
        assert_eq!(ask(&tenant, &in_body).await.status, StatusCode::OK, "{secret}");
    }
    for (secret, code) in [("wrong", 7_000_215), ("", 7_000_215), ("old-secret", 7_000_222)] {
        let asked = tenant.token_request(CONTOSO).header("authorization", basic(IMPORTER, secret));
        Answer::of(form.on(asked)).await.assert_refusal(401, "invalid_client", code);
    }
}

#[tokio::test]
async fn each_client_credentials_error_has_its_code() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let form = || request(IMPORTER, "new-secret", API_CLIENT_ID);
    let default = format!("{API_CLIENT_ID}/.default");
    let two = format!("{default} {LEDGER}/.default");
    let with_openid = format!("{default} openid");
    for (form, status, error, code) in [
        (form().with("client_secret", "wrong"), 401, "invalid_client", 7_000_215),
        (form().with("client_secret", "NEW-SECRET"), 401, "invalid_client", 7_000_215),
        (form().with("client_secret", "old-secret"), 401, "invalid_client", 7_000_222),
        (form().without("client_secret"), 401, "invalid_client", 7_000_218),
        (form().and("client_secret", "new-secret"), 400, "invalid_request", 90100),
        (form().with("client_id", NATIVE.client_id), 401, "invalid_client", 700_025),
        (form().with("client_id", SWAGGER_UI_CLIENT_ID), 401, "invalid_client", 700_025),
        (form().with("client_id", UNKNOWN_CLIENT_ID), 400, "unauthorized_client", 700_016),
        (form().without("client_id"), 400, "invalid_request", 900_144),
        (form().without("scope"), 400, "invalid_request", 900_144),
        (form().with("scope", &api_scope()), 400, "invalid_scope", 1_002_012),
        (form().with("scope", "openid"), 400, "invalid_scope", 1_002_012),
        (form().with("scope", &with_openid), 400, "invalid_scope", 1_002_012),
        (form().with("scope", &two), 400, "invalid_scope", 70011),
        (form().with("scope", "api://unknown/.default"), 400, "invalid_resource", 500_011),
    ] {
        ask(&tenant, &form).await.assert_refusal(status, error, code);
    }
    let public = request(NATIVE.client_id, "", API_CLIENT_ID);
    ask(&tenant, &public).await.assert_refusal(401, "invalid_client", 7_000_218);
}

#[tokio::test]
async fn two_credentials_in_a_request_are_refused() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let form = request(IMPORTER, "new-secret", API_CLIENT_ID);
    let asked = tenant.token_request(CONTOSO);
    let asked = asked.header("authorization", basic(IMPORTER, "new-secret"));
    Answer::of(form.on(asked)).await.assert_refusal(400, "invalid_request", 90100);
    let form = form.with("client_assertion", "e30.e30.");
    ask(&tenant, &form).await.assert_refusal(400, "invalid_request", 90100);
}

#[tokio::test]
async fn two_client_ids_in_a_request_are_refused() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let ask_as = async |client_id: &str| {
        let form = request(client_id, "", API_CLIENT_ID);
        let asked = tenant.token_request(CONTOSO);
        let asked = asked.header("authorization", basic(IMPORTER, "new-secret"));
        Answer::of(form.on(asked)).await
    };
    for other in [DAEMON_CLIENT_ID, NATIVE.client_id, UNKNOWN_CLIENT_ID] {
        ask_as(other).await.assert_refusal(400, "invalid_request", 90100);
    }
    for same in [IMPORTER, &IMPORTER.to_uppercase()] {
        let answer = ask_as(same).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
}

#[tokio::test]
async fn client_credentials_need_a_single_tenant() {
    let tenant = TestTenant::start().await;
    let form = request(DAEMON_CLIENT_ID, DAEMON_SECRET, API_CLIENT_ID);
    for authority in ["common", "organizations"] {
        let answer = Answer::of(form.on(tenant.token_request(authority))).await;
        answer.assert_refusal(400, "invalid_request", 50059);
    }
}

#[tokio::test]
async fn an_api_may_require_that_apps_are_assigned() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let answer = ask(&tenant, &request(DAEMON_CLIENT_ID, DAEMON_SECRET, LEDGER)).await;
    answer.assert_refusal(400, "invalid_grant", 501_051);
    let answer = ask(&tenant, &request(IMPORTER, "new-secret", LEDGER)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn a_single_tenant_app_is_unknown_to_other_tenants() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let form = request(LOCAL_JOB, "job-secret", API_CLIENT_ID);
    assert_eq!(ask(&tenant, &form).await.status, StatusCode::OK);
    for (authority, error, code) in [
        (FABRIKAM, "unauthorized_client", 700_016),
        ("consumers", "unauthorized_client", 700_016),
        ("common", "invalid_request", 50194),
        ("organizations", "invalid_request", 50194),
    ] {
        let answer = Answer::of(form.on(tenant.token_request(authority))).await;
        answer.assert_refusal(400, error, code);
    }
}
