//! Controls for tests: forged tokens, key rotation, faults, the clock, the audit trail.

use std::sync::Arc;

use poem::{
    Body, Request, Response, handler,
    http::StatusCode,
    web::{Data, Path},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::{
    faults::{Endpoint, FaultPlan},
    http::{audit_filter::AuditFilter, context::Context, parameters::Parameters, response::json},
    tokens::Forgery,
};

use super::{
    body::read,
    problem::{Problem, bad_request, failed},
};

/// `GET /_dev/audit`: the last requests, newest first. The query filters them.
#[handler]
pub(in crate::http) fn audit(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Result<Response, Problem> {
    let mut entries = context.audit.entries();
    let query = Parameters::of_query(request);
    let (filter, wrong) = AuditFilter::parse(&query, &context.directory(), &entries);
    if !wrong.is_empty() {
        return Err(bad_request(wrong.join("; ")));
    }
    entries.retain(|entry| filter.admits(entry));
    Ok(json(StatusCode::OK, &json!({ "entries": entries })))
}

/// `POST /_dev/tokens`: a forged token.
#[handler]
pub(in crate::http) async fn forge(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Result<Response, Problem> {
    let forgery = read::<Forgery>(request, body).await?;
    let context = Arc::clone(context);
    // The first token that is signed with the unpublished key generates that key.
    match spawn_blocking(move || context.issuer.forge(&forgery)).await {
        Ok(Ok(token)) => Ok(json(StatusCode::OK, &json!({ "access_token": token }))),
        Ok(Err(error)) => Err(bad_request(error)),
        Err(_) => Err(failed("the token could not be created")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    overlap: bool,
}

/// `POST /_dev/keys/rotate`: the next key signs from now on.
#[handler]
pub(in crate::http) async fn rotate_keys(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Result<Response, Problem> {
    let Rotation { overlap } = read(request, body).await?;
    context.rotate_keys(overlap).await.map_err(|_| failed("a key could not be generated"))?;
    let signing = context.issuer.keys.now().general.kid().to_owned();
    let keys = context.issuer.published_keys(&context.urls.http, None);
    let published: Vec<_> = keys.iter().map(|key| key.kid.as_str()).collect();
    Ok(json(StatusCode::OK, &json!({ "signing": signing, "published": published })))
}

/// `GET /_dev/faults`: the planned faults, by endpoint.
#[handler]
pub(in crate::http) fn faults(Data(context): Data<&Arc<Context>>) -> Response {
    let plans: Vec<_> = context
        .faults
        .plans()
        .into_iter()
        .map(|(endpoint, plan)| json!({ "endpoint": endpoint, "plan": plan }))
        .collect();
    json(StatusCode::OK, &json!({ "faults": plans }))
}

/// `PUT /_dev/faults/{endpoint}`: makes an endpoint fail.
#[handler]
pub(in crate::http) async fn plan_fault(
    Path(endpoint): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Result<StatusCode, Problem> {
    let endpoint = parse_endpoint(&endpoint)?;
    let plan = read::<FaultPlan>(request, body).await?;
    if plan.status.is_some_and(|status| !(400..600).contains(&status)) {
        return Err(bad_request("status must be from 400 to 599"));
    }
    if plan.hide_signing_key && endpoint != Endpoint::Keys {
        return Err(bad_request("hide_signing_key is allowed only for the endpoint keys"));
    }
    if plan.every == Some(0) {
        return Err(bad_request("every must be at least 1"));
    }
    if context.isolated_id().is_some() && endpoint == Endpoint::Instance {
        return Err(bad_request(
            "instance discovery is shared by the whole process: plan its fault below /_dev/faults",
        ));
    }
    if plan.does_nothing() {
        return Err(bad_request("the plan does nothing; DELETE removes a fault"));
    }
    context.faults.plan(endpoint, Some(plan));
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /_dev/faults/{endpoint}`: makes an endpoint work again.
#[handler]
pub(in crate::http) fn clear_fault(
    Path(endpoint): Path<String>,
    Data(context): Data<&Arc<Context>>,
) -> Result<StatusCode, Problem> {
    context.faults.plan(parse_endpoint(&endpoint)?, None);
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /_dev/faults`: makes all endpoints work again.
#[handler]
pub(in crate::http) fn clear_faults(Data(context): Data<&Arc<Context>>) -> StatusCode {
    context.faults.clear();
    StatusCode::NO_CONTENT
}

/// How far the clock is shifted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    /// In seconds; negative if the clock is behind that of the machine.
    offset: i64,
}

/// `GET /_dev/clock`: the time of the tenant, in seconds since the epoch.
#[handler]
pub(in crate::http) fn clock(Data(context): Data<&Arc<Context>>) -> Response {
    let clock = &context.issuer.clock;
    json(StatusCode::OK, &json!({ "now": clock.now(), "offset": clock.offset() }))
}

/// `PUT /_dev/clock`: shifts the clock of the tenant.
#[handler]
pub(in crate::http) async fn set_clock(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Result<StatusCode, Problem> {
    let Shift { offset } = read(request, body).await?;
    context.issuer.clock.set_offset(offset);
    Ok(StatusCode::NO_CONTENT)
}

/// The error lists the endpoints that exist.
fn parse_endpoint(name: &str) -> Result<Endpoint, Problem> {
    serde_json::from_value(name.into()).map_err(|error| Problem::new(StatusCode::NOT_FOUND, error))
}
