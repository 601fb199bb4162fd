//! How a server stops: it reports that it is not ready, tells its clients to close their
//! connections, and lets the requests in progress complete.

use std::{
    fs,
    io::{self, Write},
    time::Duration,
};

use reqwest::{Client, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time,
};

use crate::support::{Answer, App, Launch, Program, client, free_ports, wait_until};

#[tokio::test]
async fn a_stopping_server_is_not_ready_and_closes_its_connections() {
    // New connections are accepted for another minute.
    let mut app = App::start_with(|environment| environment.with("DRAIN_TIMEOUT", "600")).await;
    let token = app.token("uma").await;
    app.wait_until_ready().await;
    let request = format!(
        "GET /todoitems HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let mut kept = app.connect().await;
    kept.write_all(request.as_bytes()).await.unwrap();
    let before = Answer::read(&mut kept).await;
    assert_eq!((before.status, before.header("connection")), (StatusCode::OK, ""));

    app.begin_stop();
    let is_ready = async || app.readiness().await.status == StatusCode::OK;
    wait_until("the server is not ready", async || !is_ready().await).await;
    let answer = app.readiness().await;
    answer.assert_unavailable("shutting_down");
    assert_eq!(
        (&answer.body["keys"], &answer.body["database"]),
        (&"ready".into(), &"ready".into())
    );
    // The open connection and a new one get one more response, and then end.
    for mut connection in [kept, app.connect().await] {
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await.unwrap();
        let answer = Answer::parse(&answer);
        assert_eq!((answer.status, answer.header("connection")), (StatusCode::OK, "close"));
    }
    let alive = app.client.get(format!("{}/health", app.url)).send().await.unwrap();
    assert_eq!(alive.status(), StatusCode::OK, "the server is alive as long as it serves requests");
}

#[tokio::test]
async fn connections_in_the_accept_queue_are_served_at_a_stop() {
    let mut app = App::start_with(|environment| environment.with("DRAIN_TIMEOUT", "600")).await;
    app.begin_stop();
    let code = async || app.readiness().await.body["code"] == "shutting_down";
    wait_until("the server shuts down", code).await;
    // These calls block the thread that the server runs on, so it accepts nothing meanwhile.
    let address = app.url.trim_start_matches("http://");
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
            stream.set_nonblocking(true).unwrap();
            TcpStream::from_std(stream).unwrap()
        })
        .collect();
    // The minute in which the server accepts connections is over.
    time::pause();
    time::advance(Duration::from_secs(61)).await;
    time::resume();
    for mut stream in waiting {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(Answer::parse(&answer).status, StatusCode::OK);
    }
    wait_until("the port is closed", async || TcpStream::connect(address).await.is_err()).await;
}

#[tokio::test]
async fn sigterm_ends_idle_connections_and_completes_requests() {
    let mut program = Program::launch(Launch::dev().with("DRAIN_TIMEOUT", "20")).await;
    let address = program.url.trim_start_matches("http://").to_owned();
    let mut idle = TcpStream::connect(&address).await.unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert_eq!(Answer::read(&mut idle).await.status, StatusCode::OK);
    let mut unused = TcpStream::connect(&address).await.unwrap();
    let body = r#"{"item":{"name":"Walk the dog"}}"#;
    let mut busy = begin_creation(&address, &program.token("uma"), body.len()).await;

    program.send_signal("TERM");
    let ready = format!("{}/health/ready", program.url);
    let without_reuse = Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    wait_until("the server is not ready", async || {
        // A new connection for each. A slow test may find the port closed already.
        !without_reuse.get(&ready).send().await.is_ok_and(|it| it.status() == StatusCode::OK)
    })
    .await;
    for connection in [&mut idle, &mut unused] {
        assert_eq!(connection.read(&mut [0]).await.unwrap(), 0, "the server sent something");
    }
    assert!(TcpStream::connect(&address).await.is_err(), "the port is still open");
    busy.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    busy.read_to_end(&mut answer).await.unwrap();
    let answer = Answer::parse(&answer);
    assert_eq!((answer.status, answer.header("connection")), (StatusCode::CREATED, "close"));
    assert!(program.wait_until_ended().await.success());
}

