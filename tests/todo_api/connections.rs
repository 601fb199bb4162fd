//! Unusual clients: they stop reading or sending, close their sending half, or all connect at once.

use std::{fs, io, net::SocketAddr, sync::Arc, time::Duration};

use futures_util::future::join_all;
use poem::{
    EndpointExt,
    endpoint::{make, make_sync},
};
use reqwest::Method;
use serde_json::Value;
use todo_api::{
    listener::{Listener, Stop},
    proxies::TrustedProxies,
    tls::Tls,
    workers::Workers,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::{Barrier, oneshot},
    task::{JoinHandle, yield_now},
    time::{self, timeout},
};

use crate::support::{Answer, App, GIVE_UP_AFTER, operations};

/// More bytes than the system buffers for a connection.
pub(crate) const LARGE: usize = 64 * 1024 * 1024;

#[tokio::test]
async fn a_client_that_stops_reading_is_disconnected() {
    let server = Server::start(usize::MAX, &[], LARGE).await;
    let connect = async || {
        let mut caller = server.connect("127.0.0.1").await;
        caller.write_all(REQUEST).await.unwrap();
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
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_reads_slowly_is_disconnected_after_two_minutes() {
    let server = Server::start(usize::MAX, &[], LARGE).await;
    let mut slow = server.connect("127.0.0.1").await;
    slow.write_all(REQUEST).await.unwrap();
    // Each part is more than the systems on both sides must see to continue.
    let mut part = vec![0; LARGE / 16];
    for _ in 0..4 {
        slow.read_exact(&mut part).await.unwrap();
        pass(5).await;
    }
    slow.read_exact(&mut part).await.unwrap();
    pass(5).await;
    let mut rest = Vec::new();
    let end = slow.read_to_end(&mut rest).await;
    assert!(end.is_err() || rest.len() < LARGE / 16 * 11, "the client was not disconnected");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_disconnected() {
    let server = Server::start(usize::MAX, &[], 1).await;
    let mut silent = server.connect("127.0.0.1").await;
    let mut half = server.connect("127.0.0.1").await;
    half.write_all(&REQUEST[..10]).await.unwrap();
    pass(1).await;
    // More of a header does not extend its time.
    half.write_all(&REQUEST[10..20]).await.unwrap();
    assert!(is_open(&silent) && is_open(&half));
    pass(2).await;
    assert_closed(&mut silent).await;
    assert_closed(&mut half).await;
    server.stop().await;
}

#[tokio::test]
async fn a_connection_may_be_idle_for_75_seconds_after_a_response() {
    let server = Server::start(usize::MAX, &[], 1).await;
    let mut idle = server.connect("127.0.0.1").await;
    let mut half = server.connect("127.0.0.1").await;
    request(&mut idle).await;
    request(&mut half).await;
    // The time begins anew with each response.
    for _ in 0..2 {
        pass(13).await;
        request(&mut idle).await;
        request(&mut half).await;
    }
    half.write_all(&REQUEST[..10]).await.unwrap();
    pass(3).await;
    assert_closed(&mut half).await;
    pass(11).await;
    assert!(is_open(&idle));
    pass(2).await;
    assert_closed(&mut idle).await;
    server.stop().await;
}

#[tokio::test]
async fn an_address_with_half_sent_headers_keeps_nobody_out() {
    let server = Server::start(40, &[], 1).await;
    let mut regular = server.connect("127.0.0.1").await;
    request(&mut regular).await;
    let mut flood = Vec::new();
    for _ in 0..50 {
        let mut half = server.connect("127.0.0.2").await;
        half.write_all(&REQUEST[..10]).await.unwrap();
        flood.push(half);
    }
    request(&mut regular).await;
    request(&mut server.connect("127.0.0.3").await).await;
    // The address may have 10 of the 40 connections: the newest.
    for half in &mut flood[..40] {
        assert_closed(half).await;
    }
    for half in &mut flood[40..] {
        half.write_all(&REQUEST[10..]).await.unwrap();
        assert_response(half).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn many_addresses_with_half_sent_headers_keep_nobody_out() {
    let server = Server::start(8, &["127.0.0.9"], 1).await;
    let mut flood = Vec::new();
    for number in 0..16 {
        // A proxy may have all connections.
        let address = if number < 8 { "127.0.0.9" } else { &format!("127.0.1.{number}") };
        let mut half = server.connect(address).await;
        half.write_all(&REQUEST[..10]).await.unwrap();
        // Make sure that they are accepted in this order.
        yield_now().await;
        flood.push(half);
    }
    request(&mut server.connect("127.0.0.1").await).await;
    for half in &mut flood[..9] {
        assert_closed(half).await;
    }
    for half in &mut flood[9..] {
        half.write_all(&REQUEST[10..]).await.unwrap();
        assert_response(half).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn the_accept_queue_is_served_at_a_stop_beyond_the_limit() {
    let listener = Listener::bind("127.0.0.1", 0).await.unwrap();
    let server = listener.url().trim_start_matches("http://").parse().unwrap();
    let mut waiting = Vec::new();
    for number in 1..=8 {
        let mut caller = connect(server, &format!("127.0.0.{number}")).await;
        caller.write_all(REQUEST).await.unwrap();
        waiting.push(caller);
    }
    // No response is sent before all requests have arrived, so none of the connections is idle.
    let all = Arc::new(Barrier::new(waiting.len()));
    let endpoint = make(move |_| {
        let all = Arc::clone(&all);
        async move {
            all.wait().await;
        }
    });
    let listener = listener.with_limits(4, TrustedProxies::default());
    let endpoint = endpoint.map_to_response().boxed();
    let stop = async { Stop::AtOnce };
    let served = tokio::spawn(listener.serve(endpoint, Workers::current(), DRAIN_TIMEOUT, stop));
    for mut caller in waiting {
        assert_response(&mut caller).await;
    }
    served.await.unwrap();
}

#[tokio::test]
async fn the_rest_of_a_refused_body_is_not_a_header() {
    let app = App::start().await;
    let mut caller = send_part_of_a_refused_body(&app).await;
    caller.write_all(b"b").await.unwrap();
    // The server reads it.
    for _ in 0..8 {
        yield_now().await;
    }
    pass(2).await;
    advance(Duration::from_secs(2)).await;
    caller.write_all(b"cGET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert_response(&mut caller).await;
}

#[tokio::test]
async fn a_refused_body_that_does_not_arrive_ends_the_connection() {
    let app = App::start().await;
    let mut caller = send_part_of_a_refused_body(&app).await;
    pass(2).await;
    assert!(is_open(&caller));
    pass(2).await;
    assert_closed(&mut caller).await;
}

/// Sends the first of three bytes of a body, and gets the refusal.
async fn send_part_of_a_refused_body(app: &App) -> TcpStream {
    let mut caller = app.connect().await;
    let head = b"POST /todoitems HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\n\r\na";
    caller.write_all(head).await.unwrap();
    let mut answer = [0; 4_096];
    let read = caller.read(&mut answer).await.unwrap();
    Answer::parse(&answer[..read]).assert_problem(401, "missing_token");
    caller
}

#[tokio::test]
async fn a_body_that_does_not_arrive_within_15_seconds_gets_408() {
    let app = App::start().await;
    let document = app.send(None, Method::GET, "/openapi.json", None).await.body;
    let token = app.token("uma").await;
    app.create("uma", "Walk the dog").await;
    for operation in operations(&document).iter().filter(|operation| operation.has_body()) {
        let (method, path) = (&operation.method, operation.path.replace("{id}", "1"));
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
        );
        let mut caller = app.connect().await;
        caller.write_all(head.as_bytes()).await.unwrap();
        // The server reads it.
        for _ in 0..8 {
            yield_now().await;
        }
        pass(2).await;
        // More of a body does not extend its time.
        caller.write_all(b" ").await.unwrap();
        assert!(is_open(&caller));
        pass(2).await;
        let mut answer = [0; 4_096];
        let read = timeout(Duration::from_secs(10), caller.read(&mut answer)).await;
        let answer = Answer::parse(&answer[..read.expect("there is no answer").unwrap()]);
        answer.assert_problem(408, "request_timeout");
        operation.assert_describes(&document, &answer);
    }
    assert_eq!(app.names("uma").await, ["Walk the dog"]);
}

/// How long a server waits for the requests in progress when it stops.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A server without an API. Its responses have a body of a given size.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Server {
    async fn start(max_connections: usize, proxies: &[&str], size: usize) -> Self {
        Self::start_with(max_connections, proxies, size, None).await
    }

    /// The same over TLS, if there is a certificate.
    pub(crate) async fn start_with(
        max_connections: usize,
        proxies: &[&str],
        size: usize,
        tls: Option<Tls>,
    ) -> Self {
        let proxies: Vec<_> = proxies.iter().map(|proxy| (*proxy).to_owned()).collect();
        let proxies = TrustedProxies::parse(&proxies).unwrap();
        let listener = Listener::bind("127.0.0.1", 0).await.unwrap();
        let address = listener.url().trim_start_matches("http://").parse().unwrap();
        let listener = listener.with_limits(max_connections, proxies).with_tls(tls);
        let (stop, stopped) = oneshot::channel::<()>();
        let endpoint = make_sync(move |_| vec![b'a'; size]).map_to_response().boxed();
        let served =
            tokio::spawn(listener.serve(endpoint, Workers::current(), DRAIN_TIMEOUT, async {
                let _ = stopped.await;
                Stop::AtOnce
            }));
        Self { address, stop, served }
    }

    /// Connects from this address.
    pub(crate) async fn connect(&self, address: &str) -> TcpStream {
        connect(self.address, address).await
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap();
    }
}

async fn connect(server: SocketAddr, address: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
    socket.connect(server).await.unwrap()
}

pub(crate) async fn request(caller: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    caller.write_all(REQUEST).await.unwrap();
    assert_response(caller).await;
}

pub(crate) async fn assert_response(caller: &mut (impl AsyncRead + Unpin)) {
    let mut answer = [0; 1_024];
    let read = caller.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// Waits until the server has closed the connection without a response.
pub(crate) async fn assert_closed(caller: &mut (impl AsyncRead + Unpin)) {
    let read = timeout(Duration::from_secs(10), caller.read(&mut [0])).await;
    let closed = read.is_ok_and(|read| match read {
        Ok(read) => read == 0,
        // A TLS client wants to be told about the end.
        Err(error) => {
            [io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof].contains(&error.kind())
        }
    });
    assert!(closed, "the connection is open, or there is a response");
}

pub(crate) fn is_open(caller: &TcpStream) -> bool {
    caller.try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Advances the time by five seconds this many times. The server runs after each step.
pub(crate) async fn pass(times: u32) {
    for _ in 0..times {
        advance(Duration::from_secs(5)).await;
    }
}

async fn advance(duration: Duration) {
    time::pause();
    time::advance(duration).await;
    time::resume();
    yield_now().await;
}

#[tokio::test]
async fn two_hundred_connections_wait_in_the_accept_queue() {
    let allowed = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let callers = allowed.trim().parse::<usize>().unwrap().min(200);
    // No server accepts the connections.
    let listener = Listener::bind("127.0.0.1", 0).await.unwrap();
    let address = listener.url().trim_start_matches("http://").to_owned();
    let all = join_all((0..callers).map(|_| TcpStream::connect(&address)));
    let connected = timeout(GIVE_UP_AFTER, all).await.expect("some connections are refused");
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
