//! For tests: forged tokens, new keys, faults, the clock, the audit trail. Nothing here does
//! anything unless it is called.
//!
//! A page of another site cannot call it: every change needs a method or a media type for which a
//! browser asks first, and is not answered (the Fetch standard's CORS protocol).

use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::spawn_blocking;

use super::Context;
use crate::faults::{Endpoint, FaultPlan};
use crate::tokens::Forgery;

/// The largest body that is read, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// `GET /_dev/audit`: the last requests, the newest first.
#[handler]
pub(super) fn audit(Data(context): Data<&Arc<Context>>) -> Response {
    super::json(StatusCode::OK, &json!({ "entries": context.audit.entries() }))
}

/// `POST /_dev/tokens`: a token that no sign-in would give.
#[handler]
pub(super) async fn forge(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    let forgery = match read::<Forgery>(request, body).await {
        Ok(forgery) => forgery,
        Err(refused) => return refused,
    };
    let context = Arc::clone(context);
    // The first token that a stranger signs takes a new key.
    let forged = spawn_blocking(move || context.issuer.forge(&forgery)).await;
    match forged {
        Ok(Ok(token)) => super::json(StatusCode::OK, &json!({ "access_token": token })),
        Ok(Err(error)) => bad_request(&error.to_string()),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the token could not be made"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    overlap: bool,
}

/// `POST /_dev/keys/rotate`: the next key signs from now on.
#[handler]
pub(super) async fn rotate_keys(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    let Rotation { overlap } = match read(request, body).await {
        Ok(rotation) => rotation,
        Err(refused) => return refused,
    };
    let keys = Arc::clone(context);
    match spawn_blocking(move || keys.issuer.keys.rotate(overlap)).await {
        Ok(Ok(())) => {
            let signing = context.issuer.keys.now().general.kid().to_owned();
            let keys = context.issuer.published_keys();
            let published: Vec<_> = keys.iter().map(|key| key.kid.as_str()).collect();
            super::json(StatusCode::OK, &json!({ "signing": signing, "published": published }))
        }
        _ => problem(StatusCode::INTERNAL_SERVER_ERROR, "a key could not be made"),
    }
}

/// `GET /_dev/faults`: what goes wrong, by endpoint.
#[handler]
pub(super) fn faults(Data(context): Data<&Arc<Context>>) -> Response {
    let plans: Vec<_> = context
        .faults
        .plans()
        .into_iter()
        .map(|(endpoint, plan)| json!({ "endpoint": endpoint, "plan": plan }))
        .collect();
    super::json(StatusCode::OK, &json!({ "faults": plans }))
}

/// `PUT /_dev/faults/{endpoint}`: lets an endpoint fail.
#[handler]
pub(super) async fn plan_fault(
    Path(endpoint): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    let endpoint = match named(&endpoint) {
        Ok(endpoint) => endpoint,
        Err(error) => return no_such_endpoint(&error),
    };
    match read::<FaultPlan>(request, body).await {
        Err(refused) => refused,
        Ok(plan) if plan.status.is_some_and(|status| !(400..600).contains(&status)) => {
            bad_request("status: 400 to 599")
        }
        Ok(plan) if plan.hide_signing_key && endpoint != Endpoint::Keys => {
            bad_request("hide_signing_key: at keys only")
        }
        Ok(plan) if plan.does_nothing() => {
            bad_request("nothing is to fail: DELETE lets all be well")
        }
        Ok(plan) => {
            context.faults.plan(endpoint, Some(plan));
            no_content()
        }
    }
}

/// `DELETE /_dev/faults/{endpoint}`: lets an endpoint work again.
#[handler]
pub(super) fn clear_fault(
    Path(endpoint): Path<String>,
    Data(context): Data<&Arc<Context>>,
) -> Response {
    match named(&endpoint) {
        Err(error) => no_such_endpoint(&error),
        Ok(endpoint) => {
            context.faults.plan(endpoint, None);
            no_content()
        }
    }
}

/// `DELETE /_dev/faults`: lets everything work again.
#[handler]
pub(super) fn clear_faults(Data(context): Data<&Arc<Context>>) -> Response {
    context.faults.clear();
    no_content()
}

/// Where the clock is to be, or is.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    /// Seconds ahead of the machine's clock; negative for behind.
    offset: i64,
}

/// `GET /_dev/clock`: what the tenant takes for now, in seconds since the epoch.
#[handler]
pub(super) fn clock(Data(context): Data<&Arc<Context>>) -> Response {
    let clock = &context.issuer.clock;
    super::json(StatusCode::OK, &json!({ "now": clock.now(), "offset": clock.offset() }))
}

/// `PUT /_dev/clock`: moves the tenant's clock.
#[handler]
pub(super) async fn set_clock(
    Data(context): Data<&Arc<Context>>,
    request: &Request,
    body: Body,
) -> Response {
    match read(request, body).await {
        Err(refused) => refused,
        Ok(Shift { offset }) => {
            context.issuer.clock.set_offset(offset);
            no_content()
        }
    }
}

/// The JSON in a body that says that it is JSON; otherwise the answer that says what is wrong.
async fn read<T: DeserializeOwned>(request: &Request, body: Body) -> Result<T, Response> {
    let media_type = request.content_type().and_then(|value| value.split(';').next());
    if !media_type.is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json")) {
        return Err(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json"));
    }
    let bytes = body
        .into_bytes_limit(BODY_LIMIT)
        .await
        .map_err(|_| problem(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB"))?;
    serde_json::from_slice(&bytes).map_err(|error| bad_request(&error.to_string()))
}

fn named(endpoint: &str) -> serde_json::Result<Endpoint> {
    serde_json::from_value(endpoint.into())
}

/// The error names those there are.
fn no_such_endpoint(error: &serde_json::Error) -> Response {
    problem(StatusCode::NOT_FOUND, &error.to_string())
}

fn bad_request(detail: &str) -> Response {
    problem(StatusCode::BAD_REQUEST, detail)
}

/// A problem document (RFC 9457): these paths are not Entra's, and neither are their errors.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({ "title": title, "status": status.as_u16(), "detail": detail });
    Response::builder()
        .status(status)
        .content_type("application/problem+json")
        .header("cache-control", "no-store")
        .body(body.to_string())
}

fn no_content() -> Response {
    Response::builder().status(StatusCode::NO_CONTENT).finish()
}
