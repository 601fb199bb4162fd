//! What must not stop a tenant: clients that hold connections, a full descriptor table, a log that
//! nobody reads, a folder that cannot be written.

use std::{fs, io::ErrorKind, os::unix::fs::MetadataExt, process::Stdio, time::Duration};

use entra_dev::{DevTenant, Options, ids::CONTOSO};
use reqwest::Client;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{self, Instant, timeout},
};

use crate::support::{Answer, EntraDev, GIVE_UP_AFTER, TestTenant, command, free_ports, trusting};

/// The limit of a wait after which the tenant would soon close idle connections anyway.
const BEFORE_IDLE: Duration = Duration::from_secs(50);

async fn connect(url: &str) -> TcpStream {
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

/// A connection to this listener on which half a header was sent.
async fn half_a_header(url: &str) -> TcpStream {
    let mut stream = connect(url).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: local").await.unwrap();
    stream
}

/// A client that uses IPv4 and a new connection for each request.
fn fresh_client(ca: &str) -> Client {
    let ca = reqwest::Certificate::from_pem(ca.as_bytes()).unwrap();
    let builder = Client::builder().no_proxy().pool_max_idle_per_host(0);
    builder.local_address(Some([127, 0, 0, 1].into())).tls_certs_only([ca]).build().unwrap()
}

#[tokio::test]
async fn idle_connections_give_way_when_there_are_no_descriptors_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = std::process::Command::new("sh");
    let run = "ulimit -n 48; exec \"$0\" --port 0 --https-port 0";
    program.args(["-c", run, env!("CARGO_BIN_EXE_entra-dev")]).env_clear();
    let program = EntraDev::start_command(folder, program).await;
    let ca = fs::read_to_string(program.folder.path().join("data/dev-tenant/ca.pem")).unwrap();
    let client = fresh_client(&ca);
    let mut held = Vec::new();
    for _ in 0..150 {
        held.push(half_a_header(&program.url).await);
    }
    let answers = async |url: &str| {
        let answer = timeout(BEFORE_IDLE, Answer::of(client.get(url))).await.unwrap();
        assert_eq!(answer.status, 200);
    };
    answers(&program.url).await;
    // It is the first one of its socket, but newer than the others.
    let newest = connect(&program.https_url).await;
    answers(&program.https_url).await;
    answers(&program.url).await;
    let error = newest.try_read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock, "it is open");
    let log = program.log();
    let warnings = log.matches("failed to accept a connection").count();
    assert!((1..=10).contains(&warnings), "one line for each time of need:\n{log}");
}

