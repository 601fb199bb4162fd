//! Comparing redirect URIs.

use url::Url;

/// Whether `requested` is the registered redirect URI, byte for byte (RFC 9700, section 4.1.3). The
/// port of `http://localhost`, `https://localhost` and `http://127.0.0.1` is not compared (RFC
/// 8252, section 7.3;
/// <https://learn.microsoft.com/entra/identity-platform/reply-url#localhost-exceptions>).
///
/// Entra does not support `[::1]`. Here its port is compared like that of any other host.
pub(super) fn matches(registered: &str, requested: &str) -> bool {
    let is_same = || Some(without_port(registered)? == without_port(requested)?);
    registered == requested || is_same().unwrap_or(false)
}

/// `http://localhost:5000/x` as `http://localhost/x`; `None` if it is not a loopback URI.
fn without_port(uri: &str) -> Option<String> {
    LOOPBACK.iter().find_map(|origin| {
        let rest = uri.strip_prefix(origin)?;
        let (port, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        // An empty path is equivalent to `/` (RFC 3986, section 6.2.3).
        let path = if path.is_empty() { "/" } else { path };
        (port.is_empty() || is_port(port)).then(|| format!("{origin}{path}"))
    })
}

/// Whether this is a colon and a number.
fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|number| {
        number.bytes().all(|byte| byte.is_ascii_digit()) && number.parse::<u16>().is_ok()
    })
}

const LOOPBACK: [&str; 3] = ["http://localhost", "https://localhost", "http://127.0.0.1"];

/// The web origin of a redirect URI (RFC 6454); `None` if the URI is unusable. It must be absolute
/// and have no fragment (RFC 6749, section 3.1.2).
pub(crate) fn origin(uri: &str) -> Option<String> {
    let parsed = Url::parse(uri).ok()?;
    let valid = uri.bytes().all(|byte| byte.is_ascii_graphic()) && parsed.fragment().is_none();
    (valid && matches!(parsed.scheme(), "http" | "https"))
        .then(|| parsed.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn the_port_of_a_loopback_uri_is_not_compared() {
        for (registered, asked) in [
            ("http://localhost", "http://localhost"),
            ("http://localhost", "http://localhost/"),
            ("http://localhost", "http://localhost:5000"),
            ("http://localhost", "http://localhost:5000/"),
            ("http://localhost/", "http://localhost:5000"),
            ("http://localhost/a", "http://localhost:5000/a"),
            ("http://localhost:5000/a", "http://localhost:5001/a"),
            ("http://localhost:5000/a", "http://localhost/a"),
            ("http://localhost:5000", "http://localhost:5001/"),
            ("https://localhost", "https://localhost:443/"),
            ("https://localhost/a", "https://localhost:7123/a"),
            ("https://localhost:5000/a", "https://localhost:5001/a"),
            ("https://localhost:5001/a", "https://localhost/a"),
            ("http://127.0.0.1/a?b=c", "http://127.0.0.1:1/a?b=c"),
            ("http://127.0.0.1:2/a?b=c", "http://127.0.0.1:1/a?b=c"),
            ("http://[::1]:5000/a", "http://[::1]:5000/a"),
        ] {
            assert!(matches(registered, asked), "{registered} {asked}");
        }
        for (registered, asked) in [
            ("http://localhost", "http://localhost:5000/a"),
            ("http://localhost", "http://127.0.0.1:5000"),
            ("http://localhost", "https://localhost:5000"),
            ("http://localhost", "http://localhost:"),
            ("http://localhost", "http://localhost:+80"),
            ("http://localhost", "http://localhost:99999"),
            ("http://localhost", "http://localhost:80@evil.example"),
            ("http://localhost", "http://localhost@evil.example"),
            ("http://localhost", "http://localhost\\@evil.example"),
            ("http://localhost", "http://localhost.evil.example"),
            ("http://localhost", "http://localhost:5000#a"),
            ("http://localhost/a", "http://localhost:5000/A"),
            ("http://localhost/a", "http://localhost:5000/a/"),
            ("http://localhost/a", "http://localhost:5000/a?b=c"),
            ("http://localhost:5000/a", "http://127.0.0.1:5000/a"),
            ("http://localhost:5000/a", "https://localhost:5000/a"),
            ("https://localhost/a", "http://localhost/a"),
            ("https://localhost/a", "https://localhost:7123/A"),
            ("https://localhost/a", "https://localhost:7123/a/"),
            ("https://localhost/a", "https://localhost:7123@evil.example/a"),
            ("https://localhost/a", "https://localhost.evil.example/a"),
            ("https://127.0.0.1:1/a", "https://127.0.0.1:2/a"),
            ("http://[::1]/a", "http://[::1]:5000/a"),
            ("http://[::1]:5000/a", "http://[::1]:5001/a"),
            ("https://app.example/a", "https://app.example:444/a"),
        ] {
            assert!(!matches(registered, asked), "{registered} {asked}");
        }
    }
}
