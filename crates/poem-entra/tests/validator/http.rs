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
async fn c4_a_document_has_at_most_256_kib() {
    for (size, accepted) in [(BODY_LIMIT, true), (BODY_LIMIT + 1, false)] {
        let url = serve(move |_| " ".repeat(size).into_response()).await;
        match get(&url).await {
            Ok(body) => assert!(accepted && body.len() == size, "{size}"),
            Err(error) => assert!(!accepted && matches!(error, FetchError::TooLarge), "{error}"),
        }
    }
}

#[tokio::test]
async fn c4_only_200_is_an_answer() {
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND, StatusCode::BAD_GATEWAY] {
        let url = serve(move |_| status.into()).await;
        let outcome = get(&url).await;
        assert!(matches!(outcome, Err(FetchError::Status(code)) if code == status.as_u16()));
    }
}

#[tokio::test]
async fn c4_a_redirect_to_another_scheme_is_not_followed_and_to_the_same_one_is() {
    let target = serve(|_| "moved here".into_response()).await;
    let redirect = |location: String| {
        serve(move |_| {
            Response::builder().status(StatusCode::FOUND).header("location", &location).finish()
        })
    };
    let url = redirect(target.clone()).await;
    assert_eq!(get(&url).await.unwrap(), b"moved here");
    let url = redirect(target.replace("http://", "https://")).await;
    assert!(matches!(get(&url).await, Err(FetchError::Status(302))));
}

#[tokio::test]
async fn c4_redirects_in_a_circle_end() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let url = serve(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Response::builder().status(StatusCode::FOUND).header("location", "/document").finish()
    })
    .await;
    assert!(get(&url).await.is_err());
    assert!(asked.load(Ordering::SeqCst) <= 5);
}

#[tokio::test]
async fn an_authority_where_nobody_listens_is_unreachable() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let outcome = get(&format!("http://{address}/document")).await;
    assert!(matches!(outcome, Err(FetchError::Unreachable(_))));
}
