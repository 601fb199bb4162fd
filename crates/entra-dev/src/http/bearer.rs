//! Bearer tokens in requests.

use poem::{Request, http::header::AUTHORIZATION};

/// The bearer token of a request (RFC 6750, section 2.1). `None` if there is none, or if there are
/// several `Authorization` header fields, because a proxy might look at another one.
pub(super) fn bearer_token(request: &Request) -> Option<&str> {
    let mut headers = request.headers().get_all(AUTHORIZATION).iter();
    let (Some(header), None) = (headers.next(), headers.next()) else { return None };
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
