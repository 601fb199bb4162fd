//! The keys of foreign issuers: how they are fetched, checked and remembered.

use std::{path::Path, sync::LazyLock};

use entra_dev::{Directory, Options, ids::API_CLIENT_ID};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

use crate::support::{
    Answer, Credential, ForeignIssuer, Form, KEYS, METADATA, SUBJECT, TestTenant, foreign_token,
    jwk, shared_keys,
};

const DEPLOYER: &str = "f3000000-0000-4000-8000-000000000001";

static FIRST: LazyLock<Credential> = LazyLock::new(Credential::generate);
static SECOND: LazyLock<Credential> = LazyLock::new(Credential::generate);

async fn start(issuer_url: &str) -> TestTenant {
    let text = format!(
        "{}\n[[apps]]\nclient_id = \"{DEPLOYER}\"\nname = \"Deployer\"\ntenant = \"Contoso\"\n\
         federated_credentials = [{{ issuer = \"{issuer_url}\", subject = \"{SUBJECT}\" }}]\n",
        Directory::EXAMPLE
    );
    let directory = Directory::parse(&text, Path::new("")).unwrap();
    let options = Options { directory, ..Options::ephemeral() };
    TestTenant::start_with(shared_keys(), options).await
}

fn request(assertion: &str) -> Form {
    Form::empty()
        .with("grant_type", "client_credentials")
        .with("client_id", DEPLOYER)
        .with("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        .with("client_assertion", assertion)
        .with("scope", &format!("{API_CLIENT_ID}/.default"))
}

async fn present(tenant: &TestTenant, assertion: &str) -> Answer {
    tenant.post("token", &request(assertion)).await
}

/// A token with another lifetime than the clock of the test, so that it is valid for days.
fn token(issuer: &ForeignIssuer, kid: &str, key: &Credential) -> String {
    let mut claims = issuer.claims();
    claims["exp"] = json!(claims["exp"].as_u64().unwrap() + 7 * 86_400);
    foreign_token(kid, key, &claims)
}

#[track_caller]
fn assert_unavailable(answer: &Answer, text: &str) {
    answer.assert_refusal(400, "invalid_request", 501_661);
    let start = "AADSTS501661: Request to External OIDC endpoint failed: ";
    let description = answer.json()["error_description"].as_str().unwrap().to_owned();
    assert!(description.starts_with(start) && description.contains(text), "{text}: {description}");
}

#[tokio::test]
async fn keys_are_remembered_for_an_hour_of_the_tenants_clock() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let tenant = start(&issuer.url).await;
    let first = token(&issuer, "first", &FIRST);
    for _ in 0..3 {
        assert_eq!(present(&tenant, &first).await.status, 200);
    }
    tenant.clock.advance(3_599);
    assert_eq!(present(&tenant, &first).await.status, 200);
    assert_eq!(issuer.fetches(), 1);
    tenant.clock.advance(1);
    assert_eq!(present(&tenant, &first).await.status, 200);
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn a_new_key_is_found_but_unknown_keys_cause_few_fetches() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let tenant = start(&issuer.url).await;
    assert_eq!(present(&tenant, &token(&issuer, "first", &FIRST)).await.status, 200);
    for kid in ["a", "b", "c"] {
        let answer = present(&tenant, &token(&issuer, kid, &FIRST)).await;
        answer.assert_refusal(401, "invalid_client", 7_000_272);
        assert!(answer.body.contains(&format!("identifier {kid} used")), "{}", answer.body);
    }
    assert_eq!(issuer.fetches(), 1);
    issuer.publish_keys(&[("first", &FIRST), ("second", &SECOND)]);
    let second = token(&issuer, "second", &SECOND);
    present(&tenant, &second).await.assert_refusal(401, "invalid_client", 7_000_272);
    tenant.clock.advance(10);
    assert_eq!(present(&tenant, &second).await.status, 200);
    assert_eq!(issuer.fetches(), 2);
    // An issuer that was started again may have another key with the same id.
    issuer.publish_keys(&[("second", &FIRST)]);
    tenant.clock.advance(10);
    assert_eq!(present(&tenant, &token(&issuer, "second", &FIRST)).await.status, 200);
    present(&tenant, &second).await.assert_refusal(401, "invalid_client", 700_027);
}

