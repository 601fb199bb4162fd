//! Refuses requests for host names other than loopback names.

use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, Request, Response, Result,
    http::{
        HeaderMap, StatusCode, Uri,
        header::{HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    },
};

/// Accepts only requests for a loopback name.
///
/// A web site can let its own name resolve to 127.0.0.1 (DNS rebinding). Its pages would then have
/// the same origin as this server, but the browser still sends that name as `Host`.
pub(super) async fn require_loopback<E: Endpoint<Output = Response>>(
    endpoint: Arc<E>,
    request: Request,
) -> Result<Response> {
    if !is_local(request.uri(), request.headers()) {
        let text = "This is a development tenant: it only accepts requests for localhost.\n";
        return Ok((StatusCode::BAD_REQUEST, text).into_response());
    }
    let mut response = endpoint.get_response(request).await;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// Whether the request names a host, and every name is a loopback one.
fn is_local(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().is_ok_and(is_loopback_name)),
        (None, _) => None,
        (Some(_), Some(_)) => Some(false),
    };
    let authority = uri.authority().map(|authority| is_loopback_name(authority.as_str()));
    match (host, authority) {
        (None, None) => false,
        (host, authority) => host.unwrap_or(true) && authority.unwrap_or(true),
    }
}

/// Whether this is `localhost`, `127.0.0.1` or `[::1]`, with or without a port.
fn is_loopback_name(authority: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| {
        let Some((head, tail)) = authority.split_at_checked(name.len()) else { return false };
        let port = tail.strip_prefix(':').unwrap_or(tail);
        let has_port = tail.is_empty() || tail.starts_with(':');
        head.eq_ignore_ascii_case(name) && has_port && port.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::is_loopback_name;

    #[test]
    fn only_loopback_names_are_local() {
        for name in ["localhost", "LOCALHOST:8001", "127.0.0.1:1", "[::1]", "[::1]:8001"] {
            assert!(is_loopback_name(name), "{name}");
        }
        for name in [
            "",
            "localhost.evil.example",
            "localhost.",
            "evil.example",
            "localhost8001",
            "localhost:80@evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.2",
            "0.0.0.0",
            "::1",
            "user@localhost",
        ] {
            assert!(!is_loopback_name(name), "{name}");
        }
    }
}
