//! Workload identity federation: client assertions of issuers that an app trusts.

use std::sync::LazyLock;

use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256};
use entra_dev::{
    Edit,
    ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, FABRIKAM},
};
use serde_json::{Value, json};

use crate::support::{
    Answer, Credential, ForeignIssuer, Form, MAINTENANCE, METADATA, NOW, SUBJECT, TOKEN_EXCHANGE,
    TestTenant, UNKNOWN_CLIENT_ID, WORKER, claims, foreign_token, unsigned,
};

const DEPLOYER: &str = "f3000000-0000-4000-8000-000000000001";

static KEY: LazyLock<Credential> = LazyLock::new(Credential::generate);
static STRANGER: LazyLock<Credential> = LazyLock::new(Credential::generate);

/// A tenant with an app that trusts this issuer.
async fn start(issuer: &ForeignIssuer) -> TestTenant {
    TestTenant::start_having(&format!(
        "[[apps]]\nclient_id = \"{DEPLOYER}\"\nname = \"Deployer\"\ntenant = \"Contoso\"\n\
         federated_credentials = [{}]\n\
         permissions = {{ \"Todo API\" = [\"Todos.ReadWrite.All\"] }}\n",
        issuer.credential()
    ))
    .await
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

#[tokio::test]
async fn an_app_authenticates_with_a_token_of_an_issuer_that_it_trusts() {
    let issuer = ForeignIssuer::start(&KEY).await;
    let tenant = start(&issuer).await;
    let mut with_list = issuer.claims();
    with_list["aud"] = json!(["https://other.example", TOKEN_EXCHANGE]);
    for assertion in [
        foreign_token("first", &KEY, &issuer.claims()),
        foreign_token("first", &KEY, &with_list),
        KEY.sign(&RSA_PKCS1_SHA256, &json!({ "alg": "RS256", "typ": "JWT" }), &issuer.claims()),
    ] {
        let answer = present(&tenant, &assertion).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let claims = claims(&answer.json(), "access_token");
        assert_eq!(claims["azp"], DEPLOYER);
        assert_eq!(claims["azpacr"], "2");
        assert_eq!(claims["roles"], json!(["Todos.ReadWrite.All"]));
    }
    assert_eq!(issuer.requests(), [METADATA, "/keys"], "the keys are fetched once");
}

#[tokio::test]
async fn a_token_that_matches_no_federated_credential_is_refused_without_a_fetch() {
    let issuer = ForeignIssuer::start(&KEY).await;
    let tenant = start(&issuer).await;
    for (name, value, number, text) in [
        ("iss", json!(format!("{}/", issuer.url)), 700_211, "presented assertion issuer"),
        ("iss", json!("https://evil.example"), 700_211, "issuer 'https://evil.example'"),
        ("sub", json!("system:serviceaccount:shop:Worker"), 700_213, "assertion subject 'system"),
        ("sub", Value::Null, 700_213, "assertion subject ''"),
        ("aud", json!("api://azureadtokenexchange"), 700_212, "assertion audience 'api://azuread"),
        ("aud", json!(["a", "b"]), 700_212, "assertion audience 'a, b'"),
        ("aud", Value::Null, 700_212, "assertion audience ''"),
    ] {
        let mut claims = issuer.claims();
        claims[name] = value;
        let answer = present(&tenant, &foreign_token("first", &KEY, &claims)).await;
        answer.assert_refusal(401, "invalid_client", number);
        assert!(answer.body.contains(text), "{text}: {}", answer.body);
        assert!(answer.body.contains("case-sensitive"), "{}", answer.body);
    }
    let assertion = foreign_token("first", &KEY, &issuer.claims());
    // The daemon trusts nobody.
    let daemon = request(&assertion).with("client_id", DAEMON_CLIENT_ID);
    tenant.post("token", &daemon).await.assert_refusal(401, "invalid_client", 700_211);
    let unknown = request(&assertion).with("client_id", UNKNOWN_CLIENT_ID);
    tenant.post("token", &unknown).await.assert_refusal(400, "unauthorized_client", 700_016);
    // The subject is not a client id.
    let anonymous = request(&assertion).without("client_id");
    tenant.post("token", &anonymous).await.assert_refusal(400, "unauthorized_client", 700_016);
    assert_eq!(issuer.requests(), [""; 0]);
    let secret = request(&assertion).with("client_secret", "x");
    tenant.post("token", &secret).await.assert_refusal(400, "invalid_request", 90100);
    let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    let saml = request(&assertion).with("client_assertion_type", saml);
    tenant.post("token", &saml).await.assert_refusal(401, "invalid_client", 700_027);
}

#[tokio::test]
async fn a_token_with_a_wrong_signature_time_or_header_is_refused() {
    let issuer = ForeignIssuer::start(&KEY).await;
    let tenant = start(&issuer).await;
    let right = issuer.claims();
    let sign = |header: Value| KEY.sign(&RSA_PKCS1_SHA256, &header, &right);
    let honest = foreign_token("first", &KEY, &right);
    let (_, signature) = honest.rsplit_once('.').unwrap();
    let mut later = right.clone();
    later["exp"] = json!(NOW + 900);
    let later = unsigned(&json!({ "alg": "RS256", "kid": "first" }), &later);
    let client = "invalid_client";
    for (reason, assertion, status, error, number) in [
        ("a stranger's key", foreign_token("first", &STRANGER, &right), 401, client, 700_027),
        ("other claims", format!("{later}.{signature}"), 401, client, 700_027),
        ("an unknown key", foreign_token("second", &KEY, &right), 401, client, 7_000_272),
        ("no signature", unsigned(&json!({ "alg": "none" }), &right) + ".", 401, client, 5_002_738),
        (
            "another padding",
            KEY.sign(&RSA_PSS_SHA256, &json!({ "alg": "PS256", "kid": "first" }), &right),
            401,
            client,
            5_002_738,
        ),
        (
            "another type",
            sign(json!({ "alg": "RS256", "kid": "first", "typ": "at+jwt" })),
            400,
            "invalid_request",
            5_002_727,
        ),
        (
            "a critical header parameter",
            sign(json!({ "alg": "RS256", "kid": "first", "crit": ["b64"], "b64": true })),
            400,
            "invalid_request",
            50027,
        ),
        ("no token", "x".to_owned(), 400, "invalid_request", 50027),
    ] {
        let answer = present(&tenant, &assertion).await;
        assert_eq!(answer.status, status, "{reason}: {}", answer.body);
        answer.assert_refusal(status, error, number);
    }
    for (nbf, exp, accepted) in [
        (json!(NOW + 300), json!(NOW + 900), true),
        (json!(NOW + 301), json!(NOW + 900), false),
        (Value::Null, json!(NOW - 299), true),
        (Value::Null, json!(NOW - 300), false),
        (Value::Null, Value::Null, false),
    ] {
        let mut claims = right.clone();
        claims["nbf"] = nbf;
        claims["exp"] = exp;
        let answer = present(&tenant, &foreign_token("first", &KEY, &claims)).await;
        if accepted {
            assert_eq!(answer.status, 200, "{claims}: {}", answer.body);
        } else {
            answer.assert_refusal(401, "invalid_client", 700_024);
        }
    }
}

#[tokio::test]
async fn a_federated_credential_counts_from_the_next_request_on() {
    let issuer = ForeignIssuer::start(&KEY).await;
    let tenant = start(&issuer).await;
    let assertion = foreign_token("first", &KEY, &issuer.claims());
    assert_eq!(present(&tenant, &assertion).await.status, 200);
    let path = "/_dev/directory/apps/Deployer/federated_credentials";
    let subject = SUBJECT.replace(':', "%3A");
    tenant.delete(&format!("{path}/{subject}")).await.assert_done();
    present(&tenant, &assertion).await.assert_refusal(401, "invalid_client", 700_025);
    let credential = json!({ "issuer": issuer.url, "subject": SUBJECT, "audiences": ["shop"] });
    let answer = tenant.post_json(path, &credential).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert!(answer.header("location").unwrap().ends_with(&subject), "{:?}", answer.headers);
    present(&tenant, &assertion).await.assert_refusal(401, "invalid_client", 700_212);
    let mut claims = issuer.claims();
    claims["aud"] = json!("shop");
    let assertion = foreign_token("first", &KEY, &claims);
    assert_eq!(present(&tenant, &assertion).await.status, 200);
}

#[tokio::test]
async fn a_user_assigned_identity_may_trust_an_issuer_as_in_kubernetes() {
    let issuer = ForeignIssuer::start(&KEY).await;
    let tenant = TestTenant::start().await;
    let credential = json!({ "issuer": issuer.url, "subject": SUBJECT });
    let path = ["apps", "Todo maintenance", "federated_credentials"];
    tenant.tenant.edit_directory(Edit::add(path, credential)).await.unwrap();
    let assertion = foreign_token("first", &KEY, &issuer.claims());
    let form = request(&assertion).with("client_id", MAINTENANCE);
    let answer = tenant.post("token", &form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(claims(&answer.json(), "access_token")["azp"], MAINTENANCE);
    // It has no secret, and exists only in its tenant.
    let secret = form.clone().without("client_assertion").with("client_secret", "dev-secret");
    tenant.post("token", &secret).await.assert_refusal(401, "invalid_client", 7_000_215);
    let elsewhere = Answer::of(form.on(tenant.token_request(FABRIKAM))).await;
    elsewhere.assert_refusal(400, "unauthorized_client", 700_016);
}

/// The token of a managed identity for the exchange.
async fn exchange_token(tenant: &TestTenant, client_id: &str) -> String {
    let url = tenant.url("/metadata/identity/oauth2/token");
    let query =
        [("api-version", "2018-02-01"), ("resource", TOKEN_EXCHANGE), ("client_id", client_id)];
    let request = tenant.browser.get(url).query(&query).header("metadata", "true");
    Answer::of(request).await.token("access_token")
}

#[tokio::test]
async fn an_app_authenticates_with_the_token_of_a_managed_identity_that_it_trusts() {
    let entry = format!(
        "[[apps]]\nclient_id = \"{DEPLOYER}\"\nname = \"Deployer\"\ntenant = \"Contoso\"\n\
         trusted_managed_identities = [\"Todo maintenance\"]\n"
    );
    let tenant = TestTenant::start_having(&entry).await;
    let token = exchange_token(&tenant, MAINTENANCE).await;
    assert_eq!(TestTenant::claims(&token)["aud"], "fb60f99c-7a34-4190-8149-302f77469936");
    let answer = present(&tenant, &token).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(claims(&answer.json(), "access_token")["azp"], DEPLOYER);

    for (name, value, number) in [
        ("unchanged", Value::Null, None),
        ("iss", json!("https://evil.example/v2.0"), Some(700_211)),
        ("iss", json!(tenant.url(&format!("/{FABRIKAM}/v2.0"))), Some(700_211)),
        ("tid", json!(FABRIKAM), Some(700_211)),
        ("cnf", json!({ "kid": "x" }), Some(700_027)),
    ] {
        let mut claims = TestTenant::claims(&token);
        claims["scp"] = Value::Null;
        claims[name] = value;
        if name == "tid" {
            claims["iss"] = json!(tenant.url(&format!("/{FABRIKAM}/v2.0")));
        }
        let forged = tenant.forged(json!({ "person": "ada", "claims": claims })).await;
        let answer = present(&tenant, &forged).await;
        match number {
            None => assert_eq!(answer.status, 200, "{}", answer.body),
            // An issuer that is not the tenant is looked up among the federated credentials.
            Some(number) => answer.assert_refusal(401, "invalid_client", number),
        }
    }

    let other = exchange_token(&tenant, WORKER).await;
    present(&tenant, &other).await.assert_refusal(401, "invalid_client", 700_213);
    let daemon = request(&token).with("client_id", DAEMON_CLIENT_ID);
    tenant.post("token", &daemon).await.assert_refusal(401, "invalid_client", 700_211);
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{rest}.{}", "A".repeat(signature.len()));
    present(&tenant, &forged).await.assert_refusal(401, "invalid_client", 700_027);

    let secret = request("").without("client_assertion_type");
    let secret = secret.with("client_id", DAEMON_CLIENT_ID).with("client_secret", "dev-secret");
    let of_app =
        tenant.post("token", &secret.with("scope", &format!("{TOKEN_EXCHANGE}/.default"))).await;
    let of_app = of_app.token("access_token");
    present(&tenant, &of_app).await.assert_refusal(401, "invalid_client", 700_226);

    let url = tenant.url("/metadata/identity/oauth2/token");
    let api = format!("api://{API_CLIENT_ID}");
    let query = [("api-version", "2018-02-01"), ("resource", &api), ("client_id", MAINTENANCE)];
    let request = tenant.browser.get(url).query(&query).header("metadata", "true");
    let for_api = Answer::of(request).await.token("access_token");
    present(&tenant, &for_api).await.assert_refusal(401, "invalid_client", 700_212);

    tenant.clock.advance(86_400);
    present(&tenant, &token).await.assert_refusal(401, "invalid_client", 700_024);
}

#[tokio::test]
async fn a_managed_identity_can_be_named_by_issuer_and_subject() {
    let tenant = TestTenant::start().await;
    let token = exchange_token(&tenant, MAINTENANCE).await;
    let claims = TestTenant::claims(&token);
    let issuer = tenant.url(&format!("/{CONTOSO}/v2.0"));
    assert_eq!(claims["iss"], issuer);
    let deployer = |subject: &Value| {
        json!({
            "client_id": DEPLOYER,
            "name": "Deployer",
            "tenant": "Contoso",
            "federated_credentials": [{ "issuer": issuer, "subject": subject }],
        })
    };
    let answer = tenant.post_json("/_dev/directory/apps", &deployer(&claims["oid"])).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(present(&tenant, &token).await.status, 200);
    let path = format!("/_dev/directory/apps/{DEPLOYER}");
    tenant.put_json(&path, &deployer(&json!("somebody"))).await;
    present(&tenant, &token).await.assert_refusal(401, "invalid_client", 700_213);
}
