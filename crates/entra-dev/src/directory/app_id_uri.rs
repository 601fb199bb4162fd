//! App ID URIs: the names of APIs in scopes.

use url::Url;

/// Whether an API can be registered with this App ID URI.
pub(crate) fn is_valid(uri: &str) -> bool {
    Url::parse(uri).is_ok() && !uri.contains(char::is_whitespace)
}

/// Whether Entra refuses to register this App ID URI because of its scheme
/// (<https://learn.microsoft.com/entra/identity-platform/identifier-uri-restrictions>). APIs and
/// MCP servers under development are known by such addresses, so it is only a warning here.
pub(crate) fn is_refused_by_entra(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|uri| uri.scheme() == "http")
}
