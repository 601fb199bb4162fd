//! The wire. Every path is one of Entra's, but for `/` and `/_dev/…`.

mod authorization_request;
mod authorize;
mod cors;
mod discovery;
mod guards;
mod html;
mod pages;
mod parameters;
mod token;

use std::sync::Arc;

use poem::http::StatusCode;
use poem::{Endpoint, EndpointExt, IntoResponse, Response, Route, get, post};
use serde::Serialize;

use crate::apps::Apps;
use crate::codes::Codes;
use crate::issuer::Issuer;
use crate::refusal::Refusal;

/// What all handlers share.
pub(crate) struct Context {
    pub(crate) issuer: Issuer,
    pub(crate) apps: Apps,
    pub(crate) codes: Codes,
}

/// All routes, behind the guards.
pub(crate) fn endpoint(context: Arc<Context>) -> impl Endpoint<Output = Response> + 'static {
    Route::new()
        .at("/", get(pages::start))
        .at(pages::STYLESHEET_PATH, get(pages::stylesheet))
        .at(
            "/:tenant/v2.0/.well-known/openid-configuration",
            get(discovery::configuration).options(discovery::preflight),
        )
        .at("/:tenant/discovery/v2.0/keys", get(discovery::keys).options(discovery::preflight))
        .at("/:tenant/oauth2/v2.0/authorize", get(authorize::show).post(authorize::submit))
        .at("/:tenant/oauth2/v2.0/token", post(token::redeem).options(token::preflight))
        .catch_error(|_: poem::error::NotFoundError| async { pages::not_found() })
        .data(context)
        .around(guards::guard)
}

/// A JSON answer that no cache may keep (RFC 6749 section 5.1).
fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => Response::builder()
            .status(status)
            .content_type("application/json; charset=utf-8")
            .header("cache-control", "no-store")
            .header("pragma", "no-cache")
            .body(body),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A refusal as Entra's JSON envelope.
fn refuse(context: &Context, refusal: &Refusal) -> Response {
    json(refusal.status, &refusal.report(context.issuer.now()))
}