#[tokio::test]
async fn more_connections_than_the_limit_close_the_longest_idle() {
    let tenant = TestTenant::start().await;
    let mut first = half_a_header(&tenant.url("")).await;
    let mut held = Vec::new();
    for _ in 0..256 {
        held.push(half_a_header(&tenant.url("")).await);
    }
    let mut rest = Vec::new();
    let ended = timeout(BEFORE_IDLE, first.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(ended.unwrap_or_default(), 0, "it is closed without a response");
    assert_eq!(tenant.get("/").await.status, 200);
    let last = held.last_mut().unwrap();
    last.write_all(b"host\r\n\r\n").await.unwrap();
    let mut response = [0; 12];
    timeout(GIVE_UP_AFTER, last.read_exact(&mut response)).await.unwrap().unwrap();
    assert_eq!(&response, b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_request_in_progress_does_not_give_way() {
    let tenant = TestTenant::start().await;
    tenant.plan("instance", &serde_json::json!({ "latency_ms": 2000 })).await;
    let slow = tenant.ask("instance");
    let crowd = async {
        let mut held = Vec::new();
        for _ in 0..300 {
            held.push(half_a_header(&tenant.url("")).await);
        }
        held
    };
    let (answer, _held) = tokio::join!(slow, crowd);
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let tenant = TestTenant::start().await;
    let mut stream = connect(&tenant.url("")).await;
    let head = format!(
        "POST /{CONTOSO}/oauth2/v2.0/token HTTP/1.1\r\nHost: localhost\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ngrant"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut response = String::new();
    timeout(GIVE_UP_AFTER, stream.read_to_string(&mut response)).await.unwrap().unwrap();
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    assert!(response.contains("content-type: application/problem+json"), "{response}");
}

#[tokio::test]
async fn it_stops_within_a_second_whatever_clients_do() {
    let tenant = DevTenant::start_with(Options::ephemeral()).await.unwrap();
    let https = tenant.https_url().unwrap().to_owned();
    let client = trusting(tenant.ca_certificate().unwrap());
    assert_eq!(Answer::of(client.get(&https)).await.status, 200);
    let mut held = vec![half_a_header(tenant.base_url()).await, half_a_header(&https).await];
    // The body of a request is missing, so the request is in progress.
    let post = b"host\r\nContent-Length: 9\r\n\r\n";
    held[0].write_all(post).await.unwrap();
    // On this clock, time passes only while everybody waits for a timer.
    time::pause();
    let began = Instant::now();
    tenant.stop().await;
    time::resume();
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    drop(held);

    let mut program = EntraDev::start(&["--port", "0", "--https-port", "0"]).await;
    let held = [half_a_header(&program.url).await, half_a_header(&program.https_url).await];
    assert!(program.stop("TERM").await.success());
    drop(held);
}

#[tokio::test]
async fn a_log_that_nobody_reads_does_not_stop_it() {
    let folder = tempfile::tempdir().unwrap();
    let [port, https_port] = free_ports().map(|port| port.to_string());
    let mut command = command(&folder);
    command.args(["--port", &port, "--https-port", &https_port]);
    // Nobody reads these pipes, which have room for 64 KiB.
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (url, https_url) = (format!("http://localhost:{port}"), String::new());
    let mut program = EntraDev { url, https_url, folder, process };
    program.wait_until_it_answers().await;
    let client = Client::builder().no_proxy().build().unwrap();
    let refused = format!("{}/{CONTOSO}/oauth2/v2.0/token", program.url);
    for _ in 0..600 {
        let answer = timeout(GIVE_UP_AFTER, Answer::of(client.post(&refused))).await.unwrap();
        assert_eq!(answer.status, 400);
    }
    assert!(program.stop("TERM").await.success());
}

/// `/proc` can be written by nobody, not even by root.
#[tokio::test]
async fn a_folder_that_cannot_be_written_means_keys_in_memory() {
    let arguments = ["--port", "0", "--https-port", "0", "--data", "/proc/entra-dev"];
    let program = EntraDev::start(&arguments).await;
    let client = Client::builder().no_proxy().build().unwrap();
    let ca = Answer::of(client.get(format!("{}/ca.pem", program.url))).await.body;
    let log = program.log();
    assert!(log.contains(&format!("{}/ca.pem", program.url)), "it says where the CA is: {log}");
    assert_eq!(log.matches("only in memory").count(), 2, "keys and CA: {log}");
    assert_eq!(Answer::of(trusting(&ca).get(&program.https_url)).await.status, 200);
    assert!(program.forged_claims().await["iss"].is_string());
}

/// The folder of a container may be read-only, with keys in it.
#[tokio::test]
async fn saved_keys_in_a_folder_that_is_complete_are_not_written() {
    let folder = crate::support::new_folder();
    TestTenant::start_in(folder.clone()).await.tenant.stop().await;
    let inodes = || -> Vec<_> {
        let entries = fs::read_dir(&folder).unwrap();
        let mut entries: Vec<_> = entries.map(|entry| entry.unwrap()).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        entries.iter().map(|entry| entry.metadata().unwrap().ino()).collect()
    };
    let before = inodes();
    TestTenant::start_in(folder.clone()).await.tenant.stop().await;
    assert_eq!(inodes(), before);
    fs::remove_dir_all(folder).unwrap();
}
