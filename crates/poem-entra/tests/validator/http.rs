//! Rule C4, over real sockets: what the network may do to the validator.

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

/// A server on a loopback port; it ends with the test's runtime.
async fn serve(answer: impl Fn(Request) -> Response + Send + Sync + 'static) -> String {
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = acceptor.local_addr()[0].as_socket_addr().copied().unwrap();
    let routes = Route::new().nest("/", make_sync(answer));
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes));
    format!("http://{address}/document")
}

async fn get(url: &str) -> Result<Vec<u8>, FetchError> {
    HttpTransport::new(true).unwrap().get(url).await
}

#[tokio::test]
async fn a_document_has_at_most_256_kib() {
    for (size, accepted) in [(BODY_LIMIT, true), (BODY_LIMIT + 1, false)] {
        let url = serve(move |_| " ".repeat(size).into_response()).await;
        match get(&url).await {
            Ok(body) => assert!(accepted && body.len() == size, "{size}"),
            Err(error) => assert!(!accepted && matches!(error, FetchError::TooLarge), "{error}"),
        }
    }
}

#[tokio::test]
async fn only_200_is_an_answer() {
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND, StatusCode::BAD_GATEWAY] {
        let url = serve(move |_| status.into()).await;
        let outcome = get(&url).await;
        assert!(matches!(outcome, Err(FetchError::Status(code)) if code == status.as_u16()));
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
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
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_authority_where_nobody_listens_is_unreachable() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let outcome = get(&format!("http://{address}/document")).await;
    assert!(matches!(outcome, Err(FetchError::Unreachable(_))));
}
