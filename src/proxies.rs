//! The proxies whose header fields say which client sent a request.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use ipnet::IpNet;
use poem::http::{HeaderMap, HeaderName, header};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Addresses and networks of trusted proxies. Clones are cheap.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Parses addresses (`192.0.2.1`) and networks in CIDR notation (`192.0.2.0/24`).
    ///
    /// # Errors
    ///
    /// The first item that is neither.
    pub fn parse(items: &[String]) -> Result<Self, &str> {
        let parse = |item: &String| {
            let address = item.parse::<IpAddr>().map(IpNet::from);
            address.or_else(|_| item.parse()).ok()
        };
        items
            .iter()
            .map(|item| parse(item).ok_or(item.as_str()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether this is the address of a trusted proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client of a request that `peer` has sent: the last address in `X-Forwarded-For` or
    /// `Forwarded` (RFC 7239) that is not a trusted proxy's, if `peer` is one. What is further left
    /// may be invented.
    ///
    /// If both fields are present and disagree, the client is `peer`: one of them may have been
    /// sent by the client and passed on by a proxy that does not know it.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let client = |name| self.last_untrusted(peer, headers, name);
        match (client(X_FORWARDED_FOR), client(header::FORWARDED)) {
            (Some(client), None) | (None, Some(client)) => client,
            (Some(client), Some(same)) if client == same => client,
            _ => peer,
        }
    }

    /// `None` if there is no such field.
    fn last_untrusted(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
        name: HeaderName,
    ) -> Option<IpAddr> {
        if !headers.contains_key(&name) {
            return None;
        }
        let address = if name == header::FORWARDED { forwarded_for } else { address };
        let values = headers.get_all(name).iter().rev();
        let items = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        let mut client = peer;
        for item in items {
            // An invalid item or "unknown": the client is what the next proxy saw.
            let Some(address) = address(item) else { break };
            client = address;
            if !self.contains(address) {
                break;
            }
        }
        Some(client)
    }
}

/// An IPv4 address, or the first 64 bits of an IPv6 address: usually all addresses of one customer.
pub type Network = u128;

/// The network of an address.
pub fn network_of(address: IpAddr) -> Network {
    match address.to_canonical() {
        // The IPv6 network of this number has only zeros in its first 64 bits.
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64,
    }
}

/// The address in an element of `Forwarded`: `for=192.0.2.1;proto=https`,
/// `for="[2001:db8::1]:4711"`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    address(value.trim_matches('"'))
}

/// An address with or without a port, which some proxies add.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    address.or_else(with_port).or_else(in_brackets).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, fields: &[(&'static str, &'static str)]) -> String {
        let trusted = ["10.0.0.0/8".to_owned(), "2001:db8::5".to_owned()];
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let trusted = TrustedProxies::parse(&trusted).unwrap();
        trusted.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_client_is_the_last_address_that_is_not_trusted() {
        let (xff, forwarded) = ("x-forwarded-for", "forwarded");
        for (peer, fields, expected) in [
            ("10.0.0.1", &[][..], "10.0.0.1"),
            ("10.0.0.1", &[(xff, "192.0.2.7")], "192.0.2.7"),
            ("::ffff:10.0.0.1", &[(xff, "192.0.2.7")], "192.0.2.7"),
            ("2001:db8::5", &[(xff, "192.0.2.7:4711")], "192.0.2.7"),
            ("10.0.0.1", &[(xff, "[2001:db8::7]:4711")], "2001:db8::7"),
            ("10.0.0.1", &[(xff, "1.1.1.1, 192.0.2.7, 10.9.9.9")], "192.0.2.7"),
            ("10.0.0.1", &[(xff, "1.1.1.1"), (xff, "192.0.2.7"), (xff, "10.2.2.2")], "192.0.2.7"),
            ("10.0.0.1", &[(xff, "10.4.4.4, 10.3.3.3")], "10.4.4.4"),
            ("10.0.0.1", &[(xff, "192.0.2.7, unknown, 10.3.3.3")], "10.3.3.3"),
            ("10.0.0.1", &[(xff, "192.0.2.7,")], "10.0.0.1"),
            ("10.0.0.1", &[(forwarded, "for=192.0.2.7;proto=https, For=10.2.2.2")], "192.0.2.7"),
            ("10.0.0.1", &[(forwarded, "for=\"[2001:db8::7]:80\"")], "2001:db8::7"),
            ("10.0.0.1", &[(forwarded, "for=\"[2001:db8::7]\"")], "2001:db8::7"),
            ("10.0.0.1", &[(forwarded, "for=_hidden, for=10.2.2.2")], "10.2.2.2"),
            // Only one of the fields can be the proxy's.
            ("10.0.0.1", &[(xff, "192.0.2.7"), (forwarded, "for=1.1.1.1")], "10.0.0.1"),
            ("10.0.0.1", &[(xff, "192.0.2.7"), (forwarded, "for=192.0.2.7")], "192.0.2.7"),
            // The peer is not a proxy, so it has invented the field.
            ("192.0.2.1", &[(xff, "1.1.1.1")], "192.0.2.1"),
            ("192.0.2.1", &[(forwarded, "for=1.1.1.1")], "192.0.2.1"),
        ] {
            assert_eq!(client(peer, fields), expected, "{peer} {fields:?}");
        }
    }

    #[test]
    fn an_item_that_is_no_address_and_no_network_is_refused() {
        for item in ["proxy.example", "10.0.0.0/33", "10.0.0.1:80", "10.0.0"] {
            let items = ["192.0.2.1".to_owned(), item.to_owned()];
            assert_eq!(TrustedProxies::parse(&items).unwrap_err(), item);
        }
    }
}
