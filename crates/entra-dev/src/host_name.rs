//! The names under which a tenant can be reached.

use std::{fmt, str::FromStr};

use url::{Host, Url};

/// The names that a tenant always answers to.
pub(crate) const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// A host name or an IP address other than the loopback ones. See
/// [`Options::answer_to`](crate::Options::answer_to).
///
/// Names are in lower case. `Display` writes IPv6 addresses in brackets, as in a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(pub(crate) Host);

impl FromStr for HostName {
    type Err = BadHostName;

    fn from_str(text: &str) -> Result<Self, BadHostName> {
        let bad = |reason| BadHostName { text: text.to_owned(), reason };
        let host = match text.parse() {
            Ok(address) => Host::Ipv6(address),
            Err(_) => Host::parse(text).map_err(|_| bad("it is not a host name or an address"))?,
        };
        let name = host.to_string();
        if LOOPBACK_NAMES.contains(&name.as_str()) {
            return Err(bad("the tenant always answers to it"));
        }
        match &host {
            Host::Domain(domain) if !is_domain(domain) => {
                Err(bad("it is not a host name; wildcards are not allowed"))
            }
            Host::Ipv4(address) if address.is_unspecified() => Err(bad("it is not one address")),
            Host::Ipv6(address) if address.is_unspecified() => Err(bad("it is not one address")),
            _ => Ok(Self(host)),
        }
    }
}

/// Whether these are labels of letters, digits, hyphens and underscores. Names of containers may
/// contain underscores.
fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The host of an authority such as `localhost:8443` or `[::1]`, without the port.
pub(crate) fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    }
}

/// A name that a tenant cannot answer to.
#[derive(Debug, Clone, thiserror::Error)]
#[error("unusable name {text:?}: {reason}")]
pub struct BadHostName {
    text: String,
    reason: &'static str,
}

/// The names that a tenant answers to: the loopback ones and those of
/// [`Options::answer_to`](crate::Options::answer_to).
#[derive(Debug, Clone, Default)]
pub(crate) struct HostNames(Vec<HostName>);

impl HostNames {
    /// The loopback names and these.
    pub(crate) fn with(names: Vec<HostName>) -> Self {
        Self(names)
    }

    /// The names besides the loopback ones.
    pub(crate) fn others(&self) -> &[HostName] {
        &self.0
    }

    /// Whether this is one of the names, with or without a port.
    pub(crate) fn admit(&self, authority: &str) -> bool {
        let admits = |name: &str| {
            let Some((head, tail)) = authority.split_at_checked(name.len()) else { return false };
            let port = tail.strip_prefix(':').unwrap_or(tail);
            let has_port = tail.is_empty() || tail.starts_with(':');
            head.eq_ignore_ascii_case(name) && has_port && port.bytes().all(|b| b.is_ascii_digit())
        };
        LOOPBACK_NAMES.iter().any(|name| admits(name))
            || self.0.iter().any(|name| admits(&name.to_string()))
    }

    /// Whether this is the URL of one of the names.
    pub(crate) fn admit_url(&self, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| self.admit(url.authority()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_host_names() {
        for (text, name) in [
            ("entra-dev", "entra-dev"),
            ("Entra_Dev", "entra_dev"),
            ("entra.dev.example", "entra.dev.example"),
            ("10.0.0.5", "10.0.0.5"),
            ("127.0.0.2", "127.0.0.2"),
            ("fd00::5", "[fd00::5]"),
            ("[fd00::5]", "[fd00::5]"),
        ] {
            assert_eq!(text.parse::<HostName>().unwrap().to_string(), name);
        }
        for text in [
            "",
            "*",
            "*.example",
            "a.*",
            "http://entra-dev",
            "entra-dev:8001",
            "entra-dev/",
            "entra-dev.",
            "-entra",
            "entra dev",
            "user@entra",
            "localhost",
            "LOCALHOST",
            "127.0.0.1",
            "::1",
            "0.0.0.0",
            "::",
        ] {
            assert!(text.parse::<HostName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn only_the_given_names_and_loopback_names_are_admitted() {
        let names = ["entra-dev", "10.0.0.5", "fd00::5"].map(|name| name.parse().unwrap());
        let names = HostNames::with(names.to_vec());
        for name in [
            "localhost",
            "LOCALHOST:8001",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:8001",
            "entra-dev",
            "Entra-Dev:8443",
            "10.0.0.5:8001",
            "[fd00::5]:8001",
        ] {
            assert!(names.admit(name), "{name}");
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
            "entra-dev.",
            "entra-dev2",
            "a.entra-dev",
            "entra-dev.evil.example",
            "10.0.0.50",
            "fd00::5",
        ] {
            assert!(!names.admit(name), "{name}");
            assert!(!HostNames::default().admit(name), "{name}");
        }
        assert!(!HostNames::default().admit("entra-dev"));
        assert!(names.admit_url("https://entra-dev:8443/x"));
        assert!(!names.admit_url("https://entra-dev@evil.example/"));
    }
}
