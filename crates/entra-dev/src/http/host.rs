//! Refuses requests for host names that the tenant does not answer to.

use std::sync::Arc;

use poem::{
    Endpoint, IntoResponse, Request, Response, Result,
    http::{
        HeaderMap, StatusCode, Uri,
        header::{HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    },
};

use crate::host_name::HostNames;

use super::{context::BaseUrl, pages, request_body, tenants::Tenants};

/// Accepts only requests for a name that the tenant answers to: a loopback one, or one that was
/// asked for with `--answer-to`.
///
/// A web site can let its own name resolve to 127.0.0.1 (DNS rebinding). Its pages would then have
/// the same origin as this server, but the browser still sends that name as `Host`.
pub(super) async fn require_known_name<E: Endpoint<Output = Response>>(
    endpoint: Arc<E>,
    mut request: Request,
) -> Result<Response> {
    let Some(tenants) = request.data::<Arc<Tenants>>().cloned() else {
        return endpoint.call(request).await;
    };
    let urls = &tenants.shared.urls;
    let Some(name) = known_name(&urls.names, request.uri(), request.headers()) else {
        let text = "This is a development tenant: it only accepts requests for localhost, and for \
                    the names in --answer-to.\n";
        request_body::discard(&mut request);
        return Ok((StatusCode::BAD_REQUEST, text).into_response());
    };
    let base_url = BaseUrl::of(urls, request.scheme(), name);
    request.extensions_mut().insert(base_url);
    let answering = endpoint.get_response(request);
    let mut response = pages::with_notice(urls.notice(), answering).await;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// The host and port that the request names; `None` if it names none, or an unknown one.
fn known_name<'a>(names: &HostNames, uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().ok().filter(|host| names.admit(host))?),
        (None, _) => None,
        (Some(_), Some(_)) => return None,
    };
    match uri.authority().map(|authority| authority.as_str()) {
        // It takes precedence (RFC 9112, section 3.2.2).
        Some(authority) => names.admit(authority).then_some(authority),
        None => host,
    }
}
