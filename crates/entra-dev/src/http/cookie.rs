//! The session cookie, and that of a browser in which the control token was entered.

use poem::{Request, http::header::COOKIE};
use url::Url;

/// The session id that the browser has sent to the listener with this URL.
pub(super) fn session<'a>(
    request: &'a Request,
    base_url: &str,
    isolated: Option<&str>,
) -> Option<&'a str> {
    value(request, &session_name(base_url, isolated))
}

/// The proof that the control token was entered in the browser.
pub(super) fn control<'a>(request: &'a Request, base_url: &str) -> Option<&'a str> {
    value(request, &name("entra-dev-control", base_url))
}

fn value<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let headers = request.headers().get_all(COOKIE).iter();
    headers
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| known == &name)
        .map(|(_, value)| value)
}

/// The `Set-Cookie` header field for a session id.
///
/// Over HTTPS, browsers send the cookie from frames of any site, as with Entra. Silent sign-in
/// needs that, and responses only go to registered redirect URIs. Browsers accept `SameSite=None`
/// only over HTTPS.
pub(super) fn set_session(base_url: &str, isolated: Option<&str>, id: &str) -> String {
    let rules =
        if base_url.starts_with("https:") { "SameSite=None; Secure" } else { "SameSite=Lax" };
    format!("{}={id}; Path=/; HttpOnly; {rules}", session_name(base_url, isolated))
}

/// The `Set-Cookie` header field with which a browser may use `/_dev`. Pages of other sites cannot
/// make the browser send it.
pub(super) fn set_control(base_url: &str, proof: &str) -> String {
    let secure = if base_url.starts_with("https:") { "; Secure" } else { "" };
    let name = name("entra-dev-control", base_url);
    format!("{name}={proof}; Path=/_dev; HttpOnly; SameSite=Strict{secure}")
}

/// Each isolated tenant has sessions of its own.
fn session_name(base_url: &str, isolated: Option<&str>) -> String {
    let name = name("entra-dev", base_url);
    match isolated {
        Some(id) => format!("{name}-{id}"),
        None => name,
    }
}

/// Browsers send cookies to every port of a host, so each listener has its own cookie name.
fn name(prefix: &str, base_url: &str) -> String {
    let port = Url::parse(base_url).ok().and_then(|url| url.port()).unwrap_or_default();
    format!("{prefix}-{port}")
}