#[tokio::test]
async fn simultaneous_requests_cause_one_fetch() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let tenant = start(&issuer.url).await;
    let assertion = token(&issuer, "first", &FIRST);
    let mut requests = JoinSet::new();
    for _ in 0..20 {
        let request = request(&assertion).on(tenant.request_to("token", ""));
        requests.spawn(async move { Answer::of(request).await.status });
    }
    for status in requests.join_all().await {
        assert_eq!(status, 200);
    }
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn known_keys_serve_for_a_day_while_the_issuer_is_away() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let tenant = start(&issuer.url).await;
    let first = token(&issuer, "first", &FIRST);
    assert_eq!(present(&tenant, &first).await.status, 200);
    issuer.publish(METADATA, 503, "{}");
    tenant.clock.advance(86_399);
    assert_eq!(present(&tenant, &first).await.status, 200);
    tenant.clock.advance(1);
    assert_unavailable(&present(&tenant, &first).await, "responds with the status 503");
    issuer.publish(METADATA, 200, &issuer.metadata().to_string());
    assert_unavailable(&present(&tenant, &first).await, "responds with the status 503");
    tenant.clock.advance(10);
    assert_eq!(present(&tenant, &first).await.status, 200);
}

#[tokio::test]
async fn a_failed_fetch_is_repeated_at_most_every_ten_seconds() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let tenant = start(&issuer.url).await;
    let first = token(&issuer, "first", &FIRST);
    issuer.publish(METADATA, 503, "{}");
    for _ in 0..3 {
        assert_unavailable(&present(&tenant, &first).await, "responds with the status 503");
    }
    assert_eq!(issuer.requests().len(), 1);
    tenant.clock.advance(10);
    assert_unavailable(&present(&tenant, &first).await, "responds with the status 503");
    assert_eq!(issuer.requests().len(), 2);
    // The same applies to keys that are too old.
    issuer.publish(METADATA, 200, &issuer.metadata().to_string());
    tenant.clock.advance(10);
    assert_eq!(present(&tenant, &first).await.status, 200);
    issuer.publish(METADATA, 503, "{}");
    tenant.clock.advance(3_600);
    let before = issuer.requests().len();
    for _ in 0..3 {
        assert_eq!(present(&tenant, &first).await.status, 200);
    }
    assert_eq!(issuer.requests().len(), before + 1);
}

#[tokio::test]
async fn known_keys_do_not_wait_for_a_fetch() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let tenant = start(&issuer.url).await;
    let first = token(&issuer, "first", &FIRST);
    assert_eq!(present(&tenant, &first).await.status, 200);
    // An unknown key starts a fetch, and so does any token after an hour.
    for seconds in [10, 3_600] {
        tenant.clock.advance(seconds);
        let before = issuer.requests().len();
        let gate = issuer.gate.lock().await;
        let unknown =
            request(&token(&issuer, "unknown", &FIRST)).on(tenant.request_to("token", ""));
        let unknown = tokio::spawn(async move { Answer::of(unknown).await });
        issuer.more_requests_than(before).await;
        assert_eq!(present(&tenant, &first).await.status, 200);
        assert!(!unknown.is_finished());
        drop(gate);
        unknown.await.unwrap().assert_refusal(401, "invalid_client", 7_000_272);
    }
}

#[tokio::test]
async fn keys_are_fetched_only_where_clients_authenticate() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let tenant = start(&issuer.url).await;
    let form = request(&token(&issuer, "first", &FIRST));
    for endpoint in ["logout", "authorize"] {
        tenant.post(endpoint, &form).await;
    }
    assert_eq!(issuer.requests().len(), 0);
    tenant.post("devicecode", &form).await;
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn a_clock_that_was_moved_back_does_not_keep_old_keys() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let tenant = start(&issuer.url).await;
    let mut claims = issuer.claims();
    claims["exp"] = json!(claims["exp"].as_u64().unwrap() + 7 * 86_400);
    claims["nbf"] = json!(0);
    tenant.clock.advance(3 * 86_400);
    assert_eq!(present(&tenant, &foreign_token("first", &FIRST, &claims)).await.status, 200);
    tenant.tenant.set_clock_offset(-86_400);
    issuer.publish_keys(&[("second", &SECOND)]);
    let second = foreign_token("second", &SECOND, &claims);
    let answer = present(&tenant, &second).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_tenant_that_was_started_again_fetches_the_keys_again() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let first = token(&issuer, "first", &FIRST);
    for fetches in 1..=2 {
        let tenant = start(&issuer.url).await;
        assert_eq!(present(&tenant, &first).await.status, 200);
        assert_eq!(issuer.fetches(), fetches);
        tenant.tenant.stop().await;
    }
    // So does each isolated tenant.
    let tenant = start(&issuer.url).await;
    assert_eq!(present(&tenant, &first).await.status, 200);
    let isolated = tenant.post_json("/_dev/tenants", &json!({})).await.json();
    let apps = isolated["directory"]["apps"].as_array().unwrap();
    let id_of = |name: &str| {
        let app = apps.iter().find(|app| app["name"] == name).unwrap();
        app["client_id"].as_str().unwrap().to_owned()
    };
    let form = request(&first).with("client_id", &id_of("Deployer"));
    let form = form.with("scope", &format!("{}/.default", id_of("Todo API")));
    let url = format!("{}/oauth2/v2.0/token", isolated["authority"].as_str().unwrap());
    let answer = Answer::of(form.on(tenant.browser.post(url))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(issuer.fetches(), 4);
}

