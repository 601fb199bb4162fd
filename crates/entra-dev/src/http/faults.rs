//! Fault injection.

use std::{sync::Arc, time::Duration};

use poem::{
    Endpoint, Request, Response, Result,
    http::{Method, StatusCode, header::ORIGIN},
};
use tokio::time::sleep;

use crate::faults::{Endpoint as Name, FaultPlan};

use super::{context::Context, cors::Cors};

/// Applies the fault that is planned for this endpoint, if any.
pub(super) async fn inject<E: Endpoint<Output = Response>>(
    endpoint: Arc<E>,
    mut request: Request,
) -> Result<Response> {
    let Some(context) = request.data::<Arc<Context>>().cloned() else {
        return endpoint.call(request).await;
    };
    // Preflights come from the browser and not from the client: they neither fail nor count.
    let path = Some(request.uri().path()).filter(|_| request.method() != Method::OPTIONS);
    let plan = path.and_then(endpoint_at).and_then(|name| Some((name, context.faults.next(name)?)));
    let Some((name, plan)) = plan else { return endpoint.call(request).await };
    sleep(Duration::from_millis(plan.latency_ms)).await;
    if let Some(status) = plan.status {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let response = Response::builder().status(status).body("This fails on purpose.\n");
        // Without this, scripts would see a CORS error instead of the status.
        let origin = request.headers().get(ORIGIN);
        return Ok(cors_of(name).add_to(&context, None, origin, response));
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

/// The origins whose scripts may read the responses of an endpoint.
fn cors_of(endpoint: Name) -> Cors {
    match endpoint {
        Name::Graph | Name::Metadata | Name::Keys | Name::Instance | Name::Userinfo => Cors::Anyone,
        Name::Token => Cors::SinglePageApps,
        _ => Cors::None,
    }
}

/// Whether the current signing key is to be hidden from this request.
pub(super) fn hides_signing_key(request: &Request) -> bool {
    request.extensions().get::<FaultPlan>().is_some_and(|plan| plan.hide_signing_key)
}

/// The endpoint that a path belongs to.
fn endpoint_at(path: &str) -> Option<Name> {
    if path.starts_with("/graph/") {
        return Some(Name::Graph);
    }
    [
        ("/.well-known/openid-configuration", Name::Metadata),
        ("/discovery/v2.0/keys", Name::Keys),
        ("/discovery/keys", Name::Keys),
        ("/common/discovery/instance", Name::Instance),
        ("/oauth2/v2.0/authorize", Name::Authorize),
        ("/v2.0/adminconsent", Name::Adminconsent),
        ("/oauth2/v2.0/token", Name::Token),
        ("/oauth2/v2.0/devicecode", Name::Devicecode),
        ("/oauth2/deviceauth", Name::Deviceauth),
        ("/metadata/identity/oauth2/token", Name::Managedidentity),
        ("/msi/token", Name::Managedidentity),
        ("/msi/token/", Name::Managedidentity),
        ("/oidc/userinfo", Name::Userinfo),
        ("/oauth2/v2.0/logout", Name::Logout),
    ]
    .into_iter()
    .find(|(end, _)| path.ends_with(end))
    .map(|(_, name)| name)
}
