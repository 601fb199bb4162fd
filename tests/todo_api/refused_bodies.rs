//! Requests that are refused before their body was read. The client gets the response, although it
//! is still sending.

use reqwest::Method;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::support::{Answer, App, operations};

#[tokio::test]
async fn a_client_that_sends_megabytes_gets_the_response() {
    let app = App::start().await;
    let token = app.token("uma").await;
    for (method, path, token, media_type, status, code) in [
        ("POST", "/todoitems", "", "application/json", 401, "missing_token"),
        ("POST", "/todoitems", &*token, "application/json", 413, "payload_too_large"),
        ("POST", "/todoitems", &token, "text/plain", 415, "unsupported_media_type"),
        ("PATCH", "/todoitems/9", &token, "application/json", 404, "not_found"),
        ("PUT", "/todoitems/9", &token, "application/json", 405, "method_not_allowed"),
        ("POST", "/nothing", "", "application/json", 404, "not_found"),
    ] {
        let chunk = format!("{:x}\r\n{}\r\n", 500_000, "a".repeat(500_000));
        for (size, body) in [
            ("content-length: 1000000".to_owned(), "a".repeat(1_000_000)),
            ("content-length: 5000000".to_owned(), "a".repeat(5_000_000)),
            ("transfer-encoding: chunked".to_owned(), chunk.repeat(10) + "0\r\n\r\n"),
        ] {
            let case = format!("{method} {path}, {size}");
            let mut stream = BufReader::new(app.connect().await);
            let head = head(method, path, token, media_type, &size);
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(body.as_bytes()).await.unwrap_or_else(|e| panic!("{case}: {e}"));
            let answer = read(&mut stream).await;
            answer.assert_problem(status, code);
            // The connection can still be used.
            let next = head_of("GET", "/health", "", "host: localhost");
            stream.write_all(next.as_bytes()).await.unwrap();
            assert_eq!(read(&mut stream).await.body, "OK", "{case}");
        }
    }
    assert!(app.names("uma").await.is_empty());
}

#[tokio::test]
async fn more_than_eight_megabytes_are_not_read() {
    let app = App::start().await;
    let mut stream = app.connect().await;
    let head = head("POST", "/todoitems", "", "application/json", "content-length: 99000000");
    stream.write_all(head.as_bytes()).await.unwrap();
    let part = vec![b'a'; 1_000_000];
    let mut sent = 0;
    while sent < 99 && stream.write_all(&part).await.is_ok() {
        sent += 1;
    }
    // The systems on both sides may hold some more.
    assert!((8..40).contains(&sent), "{sent} MB");
}

