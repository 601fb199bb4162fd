//! The HTTP transport, over real sockets.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use poem::{
    IntoResponse, Request, Response, Route, Server,
    endpoint::make_sync,
    http::StatusCode,
    listener::{Acceptor, Listener, TcpListener},
};
use poem_entra::transport::{BODY_LIMIT, FetchError, HttpTransport, Transport};

/// Starts a server on a loopback port and returns the URL of a document. The server stops with the
/// test's runtime.
async fn serve(respond: impl Fn(Request) -> Response + Send + Sync + 'static) -> String {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
    let routes = Route::new().nest("/", make_sync(respond));
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
    format!("http://{address}/document")
}

async fn get(url: &str) -> Result<Vec<u8>, FetchError> {
    HttpTransport::new(true).unwrap().get(url).await
}

#[tokio::test]
async fn a_document_larger_than_256_kib_is_refused() {
    for (size, accepted) in [(BODY_LIMIT, true), (BODY_LIMIT + 1, false)] {
        let url = serve(move |_| " ".repeat(size).into_response()).await;
        match get(&url).await {
            Ok(body) => assert!(accepted && body.len() == size, "{size}"),
            Err(error) => assert!(!accepted && matches!(error, FetchError::TooLarge), "{error}"),
        }
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
