//! The endpoints: those of Entra, and the tenant's own under `/_dev`.

mod admin_consent;
mod agent_assertion;
mod audit_filter;
mod authorization_request;
mod authorize;
mod bearer;
mod body_limit;
mod certificate_authority;
mod changes;
mod client;
mod context;
mod control;
mod cookie;
mod correlation;
mod cors;
mod dev;
mod device_code;
mod device_page;
mod discovery;
mod discovery_v1;
mod faults;
mod federation;
mod graph;
mod host;
mod logout;
mod managed_identity;
mod methods;
mod operation;
mod pages;
mod parameters;
mod recorded;
mod redirect;
mod request;
mod request_body;
mod response;
mod routing;
mod sign_in;
mod taken_names;
mod tenants;
mod token;
mod userinfo;

use std::sync::Arc;

use poem::{Endpoint, EndpointExt, Response, Route, error::NotFoundError};

use self::{
    admin_consent::ADMIN_CONSENT,
    authorize::AUTHORIZE,
    cors::{preflight_any, preflight_get, preflight_post},
    device_code::DEVICE_CODE,
    device_page::DEVICE_PAGE,
    discovery::{INSTANCE, KEYS, METADATA},
    discovery_v1::{KEYS_V1, METADATA_V1},
    logout::LOGOUT,
    managed_identity::{APP_SERVICE, IMDS},
    methods::{Methods, get, post, put},
    token::TOKEN,
    userinfo::USER_INFO,
};

pub(crate) use self::graph::PATH as GRAPH_PATH;
pub(crate) use self::{
    context::{Context, Urls},
    control::Control,
    tenants::Tenants,
};

/// All routes.
pub(crate) fn endpoint(tenants: Arc<Tenants>) -> impl Endpoint<Output = Response> + 'static {
    Route::new()
        .at("/", get(pages::start::show))
        .at(pages::STYLESHEET_PATH, get(pages::stylesheet))
        .at(pages::FORM_POST_PATH, get(pages::form_post_script))
        .at("/ca.pem", get(certificate_authority::show))
        .at("/_dev", get(pages::start::show_dev))
        .at("/_dev/apps/:client_id", get(pages::setup::show))
        .at("/_dev/audit", get(dev::audit))
        .at("/_dev/clock", get(dev::clock).put(dev::set_clock))
        .at("/_dev/directory", directory())
        .at("/_dev/directory/*path", directory())
        .at("/_dev/directory/reset", post(dev::reset))
        .at("/_dev/directory.toml", get(dev::export))
        .at("/_dev/faults", get(dev::faults).delete(dev::clear_faults))
        .at("/_dev/faults/:endpoint", put(dev::plan_fault).delete(dev::clear_fault))
        .at("/_dev/keys/rotate", post(dev::rotate_keys))
        .at("/_dev/tenants", get(dev::list).post(dev::create))
        .at("/_dev/tenants/:id", get(dev::describe_one).delete(dev::discard))
        .at("/_dev/tokens", post(dev::forge))
        .at("/graph/*path", graph())
        .at("/common/discovery/instance", get(INSTANCE).options(preflight_get))
        .at("/metadata/identity/oauth2/token", get(IMDS))
        .at("/:tenant/metadata/identity/oauth2/token", get(IMDS))
        .at("/:tenant/msi/token", get(APP_SERVICE))
        .at("/:tenant/msi/token/", get(APP_SERVICE))
        .at("/oidc/userinfo", get(USER_INFO).post(USER_INFO).options(preflight_get))
        .at("/:tenant/v2.0/.well-known/openid-configuration", get(METADATA).options(preflight_get))
        .at("/:tenant/discovery/v2.0/keys", get(KEYS).options(preflight_get))
        .at("/:tenant/.well-known/openid-configuration", get(METADATA_V1).options(preflight_get))
        .at("/:tenant/discovery/keys", get(KEYS_V1).options(preflight_get))
        .at("/:tenant/oauth2/v2.0/authorize", get(AUTHORIZE).post(AUTHORIZE))
        .at("/:tenant/v2.0/adminconsent", get(ADMIN_CONSENT).post(ADMIN_CONSENT))
        .at("/:tenant/oauth2/v2.0/token", post(TOKEN).options(preflight_post))
        .at("/:tenant/oauth2/v2.0/devicecode", post(DEVICE_CODE))
        .at("/:tenant/oauth2/deviceauth", get(DEVICE_PAGE).post(DEVICE_PAGE))
        .at("/:tenant/oauth2/v2.0/logout", get(LOGOUT).post(LOGOUT))
        .around(dev::explain_errors)
        .catch_error(|_: NotFoundError| async { pages::not_found() })
        .around(faults::inject)
        .around(routing::choose_tenant)
        .around(request_body::receive_first)
        .around(control::require_token)
        .around(host::require_known_name)
        .data(tenants)
}

/// Microsoft Graph. It refuses methods in its own format.
fn graph() -> Methods {
    let served = get(graph::serve).post(graph::serve).put(graph::serve).patch(graph::serve);
    served.delete(graph::serve).options(preflight_any)
}

/// The directory, and every part of it.
fn directory() -> Methods {
    get(dev::show).post(dev::add).put(dev::put).patch(dev::patch).delete(dev::remove)
}
