//! Access tokens from a tenant that runs in another process.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{ids::API_CLIENT_ID, jws::UnverifiedJws};

use super::access_token::TokenError;

/// The timeout for the connection and for each part of the response.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The size limit for the response, in bytes.
const RESPONSE_LIMIT: u64 = 256 * 1024;

/// Asks the development tenant that listens on this HTTP port of this machine for the access token
/// that a person would get by signing in to Swagger UI with the scope `access_as_user`. `None` if no
/// development tenant answers: nothing listens there, or another program does.
///
/// Unlike [`access_token`](crate::access_token), it needs neither the tenant's folder nor its
/// directory. `person` is a short name (`ada`), a sign-in name or an `oid`. Blocks for some seconds
/// if another program listens on the port but does not answer.
///
/// # Errors
///
/// The tenant knows no such person (the error lists all people), or has no Todo API.
pub fn running_access_token(port: u16, person: &str) -> Result<Option<String>, TokenError> {
    // An error means that no development tenant answers.
    let Ok(response) = post(port, "/_dev/tokens", &json!({ "person": person })) else {
        return Ok(None);
    };
    match response {
        Response { status: 200, body } => {
            let token = body.get("access_token").and_then(Value::as_str);
            Ok(token.filter(|token| is_ours(token)).map(str::to_owned))
        }
        Response { status: 400, body } => match body.get("detail").and_then(Value::as_str) {
            Some(detail) => Err(TokenError::Refused(detail.to_owned())),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Whether this is a token for the Todo API whose issuer is a development tenant. Another program
/// might also answer with some token.
fn is_ours(token: &str) -> bool {
    let token = UnverifiedJws::parse(token);
    token.is_some_and(|token| {
        let issuer = token.claim("iss").unwrap_or_default();
        let urls = ["http://localhost:", "https://localhost:"];
        urls.iter().any(|url| issuer.starts_with(url)) && token.claim("aud") == Some(API_CLIENT_ID)
    })
}

/// A response in JSON.
struct Response {
    status: u16,
    body: Value,
}

/// Sends JSON to this machine, and reads JSON. It never leaves the loopback address.
fn post(port: u16, path: &str, body: &Value) -> io::Result<Response> {
    // A tenant always listens on this address.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
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
    Some(Response { status, body: serde_json::from_str(body).ok()? })
}
