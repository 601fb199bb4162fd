use url::Url;

/// Whether `asked` is the registered redirect URI, byte for byte (RFC 9700 section 4.1.3), except
/// that the port of `http://localhost` and `http://127.0.0.1` may be any where none is registered.
///
/// Microsoft's rule ("Redirect URI (reply URL) restrictions and limitations: localhost exceptions",
/// RFC 8252 section 7.3) ignores the port altogether. Here a registered port has to match, so that
/// two programs on one machine do not get each other's codes by mistake.
pub(super) fn matches(registered: &str, asked: &str) -> bool {
    registered == asked || without_port(asked).is_some_and(|asked| same_place(registered, &asked))
}

/// `http://localhost:5000/x` as `http://localhost/x`; `None` for what is not loopback.
fn without_port(uri: &str) -> Option<String> {
    LOOPBACK.iter().find_map(|origin| {
        let rest = uri.strip_prefix(origin)?.strip_prefix(':')?;
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (port, rest) = rest.split_at_checked(digits)?;
        let starts_path = rest.is_empty() || rest.starts_with(['/', '?']);
        (port.parse::<u16>().is_ok() && starts_path).then(|| format!("{origin}{rest}"))
    })
}

/// An empty path and `/` are the same place (RFC 3986 section 6.2.3).
fn same_place(registered: &str, asked: &str) -> bool {
    let bare = |uri: &str| LOOPBACK.contains(&uri.strip_suffix('/').unwrap_or(uri));
    registered == asked
        || (bare(registered)
            && bare(asked)
            && registered.trim_end_matches('/') == asked.trim_end_matches('/'))
}

const LOOPBACK: [&str; 2] = ["http://localhost", "http://127.0.0.1"];

/// The web origin of a redirect URI (RFC 6454), provided that the URI can be one (RFC 6749 section
/// 3.1.2: absolute, no fragment).
pub(crate) fn origin(uri: &str) -> Option<String> {
    let parsed = Url::parse(uri).ok()?;
    let plain = uri.bytes().all(|byte| byte.is_ascii_graphic()) && parsed.fragment().is_none();
    (plain && matches!(parsed.scheme(), "http" | "https"))
        .then(|| parsed.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn the_port_of_a_loopback_uri_may_be_any_where_none_is_registered() {
        for (registered, asked) in [
            ("http://localhost", "http://localhost"),
            ("http://localhost", "http://localhost:5000"),
            ("http://localhost", "http://localhost:5000/"),
            ("http://localhost/", "http://localhost:5000"),
            ("http://localhost/a", "http://localhost:5000/a"),
            ("http://127.0.0.1/a?b=c", "http://127.0.0.1:1/a?b=c"),
        ] {
            assert!(matches(registered, asked), "{registered} {asked}");
        }
        for (registered, asked) in [
            ("http://localhost", "http://localhost:5000/a"),
            ("http://localhost", "http://127.0.0.1:5000"),
            ("http://localhost", "https://localhost:5000"),
            ("http://localhost", "http://localhost:99999"),
            ("http://localhost", "http://localhost:80@evil.example"),
            ("http://localhost", "http://localhost.evil.example"),
            ("http://localhost/a", "http://localhost:5000/A"),
            ("http://localhost:5000/a", "http://localhost:5001/a"),
            ("https://app.example/a", "https://app.example:444/a"),
        ] {
            assert!(!matches(registered, asked), "{registered} {asked}");
        }
    }
}
