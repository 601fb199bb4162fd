//! The wire. Every path is one of Entra's, but for `/` and `/_dev…`.

mod admin_consent;
mod authorization_request;
mod authorize;
mod client;
mod cookie;
mod correlation;
mod cors;
mod dev;
mod device;
mod discovery;
mod faults;
mod guards;
mod html;
mod logout;
mod methods;
mod pages;
mod parameters;
mod reply;
mod sign_in;
mod token;
mod userinfo;

use std::sync::Arc;

use poem::http::StatusCode;
use poem::http::uri::Scheme as UriScheme;
use poem::{Endpoint, EndpointExt, IntoResponse, Request, Response, Route};
use serde::Serialize;

use self::correlation::Correlation;
use self::methods::{get, post, put};
use crate::audit::{Audit, Entry};
use crate::devices::Devices;
use crate::directory::Directory;
use crate::faults::Faults;
use crate::grants::{Codes, RefreshTokens};
use crate::options::Scheme;
use crate::refusal::Refusal;
use crate::sessions::{Consents, Sessions};
use crate::tokens::Issuer;

/// What all handlers share.
pub(crate) struct Context {
    pub(crate) urls: Urls,
    pub(crate) issuer: Issuer,
    pub(crate) faults: Faults,
    pub(crate) audit: Audit,
    codes: Codes,
    consents: Consents,
    devices: Devices,
    refresh_tokens: RefreshTokens,
    sessions: Sessions,
}

impl Context {
    pub(crate) fn new(urls: Urls, issuer: Issuer) -> Self {
        Self {
            urls,
            issuer,
            faults: Faults::default(),
            audit: Audit::default(),
            codes: Codes::new(),
            consents: Consents::default(),
            devices: Devices::new(),
            refresh_tokens: RefreshTokens::new(),
            sessions: Sessions::new(),
        }
    }

    /// Who and what there is.
    pub(crate) fn directory(&self) -> &Directory {
        &self.issuer.directory
    }

    /// The time in seconds since the epoch.
    fn now(&self) -> u64 {
        self.issuer.now()
    }

    /// Remembers a request that ends now.
    pub(crate) fn note(&self, entry: Entry) {
        self.audit.note(Entry { time: self.now(), ..entry });
    }
}

/// Where the listeners are, without trailing slashes.
pub(crate) struct Urls {
    pub(crate) http: String,
    pub(crate) https: Option<String>,
}

impl Urls {
    pub(crate) fn new(port: u16, https_port: Option<u16>) -> Self {
        Self { http: Scheme::Http.url(port), https: https_port.map(|port| Scheme::Https.url(port)) }
    }

    /// The URL of the listener that this request has come in by.
    fn of(&self, request: &Request) -> &str {
        match &self.https {
            Some(https) if *request.scheme() == UriScheme::HTTPS => https,
            _ => &self.http,
        }
    }
}

/// All routes, behind the guards.
pub(crate) fn endpoint(context: Arc<Context>) -> impl Endpoint<Output = Response> + 'static {
    Route::new()
        .at("/", get(pages::start::show))
        .at(pages::STYLESHEET_PATH, get(pages::stylesheet))
        .at(pages::FORM_POST_PATH, get(pages::form_post_script))
        .at("/_dev", get(pages::start::show_dev))
        .at("/_dev/audit", get(dev::audit))
        .at("/_dev/clock", get(dev::clock).put(dev::set_clock))
        .at("/_dev/faults", get(dev::faults).delete(dev::clear_faults))
        .at("/_dev/faults/:endpoint", put(dev::plan_fault).delete(dev::clear_fault))
        .at("/_dev/keys/rotate", post(dev::rotate_keys))
        .at("/_dev/tokens", post(dev::forge))
        .at("/common/discovery/instance", get(discovery::instance).options(discovery::preflight))
        .at(
            "/oidc/userinfo",
            get(userinfo::show).post(userinfo::show).options(discovery::preflight),
        )
        .at(
            "/:tenant/v2.0/.well-known/openid-configuration",
            get(discovery::configuration).options(discovery::preflight),
        )
        .at("/:tenant/discovery/v2.0/keys", get(discovery::keys).options(discovery::preflight))
        .at("/:tenant/oauth2/v2.0/authorize", get(authorize::show).post(authorize::submit))
        .at("/:tenant/v2.0/adminconsent", get(admin_consent::show).post(admin_consent::submit))
        .at("/:tenant/oauth2/v2.0/token", post(token::redeem).options(token::preflight))
        .at("/:tenant/oauth2/v2.0/devicecode", post(device::wait))
        .at("/:tenant/oauth2/deviceauth", get(device::show).post(device::submit))
        .at("/:tenant/oauth2/v2.0/logout", get(logout::show).post(logout::submit))
        .catch_error(|_: poem::error::NotFoundError| async { pages::not_found() })
        .around(faults::inject)
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
    json(refusal.status, &refusal.report(context.now()))
}

/// The same, as the answer to a request that the client may have given an id.
fn refuse_correlated(context: &Context, refusal: &Refusal, correlation: &Correlation) -> Response {
    json(refusal.status, &refusal.correlated(correlation.id(), context.now()))
}
