//! Invalid tokens, and signing keys that cannot be fetched. The validator's own tests cover every
//! rule; these tests show that the server applies them.

use entra_dev::Forgery;
use poem::{IntoResponse, Request, Response, web::Json};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{App, Document, gateway};

#[tokio::test]
async fn a_token_with_a_wrong_claim_is_refused() {
    let app = App::start().await;
    let now = app.clock.now();
    let wrong: [(&str, Value, &str); 9] = [
        ("aud", "00000003-0000-0000-c000-000000000000".into(), "aud"),
        (
            "iss",
            format!("{}/{}/v2.0", app.tenant.base_url(), entra_dev::ids::FABRIKAM).into(),
            "iss",
        ),
        ("iss", "https://login.microsoftonline.com/x/v2.0".into(), "iss"),
        ("exp", (now - 61).into(), "expired"),
        ("nbf", (now + 61).into(), "not valid yet"),
        ("iat", (now + 61).into(), "future"),
        ("ver", "3.0".into(), "ver"),
        ("tid", "contoso.example".into(), "tid"),
        ("oid", json!(["a"]), "oid"),
    ];
    for (name, value, detail) in wrong {
        let token = app.forged(|claims| {
            claims["nbf"] = (now - 3_600).into();
            claims[name] = value.clone();
        });
        let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
        answer.assert_problem(401, "invalid_token");
        assert!(answer.body["detail"].as_str().unwrap().contains(detail), "{name}: {answer:?}");
    }
    for missing in ["exp", "iss", "aud", "tid", "sub", "oid", "scp", "ver"] {
        let token = app.forged(|claims| {
            claims.as_object_mut().unwrap().remove(missing);
        });
        let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
        answer.assert_problem(401, "invalid_token");
    }
    let good = app.forged(|_| {});
    let answer = app.send(Some(&good), Method::GET, "/todoitems", None).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn users_of_another_tenant_and_personal_accounts_are_refused() {
    let app = App::start().await;
    for person in ["tia", "pia"] {
        let token = app.token(person).await;
        let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
        answer.assert_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn an_expired_token_is_refused_after_the_leeway() {
    let app = App::start().await;
    let token = app.forged(|_| {});
    let status = async || app.send(Some(&token), Method::GET, "/todoitems", None).await.status;
    app.clock.advance(3_600 + 60);
    assert_eq!(status().await, StatusCode::OK, "the leeway is one minute");
    app.clock.advance(1);
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_forged_token_has_no_fault_other_than_its_lifetime() {
    let app = App::start().await;
    let uma = || Forgery::of("uma");
    for (forgery, fault) in
        [(uma().expires_in(-3_600), "has expired"), (uma().valid_in(7_200), "not valid yet")]
    {
        let token = app.tenant.forge(&forgery).unwrap();
        let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
        answer.assert_problem(401, "invalid_token");
        assert!(answer.body["detail"].as_str().unwrap().contains(fault), "{answer:?}");
    }
}

#[tokio::test]
async fn a_token_with_any_part_changed_is_refused() {
    let app = App::start().await;
    let token = app.token("uma").await;
    let parts: Vec<&str> = token.split('.').collect();
    let ada = app.token("ada").await;
    let ada: Vec<&str> = ada.split('.').collect();
    for changed in [
        format!("{}.{}.{}", parts[0], ada[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], ada[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        // {"alg":"none","typ":"JWT"}
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{}.{}", parts[1], parts[2]),
    ] {
        let answer = app.send(Some(&changed), Method::GET, "/todoitems", None).await;
        answer.assert_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn without_signing_keys_every_token_causes_503_and_not_ready() {
    let unused = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", socket.local_addr().unwrap())
    };
    let app = App::start_with(|environment| environment.with("AAD_INSTANCE", unused)).await;
    let token = app.token("uma").await;
    let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
    answer.assert_problem(503, "keys_unavailable");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    let answer = app.send(None, Method::GET, "/todoitems", None).await;
    answer.assert_problem(401, "missing_token");

    let answer = app.send(None, Method::GET, "/health", None).await;
    assert_eq!((answer.status, answer.body), (StatusCode::OK, "OK".into()));
    let answer = app.send(None, Method::GET, "/health/ready", None).await;
    answer.assert_problem(503, "keys_unavailable");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
    assert_eq!(answer.body["keys"], "unavailable");
    assert_eq!(answer.body["database"], "ready");
}

#[tokio::test]
async fn a_token_of_another_kind_neither_reads_nor_deletes() {
    let app = App::start().await;
    let todo = json!({ "item": { "name": "Walk the dog" } });
    let uma = app.token("uma").await;
    let created = app.send(Some(&uma), Method::POST, "/todoitems", Some(todo)).await;
    assert_eq!(created.status, StatusCode::CREATED);
    for (case, changes, detail) in [
        ("an ID token", json!({ "nonce": "n", "scp": null }), "ID token"),
        ("an ID token of an app", json!({ "nonce": "n", "scp": null, "idtyp": "app" }), "ID token"),
        ("an ID token without a nonce", json!({ "scp": null }), "no scope"),
        ("a token without consent", json!({ "scp": "/", "roles": null }), "nobody consented"),
        ("an unscoped token", json!({ "scp": "/" }), "no scope"),
        ("a device's token", json!({ "idtyp": "device" }), "idtyp"),
        ("another spelling of app", json!({ "idtyp": "APP" }), "idtyp"),
        ("an empty idtyp", json!({ "idtyp": "" }), "idtyp"),
        ("bound to a certificate", json!({ "cnf": { "x5t#S256": "x" } }), "bound"),
        ("bound to a key", json!({ "cnf": { "jkt": "x" } }), "bound"),
    ] {
        let token = app.forged(|claims| {
            claims["roles"] = json!(["Admin"]);
            claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        });
        for method in [Method::GET, Method::DELETE] {
            let answer = app.send(Some(&token), method, "/todoitems", None).await;
            answer.assert_problem(401, "invalid_token");
            assert!(answer.body["detail"].as_str().unwrap().contains(detail), "{case}: {answer:?}");
        }
    }
    let left = app.send(Some(&uma), Method::GET, "/todoitems", None).await;
    assert_eq!(left.body["items"].as_array().unwrap().len(), 1);
    let admin = app.forged(|claims| claims["roles"] = json!(["Admin"]));
    let answer = app.send(Some(&admin), Method::DELETE, "/todoitems", None).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "the tokens have no other fault");
}

#[tokio::test]
async fn discovery_and_keys_are_not_read_from_a_redirect() {
    for (redirected, status) in [
        (None, StatusCode::OK),
        (Some("openid-configuration"), StatusCode::SERVICE_UNAVAILABLE),
        (Some("keys"), StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let respond = move |_: &Request, document: Document| match redirected {
            Some(name) if name == document.name => Response::builder()
                .status(StatusCode::FOUND)
                .header("location", document.url.as_str())
                .finish(),
            _ => Json(document.body).into_response(),
        };
        let authority = async |tenant: &str| gateway(tenant, respond).await;
        let app = App::start_before(authority, |environment| environment).await;
        let token = app.token("uma").await;
        let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
        assert_eq!(answer.status, status, "{redirected:?}: {answer:?}");
    }
}
