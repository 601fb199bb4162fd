//! The header field `Host`. Every HTTP/1.1 request must have it exactly once (RFC 9112, section
//! 3.2).

use std::net::Ipv6Addr;

use poem::{
    Request,
    http::{Version, header},
};

use super::problem::Problem;

const FIELD: &str = "header:Host";

/// Checks that the request has one valid `Host`. In HTTP/1.0, there may be none.
///
/// # Errors
///
/// 400 if it is missing, sent more than once, or malformed.
pub(super) fn check(request: &Request) -> Result<(), Problem> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let problem = match (hosts.next(), hosts.next()) {
        (None, _) if request.version() < Version::HTTP_11 => return Ok(()),
        (None, _) => "is missing",
        (Some(_), Some(_)) => "must be sent only once",
        (Some(host), None) if host.to_str().is_ok_and(is_host_and_port) => return Ok(()),
        (Some(_), None) => "must be a name or an address, and optionally a port",
    };
    Err(Problem::invalid(FIELD, problem))
}

/// `uri-host [ ":" port ]` (RFC 9110, section 7.2). The host must not be empty (RFC 9110, section
/// 4.2.1).
fn is_host_and_port(value: &str) -> bool {
    let (is_host, rest) = match value.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address.parse::<Ipv6Addr>().is_ok(), rest),
        None => {
            let (name, rest) = value.split_at(value.find(':').unwrap_or(value.len()));
            (is_name(name), rest)
        }
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    is_host && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// `reg-name` (RFC 3986, section 3.2.2), but not empty. IPv4 addresses have this form too.
fn is_name(name: &str) -> bool {
    let mut parts = name.split('%');
    let is_plain = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte))
    };
    let is_encoded = |part: &str| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    !name.is_empty()
        && parts.next().is_some_and(is_plain)
        && parts.all(|part| is_encoded(part) && is_plain(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_an_optional_port() {
        for valid in [
            "localhost",
            "todo.example:8000",
            "todo.example:",
            "192.0.2.1:80",
            "[::1]",
            "[2001:db8::1]:8000",
            "xn--bcher-kva.example",
            "a_b",
            "%C3%BC.example",
        ] {
            assert!(is_host_and_port(valid), "{valid}");
        }
        for malformed in [
            "",
            ":8000",
            "a b",
            "a/b",
            "a:b",
            "a:80:80",
            "user@a",
            "http://a",
            "a?b",
            "a#b",
            "::1",
            "[::1",
            "[a]",
            "[]",
            "[::1]a",
            "a%2",
            "a%zz",
            "%\u{20ac}",
            "<a>",
            "a\\b",
        ] {
            assert!(!is_host_and_port(malformed), "{malformed}");
        }
    }
}
