//! Unusual clients: they stop reading, close their sending half, or all connect at once.

use std::{fs, time::Duration};

use futures_util::future::join_all;
use poem::{EndpointExt, endpoint::make_sync};
use serde_json::Value;
use todo_api::listener::{Listener, Stop};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::yield_now,
    time::{self, timeout},
};

use crate::support::App;

/// More bytes than the system buffers for a connection.
const LARGE: usize = 64 * 1024 * 1024;

#[tokio::test]
async fn a_client_that_stops_reading_is_disconnected() {
    let listener = Listener::bind("127.0.0.1", 0).await.unwrap();
    let address = listener.url().trim_start_matches("http://").to_owned();
    let (stop, stopped) = oneshot::channel::<()>();
    let large = make_sync(|_| vec![b'a'; LARGE]).map_to_response().boxed();
    let server = tokio::spawn(listener.serve(large, Duration::from_secs(10), async {
        let _ = stopped.await;
        Stop::AtOnce
    }));
    let connect = async || {
        let mut caller = TcpStream::connect(&address).await.unwrap();
        caller.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        caller
    };
    let mut slow = connect().await;
    let mut answer = vec![0; LARGE / 2];
    slow.read_exact(&mut answer).await.unwrap();
    pass(5).await;
    slow.read_exact(&mut answer).await.unwrap();
    let mut stuck = connect().await;
    pass(20).await;
    let mut answer = Vec::new();
    let end = stuck.read_to_end(&mut answer).await;
    assert!(end.is_ok_and(|read| read < LARGE), "the client was not disconnected");

    stop.send(()).unwrap();
    server.await.unwrap();
}

/// Advances the time by five seconds this many times. The server runs after each step.
async fn pass(times: u32) {
    for _ in 0..times {
        time::pause();
        time::advance(Duration::from_secs(5)).await;
        time::resume();
        yield_now().await;
    }
}

#[tokio::test]
async fn two_hundred_connections_wait_in_the_accept_queue() {
    let allowed = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let callers = allowed.trim().parse::<usize>().unwrap().min(200);
    // No server accepts the connections.
    let listener = Listener::bind("127.0.0.1", 0).await.unwrap();
    let address = listener.url().trim_start_matches("http://").to_owned();
    let all = join_all((0..callers).map(|_| TcpStream::connect(&address)));
    let connected =
        timeout(Duration::from_secs(10), all).await.expect("some connections are refused");
    assert!(connected.iter().all(Result::is_ok));
}

/// hyper responds to these by itself, and has no hook for a problem document.
#[tokio::test]
async fn an_unreadable_header_gets_a_status_without_a_body() {
    let app = App::start().await;
    let target = "a".repeat(65_534);
    let fields = |count: usize| "a: b\r\n".repeat(count);
    for (request, status) in [
        ("GET\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/2.7\r\nhost: localhost\r\n\r\n".to_owned(), 400),
        ("G\u{e9}T / HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nhost : localhost\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: x\r\n\r\n".to_owned(), 400),
        (format!("GET /{target} HTTP/1.1\r\nhost: localhost\r\n\r\n"), 414),
        (format!("GET /nothing HTTP/1.1\r\nhost: localhost\r\n{}\r\n", fields(100)), 431),
    ] {
        let answer = app.send_bytes(request.as_bytes()).await;
        let start = &request[..request.len().min(60)];
        assert_eq!((answer.status.as_u16(), answer.body), (status, Value::Null), "{start}");
    }
    let longest = &target[1..];
    let request =
        format!("GET /{longest} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    app.send_bytes(request.as_bytes()).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_client_that_closes_its_sending_half_gets_a_response() {
    let app = App::start().await;
    let token = app.token("uma").await;
    let mut caller = app.connect().await;
    let body = r#"{"item":{"name":"Walk the dog"}}"#;
    let request = format!(
        "POST /todoitems HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    caller.write_all(request.as_bytes()).await.unwrap();
    caller.shutdown().await.unwrap();
    let mut answer = String::new();
    caller.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(app.names("uma").await, ["Walk the dog"]);
}
