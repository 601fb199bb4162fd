//! The server as an operator sees it: request ids, stopping, settings, a broken database.

use std::fs;

use reqwest::{Method, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Answer, App, Database, Launch, on_both};

on_both!(a_missing_table_causes_500_and_not_ready_until_restored);

#[tokio::test]
async fn a_harmful_request_id_is_replaced_and_others_are_kept() {
    let app = App::start().await;
    let send = async |id: &str| {
        let request = app.client.get(format!("{}/todoitems", app.url)).header("x-request-id", id);
        Answer::of(request.send().await.unwrap()).await
    };
    let answer = send("trace-7/a.b:c").await;
    assert_eq!(answer.header("x-request-id"), "trace-7/a.b:c");
    answer.assert_problem(401, "missing_token");
    for harmful in ["", "a b", "a\"b", "<script>", &"a".repeat(129)] {
        let answer = send(harmful).await;
        assert_ne!(answer.header("x-request-id"), harmful);
        assert_eq!(answer.header("x-request-id").len(), 36, "a generated id is a GUID");
    }
}

#[tokio::test]
async fn a_stopping_server_finishes_the_requests_in_progress() {
    let mut app = App::start().await;
    let token = app.token("uma").await;
    let body = r#"{"item":{"name":"Walk the dog"}}"#;
    let head = format!(
        "POST /todoitems HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = app.connect().await;
    // Once the server responds to `expect`, it is processing the request.
    let head = head.replacen("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n", 1);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100 Continue"));
    let ((), answer) = tokio::join!(app.stop(), async {
        stream.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    let address = app.url.trim_start_matches("http://");
    assert!(TcpStream::connect(address).await.is_err(), "the port is still open");
    assert_eq!(app.another().await.names("uma").await, ["Walk the dog"]);
}

#[tokio::test]
async fn a_client_that_disconnects_does_not_affect_the_server() {
    let app = App::start().await;
    for beginning in ["GET /to", "POST /todoitems HTTP/1.1\r\ncontent-length: 9\r\n\r\n{", "\0\0\0"]
    {
        let mut stream = app.connect().await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        drop(stream);
    }
    assert!(app.names("uma").await.is_empty());
}

async fn a_missing_table_causes_500_and_not_ready_until_restored(database: Database) {
    let app = App::on(database.clone()).await;
    app.create("uma", "Walk the dog").await;
    let token = app.token("uma").await;
    database.execute("ALTER TABLE todos RENAME TO elsewhere").await;
    let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
    answer.assert_problem(500, "internal");
    assert!(
        !answer.body.to_string().contains("todos"),
        "the response contains the cause: {answer:?}"
    );
    let answer = app.send(None, Method::GET, "/health/ready", None).await;
    assert_eq!(answer.body["database"], "unavailable");
    assert!(answer.status.is_server_error());

    database.execute("ALTER TABLE elsewhere RENAME TO todos").await;
    let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[test]
fn serve_without_settings_lists_them_all_and_suggests_dev() {
    let folder = tempfile::tempdir().unwrap();
    let output = Launch::default().run(folder.path(), &["serve"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stderr).unwrap();
    for part in ["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID", "AAD_TENANT_ID", "serve --dev"] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn the_environment_overrides_the_env_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "PORT=x\nLOG_FORMAT=xml\n").unwrap();
    let output = Launch::default().with("PORT", "8000").run(folder.path(), &["serve"]);
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("LOG_FORMAT is \"xml\""), "{shown}");
    assert!(!shown.contains("PORT"), "{shown}");
}

#[test]
fn a_bad_line_in_the_env_file_is_reported_without_its_value() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "API_CLIENT_SECRET='hunter2\n").unwrap();
    let output = Launch::default().run(folder.path(), &["serve"]);
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("API_CLIENT_SECRET"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn dev_refuses_to_listen_on_a_public_address() {
    let folder = tempfile::tempdir().unwrap();
    let output = Launch::default().with("HOST", "0.0.0.0").run(folder.path(), &["serve", "--dev"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("HOST") && shown.contains("loopback"), "{shown}");
}

#[test]
fn a_token_is_printed_only_for_a_person_in_the_directory() {
    let folder = tempfile::tempdir().unwrap();
    let output = Launch::default().run(folder.path(), &["token", "--as", "uma"]);
    assert!(output.status.success());
    let token = String::from_utf8(output.stdout).unwrap();
    assert_eq!(token.trim_end().split('.').count(), 3, "{token}");
    assert_eq!(token.lines().count(), 1);
    let output = Launch::default().run(folder.path(), &["token", "--as", "eve"]);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("ada") && shown.contains("uma"), "{shown}");
}