#[tokio::test]
async fn a_faulty_issuer_is_named_with_its_fault() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let tenant = start(&issuer.url).await;
    let first = token(&issuer, "first", &FIRST);
    let metadata = |name: &str, value: Value| {
        let mut metadata = issuer.metadata();
        metadata[name] = value;
        metadata.to_string()
    };
    let large = " ".repeat(256 * 1024) + &issuer.metadata().to_string();
    for (status, body, text) in [
        (404, String::new(), "/.well-known/openid-configuration responds with the status 404"),
        (204, String::new(), "responds with the status 204"),
        (200, "<html>".to_owned(), "is not the metadata of an issuer"),
        (200, "{}".to_owned(), "is not the metadata of an issuer"),
        (
            200,
            json!([issuer.url, format!("{}{KEYS}", issuer.url)]).to_string(),
            "is not the metadata of an issuer",
        ),
        (200, large, "is larger than 256 KiB"),
        (200, metadata("issuer", json!("https://other.example")), "name another issuer: https://o"),
        (
            200,
            metadata("jwks_uri", json!("http://keys.example/")),
            "'jwks_uri' http://keys.example/",
        ),
        (200, metadata("jwks_uri", json!("file:///etc/passwd")), "'jwks_uri' file:///etc/passwd"),
        (200, metadata("jwks_uri", json!(1)), "is not the metadata of an issuer"),
    ] {
        tenant.clock.advance(10);
        issuer.publish(METADATA, status, &body);
        assert_unavailable(&present(&tenant, &first).await, text);
    }
    tenant.clock.advance(10);
    issuer.redirect(METADATA, &format!("{}/elsewhere", issuer.url));
    assert_unavailable(&present(&tenant, &first).await, "responds with the status 302");
    issuer.publish(METADATA, 200, &issuer.metadata().to_string());
    assert!(!issuer.requests().contains(&"/elsewhere".to_owned()));
    assert_eq!(issuer.fetches(), 0);
    let array = json!([[jwk("first", &FIRST)]]).to_string();
    for (status, body, text) in [
        (500, "", "/keys responds with the status 500"),
        (200, "[]", "/keys is not a key set"),
        (200, &array, "/keys is not a key set"),
    ] {
        tenant.clock.advance(10);
        issuer.publish(KEYS, status, body);
        assert_unavailable(&present(&tenant, &first).await, text);
    }
}

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_is_named() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let tenant = start(&issuer.url).await;
    let first = token(&issuer, "first", &FIRST);
    issuer.stop().await;
    assert_unavailable(&present(&tenant, &first).await, "cannot be reached: ");
}

#[tokio::test]
async fn simultaneous_requests_share_the_failure_of_an_issuer_that_does_not_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let tenant = start(&url).await;
    let claims = json!({ "iss": url, "sub": SUBJECT, "aud": "api://AzureADTokenExchange" });
    let assertion = foreign_token("first", &FIRST, &claims);
    // It accepts connections, but sends nothing.
    let mut connections = Vec::new();
    let accept = async {
        loop {
            connections.push(silent.accept().await.unwrap());
        }
    };
    let present = || present(&tenant, &assertion);
    let answers = async { tokio::join!(present(), present(), present()) };
    let (first, second, third) = tokio::select! {
        answers = answers => answers,
        () = accept => unreachable!(),
    };
    for answer in [first, second, third] {
        assert_unavailable(&answer, "cannot be reached: ");
    }
    assert_eq!(connections.len(), 1);
}

#[tokio::test]
async fn unusable_keys_do_not_spoil_the_others() {
    let issuer = ForeignIssuer::start(&FIRST).await;
    let tenant = start(&issuer.url).await;
    let with = |name: &str, value: Value| {
        let mut key = jwk("second", &SECOND);
        key[name] = value;
        key
    };
    let key = jwk("second", &SECOND);
    let unusable = json!([
        1,
        {},
        ["RSA", null, null, "second", null, key["n"], key["e"]],
        { "kty": "EC", "kid": "ec", "crv": "P-256", "x": "AA", "y": "AA" },
        with("use", json!("enc")),
        with("alg", json!("PS256")),
        with("n", json!("!")),
        with("n", json!("")),
        with("n", json!("A".repeat(2_000))),
        with("e", json!(3)),
    ]);
    let mut keys = unusable.as_array().unwrap().clone();
    keys.push(jwk("first", &FIRST));
    issuer.publish(KEYS, 200, &json!({ "keys": keys }).to_string());
    assert_eq!(present(&tenant, &token(&issuer, "first", &FIRST)).await.status, 200);
    let second = present(&tenant, &token(&issuer, "second", &SECOND)).await;
    second.assert_refusal(401, "invalid_client", 7_000_272);
}
