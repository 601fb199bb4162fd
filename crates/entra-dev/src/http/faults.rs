//! What goes wrong on purpose.

use std::sync::Arc;
use std::time::Duration;

use poem::http::header::ORIGIN;
use poem::http::{Method, StatusCode};
use poem::{Endpoint, Request, Response, Result};
use tokio::time::sleep;

use super::{Context, cors};
use crate::faults::{Endpoint as Name, FaultPlan};

/// Answers as planned, where something is planned for this endpoint.
pub(super) async fn inject<E: Endpoint<Output = Response>>(
    endpoint: Arc<E>,
    mut request: Request,
) -> Result<Response> {
    let Some(context) = request.data::<Arc<Context>>().cloned() else {
        return endpoint.call(request).await;
    };
    // A preflight is the browser's question, not the client's: it neither fails nor counts.
    let asked = Some(request.uri().path()).filter(|_| request.method() != Method::OPTIONS);
    let plan = asked.and_then(name).and_then(|name| context.faults.next(name));
    let Some(plan) = plan else { return endpoint.call(request).await };
    sleep(Duration::from_millis(plan.latency_ms)).await;
    if let Some(status) = plan.status {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let answer = Response::builder().status(status).body("This fails on purpose.\n");
        // Scripts are to see the status, not a lack of permission to see it.
        let origin = request.headers().get(ORIGIN);
        return Ok(cors::allow_registered(&context, None, origin, answer));
    }
    let truncate = plan.truncate;
    request.extensions_mut().insert(plan);
    let mut response = endpoint.call(request).await?;
    if let Some(length) = truncate {
        let body = response.take_body().into_bytes().await.unwrap_or_default();
        response.set_body(body.slice(..length.min(body.len())));
    }
    Ok(response)
}

/// Whether this request is not to see the key that signs.
pub(super) fn hides_signing_key(request: &Request) -> bool {
    request.extensions().get::<FaultPlan>().is_some_and(|plan| plan.hide_signing_key)
}

/// The endpoint that a path belongs to.
fn name(path: &str) -> Option<Name> {
    [
        ("/v2.0/.well-known/openid-configuration", Name::Metadata),
        ("/discovery/v2.0/keys", Name::Keys),
        ("/common/discovery/instance", Name::Instance),
        ("/oauth2/v2.0/authorize", Name::Authorize),
        ("/v2.0/adminconsent", Name::Adminconsent),
        ("/oauth2/v2.0/token", Name::Token),
        ("/oauth2/v2.0/devicecode", Name::Devicecode),
        ("/oauth2/deviceauth", Name::Deviceauth),
        ("/oidc/userinfo", Name::Userinfo),
        ("/oauth2/v2.0/logout", Name::Logout),
    ]
    .into_iter()
    .find(|(end, _)| path.ends_with(end))
    .map(|(_, name)| name)
}
