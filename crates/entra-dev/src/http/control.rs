//! Protects `/_dev` with the control token, if there is one.
//!
//! Programs send it as a bearer token (RFC 6750). People enter it in a form, and get a cookie. It
//! is never in a URL, which would end up in logs.

use std::sync::Arc;

use poem::{
    Endpoint, Request, Response, Result,
    http::{
        Method, StatusCode,
        header::{ACCEPT, HeaderValue, LOCATION, SET_COOKIE, WWW_AUTHENTICATE},
    },
};

use crate::{constant_time::is_secret, control_token::ControlToken, random};

use super::{
    bearer::bearer_token, cookie, pages, parameters::Parameters, request_body, response::problem,
    tenants::Tenants,
};

/// Where the form is sent.
pub(super) const UNLOCK_PATH: &str = "/_dev/unlock";

/// Who may use `/_dev`.
pub(crate) struct Control {
    token: ControlToken,
    /// The value of the cookie of a browser in which the token was entered. All browsers get the
    /// same, and a restart changes it.
    cookie: String,
}

impl Control {
    pub(crate) fn new(token: ControlToken) -> Self {
        Self { token, cookie: random::secret() }
    }

    fn admits(&self, request: &Request, base_url: &str) -> bool {
        bearer_token(request).is_some_and(|token| self.token.is(token))
            || cookie::control(request, base_url)
                .is_some_and(|proof| is_secret(&self.cookie, proof))
    }

    /// Sets the cookie if the form has the token.
    async fn unlock(&self, mut request: Request, base_url: &str) -> Response {
        if let Err(response) = request_body::receive(&mut request).await {
            return response;
        }
        let body = request.take_body();
        let form = Parameters::read(&request, body).await.unwrap_or_default();
        let text = |name| form.optional(name).ok().flatten().unwrap_or_default();
        // Only a path below `/_dev`, so that nobody is sent to another site.
        let next = if is_protected(text("next")) { text("next") } else { "/_dev" };
        if !self.token.is(text("control_token")) {
            return pages::locked(next, true);
        }
        let cookie = cookie::set_control(base_url, &self.cookie);
        let mut response = Response::builder().status(StatusCode::SEE_OTHER).finish();
        for (name, value) in [(LOCATION, next), (SET_COOKIE, &cookie)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Requires the control token for every path below `/_dev`, whichever endpoint serves it. The body
/// of a request without the token is discarded.
pub(super) async fn require_token<E: Endpoint<Output = Response>>(
    endpoint: Arc<E>,
    mut request: Request,
) -> Result<Response> {
    let path = request.uri().path();
    let tenants = request.data::<Arc<Tenants>>().cloned().filter(|_| is_protected(path));
    let control = tenants.as_ref().and_then(|tenants| tenants.control.as_ref());
    let (Some(tenants), Some(control)) = (&tenants, control) else {
        return endpoint.call(request).await;
    };
    let base_url = tenants.shared.urls.of(&request).to_owned();
    if path == UNLOCK_PATH && request.method() == Method::POST {
        return Ok(control.unlock(request, &base_url).await);
    }
    if control.admits(&request, &base_url) {
        return endpoint.call(request).await;
    }
    let has_token = bearer_token(&request).is_some();
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok());
    let is_browser = accept.is_some_and(|accept| accept.contains("text/html"));
    let mut response = if is_browser && request.method() == Method::GET {
        pages::locked(path, false)
    } else {
        let text = match has_token {
            true => "the bearer token is not the control token of this development tenant",
            false => "send the control token of this development tenant as a bearer token",
        };
        problem(StatusCode::UNAUTHORIZED, text)
    };
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    request_body::discard(&mut request);
    Ok(response)
}

/// Whether this path needs the token. The router compares paths in the same way, without decoding.
fn is_protected(path: &str) -> bool {
    path.strip_prefix("/_dev").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