#[tokio::test]
async fn a_request_that_outlasts_the_drain_timeout_is_cut_off() {
    for signal in ["TERM", "INT"] {
        let mut program = Program::launch(Launch::dev().with("DRAIN_TIMEOUT", "1")).await;
        let address = program.url.trim_start_matches("http://").to_owned();
        let mut stuck = begin_creation(&address, &program.token("uma"), 100).await;
        assert!(program.stop(signal).await.success());
        assert_eq!(stuck.read(&mut [0]).await.unwrap_or(0), 0, "there is a response");
        let log = program.log();
        assert!(log.contains("requests in progress were cut off"), "{log}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_the_server_at_once_and_loses_no_change() {
    for (first, second) in [("TERM", "INT"), ("INT", "INT"), ("INT", "TERM"), ("TERM", "TERM")] {
        // Longer than the test waits for the end.
        let mut program = Program::launch(Launch::dev().with("DRAIN_TIMEOUT", "3600")).await;
        let address = program.url.trim_start_matches("http://").to_owned();
        let token = program.token("uma");
        let mut stuck = begin_creation(&address, &token, 100).await;
        let body = r#"{"item":{"name":"Walk the dog"}}"#;
        let mut busy = begin_creation(&address, &token, body.len()).await;
        program.send_signal(first);
        program.wait_for("requests in progress have up to 3600 s to complete").await;
        busy.write_all(body.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        busy.read_to_end(&mut answer).await.unwrap();
        assert_eq!(Answer::parse(&answer).status, StatusCode::CREATED);

        program.wait_for("another SIGINT (Ctrl-C) or SIGTERM ends the server at once").await;
        assert!(program.stop(second).await.success(), "{first}, {second}");
        assert_eq!(stuck.read(&mut [0]).await.unwrap_or(0), 0, "there is a response");
        let log = program.log();
        let second_signal = "ending because of a second signal, without waiting for requests";
        assert!(log.contains(second_signal), "{log}");
        program.restart().await;
        let list = client().get(format!("{}/todoitems", program.url)).bearer_auth(&token);
        let page: serde_json::Value = list.send().await.unwrap().json().await.unwrap();
        let names: Vec<_> =
            page["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
        assert_eq!(names, ["Walk the dog"], "{first}, {second}");
    }
}

/// A program such as `timeout` or `sudo` may pass on a signal that the server gets anyway.
#[tokio::test]
async fn a_copy_of_a_signal_does_not_cut_off_requests() {
    let mut program = Program::launch(Launch::dev().with("DRAIN_TIMEOUT", "3600")).await;
    let address = program.url.trim_start_matches("http://").to_owned();
    let body = r#"{"item":{"name":"Walk the dog"}}"#;
    let mut busy = begin_creation(&address, &program.token("uma"), body.len()).await;
    // The server gets both signals when it continues. Two of the same kind could become one.
    for signal in ["STOP", "INT", "TERM", "CONT"] {
        program.send_signal(signal);
    }
    program.wait_for("another SIGINT (Ctrl-C) or SIGTERM ends the server at once").await;
    busy.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    busy.read_to_end(&mut answer).await.unwrap();
    assert_eq!(Answer::parse(&answer).status, StatusCode::CREATED);
    // TERM may be the first of the two, and begins a wait of six minutes.
    assert!(program.stop("INT").await.success());
}

/// Sends the head of a request to create a todo. The server is processing it from now on.
async fn begin_creation(address: &str, token: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /todoitems HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\
         expect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100 Continue"));
    stream
}

/// How much processor time a server may need from its start to its first response, in the clock
/// ticks of `/proc`, which are hundredths of a second. Other tests may use all processors, so the
/// time on the clock says little.
const FIRST_RESPONSE: u64 = 30;

#[tokio::test]
async fn a_server_responds_within_300_ms_without_an_authority() {
    // One authority refuses connections, and one never responds.
    let [unused] = free_ports();
    assert_responds_at_once(unused, async || true).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let is_asked = async || {
        let (mut request, _) = silent.accept().await.unwrap();
        let read = request.read(&mut [0; 4_096]).await.unwrap();
        let more = request.try_read(&mut [0]);
        read > 0 && more.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    };
    assert_responds_at_once(port, is_asked).await;
}

/// Asserts that a server responds while `is_asked`: it still waits for its authority on this port.
async fn assert_responds_at_once(authority: u16, is_asked: impl AsyncFn() -> bool) {
    let client = client();
    let [port] = free_ports();
    let launch = Launch::serve(&format!("http://127.0.0.1:{authority}"));
    let launch = launch.with("PORT", port.to_string());
    let mut starts = Vec::new();
    // Some systems also count the time while another program has the processor, so the best of a
    // few starts counts.
    for _ in 0..10 {
        let mut program = Program::spawn_new(launch.clone());
        let ready = format!("{}/health/ready", program.url);
        let mut answer = None;
        wait_until("the server responds", async || {
            answer = client.get(&ready).send().await.ok();
            answer.is_some()
        })
        .await;
        let (ticks, is_asked) = (processor_time(&program), is_asked().await);
        let answer = Answer::of(answer.unwrap()).await;
        answer.assert_unavailable("keys_unavailable");
        assert!(program.stop("INT").await.success());
        if ticks < FIRST_RESPONSE && is_asked {
            return;
        }
        starts.push((ticks, is_asked));
    }
    panic!("ticks, and whether the server still waited for the authority: {starts:?}");
}

/// The processor time that the program has used, in clock ticks.
fn processor_time(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/stat", program.id())).unwrap();
    // The name of the program is in parentheses; see proc_pid_stat(5).
    let fields: Vec<_> = status.rsplit_once(") ").unwrap().1.split(' ').collect();
    [11, 12].map(|index: usize| fields[index].parse::<u64>().unwrap()).iter().sum()
}
