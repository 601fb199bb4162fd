//! The HTTP transport, over real sockets.

use std::{
    io::Write,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use flate2::{Compression, write::GzEncoder};
use poem::{
    IntoResponse, Request, Response, Route, Server,
    endpoint::make_sync,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
};
use poem_entra::{
    Readiness, Rule, Settings, Validator,
    transport::{BODY_LIMIT, FetchError, HttpTransport, Transport},
};
use serde_json::{Value, json};

use crate::support::{API, TENANT, TestClock, World, jwk, token_of};

/// Starts a server on a loopback port and returns the URL of a document. The server stops with the
/// test's runtime.
async fn serve(respond: impl Fn(Request) -> Response + Send + Sync + 'static) -> String {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
    let routes = Route::new().nest("/", make_sync(respond));
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
    format!("http://{address}/document")
}

/// The settings of an API whose authority is the server at this URL.
fn settings(url: &str) -> Settings {
    let instance = url.trim_end_matches("/document").to_owned();
    Settings { instance, ..Settings::new(TENANT, API) }
}

/// The discovery document of the server that received this request. The keys are at `/keys`.
fn discovery(request: &Request) -> Value {
    let keys = format!("http://{}/keys", request.header("host").unwrap_or_default());
    json!({ "issuer": format!("https://issuer.example/{TENANT}/v2.0"), "jwks_uri": keys })
}

async fn get(url: &str) -> Result<Vec<u8>, FetchError> {
    HttpTransport::new(true).unwrap().get(url).await
}

#[tokio::test]
async fn a_document_larger_than_256_kib_is_refused() {
    for (size, accepted) in [(262_144, true), (262_145, false)] {
        let url = serve(move |_| " ".repeat(size).into_response()).await;
        match get(&url).await {
            Ok(body) => assert!(accepted && body.len() == size, "{size}"),
            Err(error) => assert!(!accepted && matches!(error, FetchError::TooLarge), "{error}"),
        }
    }
}

/// A response with this content coding.
fn encoded(coding: &str, body: Vec<u8>) -> Response {
    Response::builder().header("content-encoding", coding).body(body)
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn an_uncompressed_document_is_requested() {
    let url = serve(|request| {
        let accepted = request.headers().get_all("accept-encoding").iter();
        let accepted: Vec<_> = accepted.map(|value| value.to_str().unwrap().to_owned()).collect();
        accepted.join(" and ").into_response()
    })
    .await;
    assert_eq!(get(&url).await.unwrap(), b"identity");
}

#[tokio::test]
async fn a_document_that_is_compressed_all_the_same_is_decoded() {
    for coding in ["gzip", "GZIP", "x-gzip", "identity", ""] {
        let url = serve(move |_| match coding {
            "identity" | "" => encoded(coding, b"keys".to_vec()),
            _ => encoded(coding, gzip(b"keys")),
        })
        .await;
        assert_eq!(get(&url).await.unwrap(), b"keys", "{coding:?}");
    }
}

#[tokio::test]
async fn the_size_limit_applies_to_the_decoded_document() {
    for (size, accepted) in [(BODY_LIMIT, true), (BODY_LIMIT + 1, false), (BODY_LIMIT * 200, false)]
    {
        let body = gzip(&vec![b' '; size]);
        assert!(body.len() < BODY_LIMIT);
        let url = serve(move |_| encoded("gzip", body.clone())).await;
        match get(&url).await {
            Ok(body) => assert!(accepted && body.len() == size, "{size}"),
            Err(error) => assert!(!accepted && matches!(error, FetchError::TooLarge), "{error}"),
        }
    }
}

#[tokio::test]
async fn a_document_that_cannot_be_decoded_is_an_error() {
    for coding in ["br", "deflate", "gzip, gzip"] {
        let url = serve(move |_| encoded(coding, gzip(b"keys"))).await;
        let outcome = get(&url).await;
        assert!(matches!(&outcome, Err(FetchError::Coding(name)) if name == coding), "{outcome:?}");
    }
    let whole = gzip(b"keys");
    let truncated = whole[..whole.len() - 1].to_vec();
    let followed_by_text = [&whole[..], b"keys"].concat();
    for body in [b"keys".to_vec(), vec![], truncated, followed_by_text] {
        let url = serve(move |_| encoded("gzip", body.clone())).await;
        let outcome = get(&url).await;
        assert!(matches!(outcome, Err(FetchError::Gzip(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn documents_may_be_compressed_and_have_a_byte_order_mark() {
    for (mark, compressed) in [("", true), ("\u{feff}", false), ("\u{feff}", true)] {
        let url = serve(move |request| {
            let body = match request.original_uri().path() {
                "/keys" => json!({ "keys": [jwk("a", 0, None)] }),
                _ => discovery(&request),
            };
            let body = format!("{mark}{body}").into_bytes();
            if compressed { encoded("gzip", gzip(&body)) } else { body.into_response() }
        })
        .await;
        let validator = Validator::new(&settings(&url)).unwrap();
        assert_eq!(validator.warm_up().await, Readiness::Ready, "{mark:?} {compressed}");
    }
}

#[tokio::test]
async fn a_status_other_than_200_is_an_error() {
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND, StatusCode::BAD_GATEWAY] {
        let url = serve(move |_| status.into()).await;
        let outcome = get(&url).await;
        assert!(matches!(outcome, Err(FetchError::Status(code)) if code == status.as_u16()));
    }
}

#[tokio::test]
async fn the_time_in_retry_after_is_read_from_seconds_and_dates() {
    let now = "Fri, 15 Jan 2027 08:00:00 GMT";
    for (value, expected) in [
        ("120", Some(120)),
        ("0", Some(0)),
        ("99999999999999999999", Some(u64::MAX)),
        ("Fri, 15 Jan 2027 08:02:03 GMT", Some(123)),
        ("Fri, 15 Jan 2027 07:59:59 GMT", None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("soon", None),
    ] {
        for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
            let url = serve(move |_| {
                let response = Response::builder().status(status).header("date", now);
                response.header("retry-after", value).finish()
            })
            .await;
            let outcome = match get(&url).await {
                Err(FetchError::Status(code)) => (code, None),
                Err(FetchError::RetryAfter { status, seconds }) => (status, Some(seconds)),
                other => panic!("{value:?}: {other:?}"),
            };
            assert_eq!(outcome, (status.as_u16(), expected), "{value:?}");
        }
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let target = serve(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        "moved here".into_response()
    })
    .await;
    for status in [301, 302, 303, 307, 308].map(|code| StatusCode::from_u16(code).unwrap()) {
        for location in
            ["/elsewhere".to_owned(), target.clone(), target.replace("http://", "https://")]
        {
            let url = serve(move |_| {
                Response::builder().status(status).header("location", &location).finish()
            })
            .await;
            let outcome = get(&url).await;
            assert!(matches!(outcome, Err(FetchError::Status(code)) if code == status.as_u16()));
        }
    }
    assert_eq!(requests.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_authority_on_a_closed_port_is_unreachable() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let outcome = get(&format!("http://{address}/document")).await;
    assert!(matches!(outcome, Err(FetchError::Unreachable(_))));
}

#[tokio::test]
async fn own_signing_keys_are_read_with_the_client_id() {
    let metadata = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    for (claims_mapping, query) in [(true, format!("?appid={API}")), (false, String::new())] {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&requests);
        let url = serve(move |request| {
            let uri = request.original_uri().to_string();
            let body = if uri.starts_with("/keys") {
                let own = uri == format!("/keys?appid={API}");
                json!({ "keys": [if own { jwk("own", 1, None) } else { jwk("shared", 0, None) }] })
            } else {
                discovery(&request)
            };
            recorded.lock().unwrap().push(uri);
            body.to_string().into_response()
        })
        .await;
        let settings = Settings { claims_mapping, ..settings(&url) };
        let mut claims = World::new().claims();
        claims["iss"] = format!("https://issuer.example/{TENANT}/v2.0").into();
        let clock = TestClock::at(claims["iat"].as_u64().unwrap());
        let validator = Validator::builder(settings).clock(Arc::new(clock)).build().unwrap();

        validator.warm_up().await;
        assert_eq!(
            *requests.lock().unwrap(),
            [format!("{metadata}{query}"), format!("/keys{query}")]
        );
        let outcome = validator.validate(&token_of("own", 1, &claims)).await;
        match claims_mapping {
            true => World::assert_accepts(&outcome, "the API's own key"),
            false => {
                World::assert_refuses(&outcome, Rule::SigningKey, "the API's own key");
                let hint = outcome.unwrap_err().hint().unwrap();
                assert!(hint.contains("turn the setting claims_mapping on"), "{hint}");
            }
        }
    }
}
