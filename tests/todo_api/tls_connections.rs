//! The limits of connections hold over TLS too. A handshake has those of a request header.

use std::{path::Path, sync::Arc};

use rustls::pki_types::ServerName;
use todo_api::tls::Tls;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::yield_now,
    time::{self, Instant},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    connections::{
        DRAIN_TIMEOUT, LARGE, REQUEST, Server, assert_closed, assert_response, is_open, pass,
        request,
    },
    floods::memory,
    support::{Launch, Program, TlsFiles, wait_until},
};

/// The beginning of a `ClientHello`.
const HALF: &[u8] = &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];

#[tokio::test]
async fn a_client_that_does_not_finish_the_handshake_is_disconnected() {
    let site = Site::start(usize::MAX, 1).await;
    let mut silent = site.connect("127.0.0.1").await;
    let mut half = site.half_handshake("127.0.0.1").await;
    pass(1).await;
    // More of a handshake does not extend its time.
    half.write_all(&[0; 10]).await.unwrap();
    assert!(is_open(&silent) && is_open(&half));
    pass(2).await;
    assert_closed(&mut silent).await;
    assert_closed(&mut half).await;
    site.server.stop().await;
}

#[tokio::test]
async fn the_first_request_has_its_own_time_after_the_handshake() {
    let site = Site::start(usize::MAX, 1).await;
    let mut slow = site.connect_securely("127.0.0.1").await;
    let mut silent = site.connect_securely("127.0.0.1").await;
    pass(1).await;
    slow.write_all(&REQUEST[..10]).await.unwrap();
    // The server reads it.
    for _ in 0..8 {
        yield_now().await;
    }
    pass(1).await;
    slow.write_all(&REQUEST[10..]).await.unwrap();
    assert_response(&mut slow).await;
    pass(1).await;
    assert_closed(&mut silent).await;
    site.server.stop().await;
}

#[tokio::test]
async fn half_a_header_over_tls_has_ten_seconds() {
    let site = Site::start(usize::MAX, 1).await;
    let mut half = site.connect_securely("127.0.0.1").await;
    request(&mut half).await;
    half.write_all(&REQUEST[..10]).await.unwrap();
    pass(3).await;
    assert_closed(&mut half).await;
    site.server.stop().await;
}

#[tokio::test]
async fn a_tls_connection_may_be_idle_for_75_seconds_after_a_response() {
    let site = Site::start(usize::MAX, 1).await;
    let mut idle = site.connect_securely("127.0.0.1").await;
    request(&mut idle).await;
    pass(13).await;
    request(&mut idle).await;
    pass(16).await;
    assert_closed(&mut idle).await;
    site.server.stop().await;
}

#[tokio::test]
async fn a_tls_client_that_stops_reading_is_disconnected() {
    let site = Site::start(usize::MAX, LARGE).await;
    let mut stuck = site.connect_securely("127.0.0.1").await;
    stuck.write_all(REQUEST).await.unwrap();
    pass(20).await;
    let mut answer = Vec::new();
    let _ = stuck.read_to_end(&mut answer).await;
    assert!(answer.len() < LARGE, "the client was not disconnected");
    site.server.stop().await;
}

#[tokio::test]
async fn half_handshakes_keep_nobody_out() {
    let site = Site::start(40, 1).await;
    let mut regular = site.connect_securely("127.0.0.1").await;
    request(&mut regular).await;
    let mut flood = Vec::new();
    for number in 0..60 {
        // One address may have 10 of the 40 connections. The other addresses fill the rest.
        let address = if number < 20 { "127.0.0.2" } else { &format!("127.0.1.{number}") };
        flood.push(site.half_handshake(address).await);
        // Make sure that they are accepted in this order.
        yield_now().await;
    }
    for half in &mut flood[..10] {
        assert_closed(half).await;
    }
    request(&mut site.connect_securely("127.0.0.3").await).await;
    assert!(is_open(&flood[59]));
    site.server.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_handshakes_and_idle_connections() {
    let site = Site::start(usize::MAX, 1).await;
    let mut idle = site.connect_securely("127.0.0.1").await;
    request(&mut idle).await;
    let mut half = site.half_handshake("127.0.0.1").await;
    let mut unused = site.connect_securely("127.0.0.1").await;
    // On this clock, time passes only while everybody waits for a timer.
    time::pause();
    let began = Instant::now();
    site.server.stop().await;
    assert!(began.elapsed() < DRAIN_TIMEOUT, "the server waits");
    time::resume();
    // A client knows that nothing is missing, because TLS says that this is the end.
    assert_eq!(idle.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(unused.read(&mut [0]).await.unwrap(), 0);
    assert_closed(&mut half).await;
}

#[tokio::test]
async fn a_tls_connection_takes_less_than_40_kb() {
    const OPEN: usize = 300;
    let files = TlsFiles::new("localhost");
    let launch = Launch::dev().with("RUST_LOG", "warn");
    let launch = launch.with("TLS_CERT", &files.certificate).with("TLS_KEY", &files.key);
    let program = Program::spawn_new(launch);
    let health = format!("{}/health", program.url);
    let client = files.authority.client();
    wait_until("the server responds", async || client.get(&health).send().await.is_ok()).await;
    let connector = TlsConnector::from(Arc::new(files.authority.client_config()));
    let before = memory(&program);
    let mut open = Vec::new();
    while open.len() < OPEN {
        let stream = TcpStream::connect(program.url.trim_start_matches("https://")).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = connector.connect(name, stream).await.unwrap();
        stream.write_all(&REQUEST[..20]).await.unwrap();
        open.push(stream);
    }
    let more = memory(&program) - before;
    eprintln!("memory: {before} MB, and {more} MB for {OPEN} open TLS connections");
    assert!(more < 12, "{more} MB");
}

/// A server with a certificate.
struct Site {
    server: Server,
    connector: TlsConnector,
}

impl Site {
    async fn start(max_connections: usize, size: usize) -> Self {
        let files = TlsFiles::new("localhost");
        let tls = Tls::read(Path::new(&files.certificate), Path::new(&files.key)).unwrap();
        let connector = Arc::new(files.authority.client_config()).into();
        let server = Server::start_with(max_connections, &[], size, Some(tls)).await;
        Self { server, connector }
    }

    async fn connect(&self, address: &str) -> TcpStream {
        self.server.connect(address).await
    }

    async fn connect_securely(&self, address: &str) -> TlsStream<TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        self.connector.connect(name, self.connect(address).await).await.unwrap()
    }

    async fn half_handshake(&self, address: &str) -> TcpStream {
        let mut stream = self.connect(address).await;
        stream.write_all(HALF).await.unwrap();
        stream
    }
}
