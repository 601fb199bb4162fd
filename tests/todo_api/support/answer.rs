//! Responses, and what tests expect of them.

use reqwest::{
    Response, StatusCode,
    header::{HeaderMap, HeaderName},
};
use serde_json::Value;
use todo_api::api::http::code::Code;
use tokio::{io::AsyncReadExt, net::TcpStream};

/// A response with its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The parsed JSON; a string if the body is not JSON, `Null` if it is empty.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        Self { status, headers, body: read_body(&bytes) }
    }

    /// The response in the bytes that came from a socket.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        Self { status, headers: headers.collect(), body: read_body(body.as_bytes()) }
    }

    /// Reads one response with a `Content-Length` from a connection that stays open.
    pub(crate) async fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        loop {
            let mut byte = [0];
            assert_eq!(stream.read(&mut byte).await.unwrap(), 1, "the connection ended");
            bytes.push(byte[0]);
            if bytes.ends_with(b"\r\n\r\n") {
                break;
            }
        }
        let length: usize = Self::parse(&bytes).header("content-length").parse().unwrap();
        let head = bytes.len();
        bytes.resize(head + length, 0);
        stream.read_exact(&mut bytes[head..]).await.unwrap();
        Self::parse(&bytes)
    }

    /// The value of a header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts what every problem document has.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.body["code"], code, "{self:?}");
        let listed = Code::ALL.iter().any(|listed| listed.name_and_status().0 == code);
        assert!(listed, "Code::ALL lacks {code}");
        assert_eq!(self.body["status"], status, "{self:?}");
        assert_eq!(self.body["type"], "about:blank", "{self:?}");
        assert_eq!(self.body["instance"], self.header("x-request-id"), "{self:?}");
        assert!(!self.header("x-request-id").is_empty(), "{self:?}");
        assert!(self.body["detail"].as_str().is_some_and(|d| !d.is_empty()), "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
    }

    /// Asserts a 400 whose first field error has this pointer and contains this text.
    #[track_caller]
    pub(crate) fn assert_field_error(&self, pointer: &str, text: &str) {
        self.assert_problem(400, "invalid_request");
        assert_eq!(self.body["errors"][0]["pointer"], pointer, "{self:?}");
        let detail = self.body["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(text), "{detail}");
    }

    /// Asserts a 503 with this code that tells the client to retry after a second.
    #[track_caller]
    pub(crate) fn assert_unavailable(&self, code: &str) {
        self.assert_problem(503, code);
        assert_eq!(self.header("retry-after"), "1", "{self:?}");
    }
}

fn read_body(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}
