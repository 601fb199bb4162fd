//! Requests to a tenant that runs in another process of this machine.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// The timeout for the connection and for each part of the response.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The size limit for the response, in bytes.
const RESPONSE_LIMIT: u64 = 1024 * 1024;

pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Sends a request, with a body in JSON if there is one. It never leaves the loopback address.
pub(super) fn send(method: &str, port: u16, path: &str, json: &str) -> io::Result<Response> {
    // A tenant always listens on this address.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{json}",
        json.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    stream.take(RESPONSE_LIMIT).read_to_end(&mut response)?;
    parse(&response).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Parses a response whose body ends with the connection. The tenant sends no other.
fn parse(response: &[u8]) -> Option<Response> {
    let response = std::str::from_utf8(response).ok()?;
    let (head, body) = response.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(Response { status, body: body.to_owned() })
}
