//! Pages of other origins: the CORS protocol of the Fetch standard.

use reqwest::{Method, header};
use serde_json::json;

use crate::support::{Answer, App};

const APP: &str = "https://app.example";
const OTHER: &str = "https://other.example";
const EVIL: &str = "https://evil.example";

#[tokio::test]
async fn only_pages_from_listed_origins_may_call_the_api() {
    let app = start().await;
    for (origin, method) in [(APP, "POST"), (APP, "HEAD"), (OTHER, "PATCH"), (OTHER, "DELETE")] {
        let answer = preflight(&app, origin, method, "authorization,content-type").await;
        assert_eq!(answer.status.as_u16(), 204, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert!(lists(&answer, "access-control-allow-methods", method), "{answer:?}");
        assert_eq!(answer.header("access-control-max-age"), "86400");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert_eq!(answer.header("vary"), "origin");
    }
    for origin in [EVIL, "null", "https://app.example:444", "http://app.example"] {
        let answer = preflight(&app, origin, "POST", "authorization").await;
        answer.assert_problem(403, "invalid_request");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{answer:?}");
        let answer = fetch(&app, Method::GET, "/health", &[("origin", origin)]).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{answer:?}");
    }
}

#[tokio::test]
async fn the_page_can_read_every_error() {
    let app = start().await;
    let padding = "a".repeat(70_000);
    for (path, padding, status, code) in [
        ("/todoitems", "", 401, "missing_token"),
        ("/todoitems", &*padding, 431, "headers_too_large"),
        ("/nothing", "", 404, "not_found"),
    ] {
        let answer =
            fetch(&app, Method::GET, path, &[("origin", APP), ("x-padding", padding)]).await;
        answer.assert_problem(status, code);
        assert_eq!(answer.header("access-control-allow-origin"), APP);
        for name in [
            "etag",
            "link",
            "location",
            "ratelimit",
            "ratelimit-policy",
            "retry-after",
            "www-authenticate",
            "x-request-id",
        ] {
            assert!(lists(&answer, "access-control-expose-headers", name), "{name}: {answer:?}");
        }
    }
}

/// Browsers send `Origin` with the requests of the docs page, too, whatever address it was opened
/// at.
#[tokio::test]
async fn a_page_may_always_call_its_own_server() {
    let app = start().await;
    let token = app.token("uma").await;
    for host in ["http://127.0.0.1:8000", "http://[::1]:8000", "https://todo.example", "null"] {
        let headers = [("origin", host)];
        let body = Some(json!({ "item": { "name": "Walk the dog" } }));
        let answer = app.send_all(Some(&token), Method::POST, "/todoitems", &headers, body).await;
        assert_eq!(answer.status.as_u16(), 201, "{host}: {answer:?}");
    }
}

#[tokio::test]
async fn caches_keep_the_responses_for_each_origin_apart() {
    let app = start().await;
    for path in ["/openapi.json", "/docs/swagger-ui.css", "/health", "/todoitems", "/nothing"] {
        for headers in [&[] as &[_], &[("origin", APP)], &[("origin", EVIL)]] {
            let answer = fetch(&app, Method::GET, path, headers).await;
            assert!(lists(&answer, "vary", "origin"), "{path}: {answer:?}");
        }
    }
    let answer = fetch(&app, Method::GET, "/openapi.json", &[]).await;
    assert!(lists(&answer, "vary", "accept-encoding"), "{answer:?}");
    let known = [("origin", APP), ("if-none-match", answer.header("etag"))];
    let answer = fetch(&app, Method::GET, "/openapi.json", &known).await;
    assert_eq!(answer.status.as_u16(), 304);
    assert!(lists(&answer, "vary", "origin"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), APP);
}

#[tokio::test]
async fn pages_may_send_tracing_headers_and_those_of_a_setting() {
    let app = start().await;
    for name in [
        "authorization",
        "content-type",
        "if-match",
        "if-none-match",
        "idempotency-key",
        "x-request-id",
        "traceparent",
        "tracestate",
        "baggage",
        "request-id",
        "request-context",
        "x-ms-client-request-id",
        "x-requested-with",
        "x-correlation-id",
        "sentry-trace",
        "b3",
        // CORS_HEADERS.
        "X-Tenant",
        "x-shard",
    ] {
        let answer = preflight(&app, APP, "GET", name).await;
        assert_eq!(answer.status.as_u16(), 204, "{answer:?}");
        assert!(lists(&answer, "access-control-allow-headers", name), "{name}: {answer:?}");
    }
    let answer = preflight(&app, APP, "GET", "x-other").await;
    assert!(!lists(&answer, "access-control-allow-headers", "x-other"), "{answer:?}");
}

#[tokio::test]
async fn options_without_a_requested_method_is_not_a_preflight_request() {
    let app = start().await;
    for headers in [
        &[] as &[_],
        &[("origin", APP)],
        &[("origin", EVIL)],
        &[("access-control-request-method", "POST")],
    ] {
        let answer = fetch(&app, Method::OPTIONS, "/todoitems", headers).await;
        answer.assert_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "DELETE, GET, HEAD, POST");
    }
}

#[tokio::test]
async fn without_origins_no_response_has_cors_headers() {
    let app = App::start().await;
    let answer = fetch(&app, Method::GET, "/health", &[("origin", APP)]).await;
    let cors = answer.headers.keys().any(|name| name.as_str().starts_with("access-control"));
    assert!(!cors && answer.header("vary").is_empty(), "{answer:?}");
    preflight(&app, APP, "GET", "traceparent").await.assert_problem(405, "method_not_allowed");
}

/// A server that two origins may call. Its public URL has a path, but an origin has none.
async fn start() -> App {
    App::start_with(|environment| {
        environment
            .with("PUBLIC_URL", "https://todo.example/todo")
            .with("CORS_ORIGINS", format!("{APP}, {OTHER}"))
            .with("CORS_HEADERS", "X-Tenant, x-shard")
    })
    .await
}

async fn preflight(app: &App, origin: &str, method: &str, headers: &str) -> Answer {
    let headers = [
        (header::ORIGIN.as_str(), origin),
        (header::ACCESS_CONTROL_REQUEST_METHOD.as_str(), method),
        (header::ACCESS_CONTROL_REQUEST_HEADERS.as_str(), headers),
    ];
    fetch(app, Method::OPTIONS, "/todoitems", &headers).await
}

async fn fetch(app: &App, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    app.send_all(None, method, path, headers, None).await
}

/// Whether a header field of the response lists this name.
fn lists(answer: &Answer, field: &str, name: &str) -> bool {
    let values = answer.headers.get_all(field).iter().map(|value| value.to_str().unwrap());
    let mut names = values.flat_map(|value| value.split(',')).map(str::trim);
    names.any(|listed| listed.eq_ignore_ascii_case(name))
}
