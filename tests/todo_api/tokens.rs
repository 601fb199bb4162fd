//! Tokens that must not open the door, and keys that cannot be had. The validator's own tests go
//! through every rule; these show that the server obeys it.

use entra_dev::Forgery;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::App;

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
async fn a_person_of_another_tenant_and_a_personal_account_are_refused() {
    let app = App::start().await;
    for person in ["tia", "pia"] {
        let token = app.token(person).await;
        let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
        answer.assert_problem(401, "invalid_token");
    }
}

#[tokio::test]
async fn a_token_ends_with_its_time() {
    let app = App::start().await;
    let token = app.forged(|_| {});
    let status = async || app.send(Some(&token), Method::GET, "/todoitems", None).await.status;
    app.clock.advance(3_600 + 60);
    assert_eq!(status().await, StatusCode::OK, "the leeway is a minute");
    app.clock.advance(1);
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_forged_token_that_is_too_old_or_too_young_is_at_fault_in_nothing_else() {
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
async fn c3_without_an_authority_the_server_runs_is_not_ready_and_lets_nobody_through() {
    let nobody_listens = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", socket.local_addr().unwrap())
    };
    let app = App::start_with(|environment| environment.with("AAD_INSTANCE", nobody_listens)).await;
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
