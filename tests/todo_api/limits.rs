//! Limits of requests: their rate, and how many are in progress at the same time.

use std::net::IpAddr;

use futures_util::{StreamExt, stream::FuturesUnordered};
use reqwest::{Client, Method, StatusCode};
use serde_json::json;

use crate::{
    connections::pass,
    support::{Answer, App},
};

#[tokio::test]
async fn a_caller_beyond_the_rate_gets_429() {
    let app = App::start_with(|environment| environment.with("RATE_LIMIT", "3")).await;
    let list = async |token: &str| app.send(Some(token), Method::GET, "/todoitems", None).await;
    let [uma, again, ulf] =
        [app.token("uma").await, app.token("uma").await, app.token("ulf").await];
    assert_ne!(uma, again);
    for (token, standing) in [
        (&uma, "\"caller\";r=2;t=20"),
        (&again, "\"caller\";r=1;t=40"),
        (&uma, "\"caller\";r=0;t=60"),
    ] {
        let answer = list(token).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("ratelimit"), standing);
        assert_eq!(answer.header("ratelimit-policy"), "\"caller\";q=3;w=60");
        assert_eq!(answer.header("retry-after"), "");
    }
    let refused = app.try_create(&again, "Walk the dog").await;
    assert_refused(&refused);
    assert_eq!(refused.header("ratelimit-policy"), "\"caller\";q=3;w=60");
    // Ulf has the same address.
    assert_eq!(list(&ulf).await.header("ratelimit"), "\"caller\";r=2;t=20");

    pass(4).await;
    let answer = list(&uma).await;
    assert_eq!(answer.body["items"].as_array().unwrap().len(), 0, "the refused request had effect");
    assert_refused(&list(&uma).await);
}

#[tokio::test]
async fn requests_without_an_accepted_token_count_for_their_address() {
    let app = App::start_with(|environment| environment.with("RATE_LIMIT", "3")).await;
    let send = async |token: Option<&str>, path| app.send(token, Method::GET, path, None).await;
    send(None, "/todoitems").await.assert_problem(401, "missing_token");
    send(Some("opaque"), "/todoitems").await.assert_problem(401, "invalid_token");
    // No guard has looked at this token.
    assert_eq!(send(Some("opaque"), "/openapi.json").await.status, StatusCode::OK);
    for (token, path) in
        [(None, "/todoitems"), (Some("opaque"), "/todoitems"), (None, "/openapi.json")]
    {
        assert_refused(&send(token, path).await);
    }
    // Callers with accepted tokens and load balancers are not affected.
    app.create("uma", "Walk the dog").await;
    for path in ["/health", "/health/ready"] {
        let answer = send(None, path).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("ratelimit"), "");
    }
}

#[tokio::test]
async fn a_trusted_proxy_says_whose_request_it_is() {
    for (proxies, counted_apart) in [("127.0.0.0/8, ::1", true), ("192.0.2.1", false)] {
        let app = App::start_with(|environment| {
            environment.with("RATE_LIMIT", "1").with("TRUSTED_PROXIES", proxies)
        })
        .await;
        let send = async |name: &str, value: &str| {
            app.send_all(None, Method::GET, "/docs", &[(name, value)], None).await
        };
        assert_eq!(send("x-forwarded-for", "192.0.2.7").await.status, StatusCode::OK);
        let other = send("x-forwarded-for", "192.0.2.7, 192.0.2.8:4711").await;
        let third = send("forwarded", "for=192.0.2.9;proto=https").await;
        match counted_apart {
            true => assert_eq!([other.status, third.status], [StatusCode::OK; 2]),
            false => [other, third].iter().for_each(assert_refused),
        }
        assert_refused(&send("x-forwarded-for", "192.0.2.9, 192.0.2.8").await);
    }
}

#[tokio::test]
async fn a_client_may_have_256_requests_in_progress() {
    let app = patient().await;
    let [uma, ulf] = [app.token("uma").await, app.token("ulf").await];
    assert_eq!(app.try_create(&uma, "before").await.status, StatusCode::CREATED);
    // All changes wait for the lock.
    let other = app.database().open();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut answers: FuturesUnordered<_> =
        (0..300).map(|_| app.try_create(&uma, "meanwhile")).collect();
    for _ in 256..300 {
        let answer = answers.next().await.unwrap();
        answer.assert_problem(429, "too_many_requests");
        assert_eq!(answer.header("retry-after"), "1");
    }
    let health = app.send(None, Method::GET, "/health/ready", None).await;
    assert_eq!(health.status, StatusCode::OK);
    let list = client_at("127.0.0.2").get(url(&app)).bearer_auth(&ulf).send().await;
    assert_eq!(list.unwrap().status(), StatusCode::OK);

    other.execute_batch("ROLLBACK").unwrap();
    while let Some(answer) = answers.next().await {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    let todos = app.database().number("SELECT count(*) FROM todos").await;
    assert_eq!(todos, 257, "an acknowledged todo is lost");
}

#[tokio::test]
async fn a_server_with_1024_requests_in_progress_refuses_more() {
    let app = patient().await;
    let token = app.token("uma").await;
    assert_eq!(app.try_create(&token, "before").await.status, StatusCode::CREATED);
    let other = app.database().open();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let body = json!({ "item": { "name": "meanwhile" } });
    let clients: Vec<_> = (2..7).map(|last| client_at(&format!("127.0.0.{last}"))).collect();
    let send = |number: usize| {
        let client = &clients[number % clients.len()];
        let request = client.post(url(&app)).bearer_auth(&token).json(&body);
        async { Answer::of(request.send().await.unwrap()).await }
    };
    // 220 of each client, which each of them may have.
    let mut answers: FuturesUnordered<_> = (0..1_100).map(send).collect();
    for _ in 1_024..1_100 {
        answers.next().await.unwrap().assert_unavailable("overloaded");
    }
    let health = app.send(None, Method::GET, "/health", None).await;
    assert_eq!(health.status, StatusCode::OK);

    other.execute_batch("ROLLBACK").unwrap();
    while let Some(answer) = answers.next().await {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }
    let todos = app.database().number("SELECT count(*) FROM todos").await;
    assert_eq!(todos, 1_025, "an acknowledged todo is lost");
}

/// A server that refuses no request because others have waited for a few seconds.
async fn patient() -> App {
    App::start_with(|environment| environment.with("DATABASE_TIMEOUT", "300")).await
}

/// A client with this address of the loopback network.
fn client_at(address: &str) -> Client {
    let address: IpAddr = address.parse().unwrap();
    Client::builder().local_address(address).no_proxy().build().unwrap()
}

fn url(app: &App) -> String {
    format!("{}/todoitems", app.url.replace("localhost", "127.0.0.1"))
}

/// Asserts that the rate was exceeded, and that the header fields agree on how long to wait.
#[track_caller]
fn assert_refused(answer: &Answer) {
    answer.assert_problem(429, "too_many_requests");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(answer.header("ratelimit"), format!("\"caller\";r=0;t={wait}"));
}