#[tokio::test]
async fn a_client_is_asked_for_the_body_only_if_its_header_is_accepted() {
    let app = App::start().await;
    let token = app.token("uma").await;
    let short = "content-length: 24";
    for (method, path, token, media_type, more, status) in [
        ("POST", "/todoitems", "", "application/json", short, 401),
        ("PATCH", "/todoitems/9", &*token, "application/json", short, 404),
        ("PATCH", "/todoitems/x", &token, "application/json", short, 400),
        ("POST", "/todoitems", &token, "text/plain", short, 415),
        ("POST", "/todoitems", &token, "application/json", "content-length: 65537", 413),
        (
            "POST",
            "/todoitems",
            &token,
            "application/json",
            "content-encoding: gzip\r\ncontent-length: 24",
            415,
        ),
        (
            "POST",
            "/todoitems",
            &token,
            "application/json",
            "idempotency-key: a b\r\ncontent-length: 24",
            400,
        ),
        (
            "POST",
            "/todoitems",
            &token,
            "application/json",
            "if-match: *\r\ncontent-length: 24",
            400,
        ),
        ("PUT", "/todoitems", &token, "application/json", short, 405),
    ] {
        let more = format!("expect: 100-continue\r\n{more}");
        let head = head(method, path, token, media_type, &more);
        // The server closes the connection, because the client may send the body or not.
        let answer = app.send_bytes(head.as_bytes()).await;
        assert_eq!(answer.status.as_u16(), status, "{head}: {answer:?}");
    }

    let more = format!("expect: 100-continue\r\nconnection: close\r\n{short}");
    let head = head("POST", "/todoitems", &token, "application/json", &more);
    let mut stream = BufReader::new(app.connect().await);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
    stream.read_line(&mut line).await.unwrap();
    stream.write_all(br#"{"item":{"name":"Rest"}}"#).await.unwrap();
    assert_eq!(read(&mut stream).await.status.as_u16(), 201);
    assert_eq!(app.send_as("uma", Method::GET, "/todoitems", None).await.status.as_u16(), 200);
    assert_eq!(app.names("uma").await, ["Rest"]);
}

/// RFC 9112, section 6.1.
#[tokio::test]
async fn a_transfer_coding_other_than_chunked_is_refused() {
    let app = App::start().await;
    let token = app.token("uma").await;
    let body = "18\r\n{\"item\":{\"name\":\"Rest\"}}\r\n0\r\n\r\n";
    for (method, path) in [
        ("POST", "/todoitems"),
        ("PATCH", "/todoitems/9"),
        ("DELETE", "/todoitems"),
        ("GET", "/todoitems"),
        ("GET", "/health"),
        ("POST", "/nothing"),
    ] {
        for codings in [
            "gzip, chunked",
            "gzip\r\ntransfer-encoding: chunked",
            "GZIP ,Chunked",
            "identity, chunked",
            "chunked, chunked",
        ] {
            let mut stream = BufReader::new(app.connect().await);
            let more = format!("transfer-encoding: {codings}");
            let head = head(method, path, &token, "application/json", &more);
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            let answer = read(&mut stream).await;
            answer.assert_problem(501, "invalid_request");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.starts_with("Transfer-Encoding may only be chunked."), "{detail}");
            // `chunked` was the last coding, so the end of the body is known.
            let next = head_of("GET", "/health", "", "host: localhost");
            stream.write_all(next.as_bytes()).await.unwrap();
            assert_eq!(read(&mut stream).await.body, "OK", "{method} {path}, {codings}");
        }
    }
    assert!(app.names("uma").await.is_empty());
    // It applies to each operation, whether it takes a body or not.
    let document = app.send(None, Method::GET, "/openapi.json", None).await.body;
    for operation in operations(&document) {
        let path = operation.path.replace("{id}", "9");
        let more = "connection: close\r\ntransfer-encoding: gzip, chunked";
        let head = head(operation.method.as_str(), &path, &token, "application/json", more);
        let answer = app.send_bytes(format!("{head}{body}").as_bytes()).await;
        answer.assert_problem(501, "invalid_request");
        operation.assert_describes(&document, &answer);
    }
    for coding in ["chunked", "Chunked", ", chunked"] {
        let more = format!("connection: close\r\ntransfer-encoding: {coding}");
        let head = head("POST", "/todoitems", &token, "application/json", &more);
        let answer = app.send_bytes(format!("{head}{body}").as_bytes()).await;
        assert_eq!(answer.status.as_u16(), 201, "{coding}: {answer:?}");
    }
}

fn head(method: &str, path: &str, token: &str, media_type: &str, more: &str) -> String {
    let more = format!("host: localhost\r\ncontent-type: {media_type}\r\n{more}");
    head_of(method, path, token, &more)
}

fn head_of(method: &str, path: &str, token: &str, more: &str) -> String {
    let authorization = match token {
        "" => String::new(),
        token => format!("authorization: Bearer {token}\r\n"),
    };
    format!("{method} {path} HTTP/1.1\r\n{authorization}{more}\r\n\r\n")
}

/// Reads a response with `Content-Length`.
async fn read(stream: &mut BufReader<TcpStream>) -> Answer {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = stream.read_line(&mut head).await.unwrap();
        assert_ne!(read, 0, "the connection was closed: {head}");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    Answer::parse(&[head.as_bytes(), &body].concat())
}
