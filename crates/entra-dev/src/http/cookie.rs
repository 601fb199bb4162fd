//! The cookie that a browser stays signed in by.

use poem::Request;
use poem::http::header::COOKIE;
use url::Url;

/// The session id that the browser sends to the listener with this URL.
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

/// The `Set-Cookie` for a session id.
///
/// Over HTTPS it is sent from frames of any site, as Entra's is: silent sign-in needs that, and the
/// answer goes to registered redirect URIs only. A browser takes `SameSite=None` from HTTPS alone.
pub(super) fn set_session(base_url: &str, id: &str) -> String {
    let rules =
        if base_url.starts_with("https:") { "SameSite=None; Secure" } else { "SameSite=Lax" };
    format!("{}={id}; Path=/; HttpOnly; {rules}", name(base_url))
}

/// Cookies know no ports: the listeners, and other tenants on this machine, have names of their
/// own.
fn name(base_url: &str) -> String {
    let port = Url::parse(base_url).ok().and_then(|url| url.port()).unwrap_or_default();
    format!("entra-dev-{port}")
}
