//! The session cookie.

use poem::{Request, http::header::COOKIE};
use url::Url;

/// The session id that the browser has sent to the listener with this URL.
pub(super) fn session<'a>(request: &'a Request, base_url: &str) -> Option<&'a str> {
    let name = name(base_url);
    let headers = request.headers().get_all(COOKIE).iter();
    headers
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value)
}

/// The `Set-Cookie` header field for a session id.
///
/// Over HTTPS, browsers send the cookie from frames of any site, as with Entra. Silent sign-in
/// needs that, and responses only go to registered redirect URIs. Browsers accept `SameSite=None`
/// only over HTTPS.
pub(super) fn set_session(base_url: &str, id: &str) -> String {
    let rules =
        if base_url.starts_with("https:") { "SameSite=None; Secure" } else { "SameSite=Lax" };
    format!("{}={id}; Path=/; HttpOnly; {rules}", name(base_url))
}

/// Browsers send cookies to every port of a host, so each listener has its own cookie name.
fn name(base_url: &str) -> String {
    let port = Url::parse(base_url).ok().and_then(|url| url.port()).unwrap_or_default();
    format!("entra-dev-{port}")
}
