use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use serde::Serialize;
use serde_json::json;

use super::{Context, cors, faults, json, refuse};
use crate::directory::Authority;
use crate::keys::Jwk;
use crate::refusal::Refusal;

/// `GET /{tenant}/v2.0/.well-known/openid-configuration` (OpenID Connect Discovery section 4).
#[handler]
pub(super) fn configuration(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Response {
    cors::allow_any(match Authority::parse(context.directory(), &tenant) {
        Some(authority) => {
            let base_url = context.urls.of(request);
            json(StatusCode::OK, &Configuration::new(base_url, &authority))
        }
        None => refuse(context, &Refusal::tenant_unpublished(&tenant)),
    })
}

/// `GET /{tenant}/discovery/v2.0/keys` (RFC 7517). All tenants share the keys, as in Entra.
#[handler]
pub(super) fn keys(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
    request: &Request,
) -> Response {
    cors::allow_any(match Authority::parse(context.directory(), &tenant) {
        Some(_) => {
            let mut keys = context.issuer.published_keys();
            if faults::hides_signing_key(request) {
                let signing = context.issuer.keys.now().general;
                keys.retain(|key| key.kid != signing.kid());
            }
            json(StatusCode::OK, &KeyDocument { keys })
        }
        None => refuse(context, &Refusal::tenant_unpublished(&tenant)),
    })
}

/// `GET /common/discovery/instance`: where MSAL asks whether it may trust an authority. The answer
/// is that all names of this listener are one cloud.
#[handler]
pub(super) fn instance(Data(context): Data<&Arc<Context>>, request: &Request) -> Response {
    let base_url = context.urls.of(request);
    let host = base_url.split_once("://").map_or(base_url, |(_, host)| host);
    let metadata = format!("{base_url}/common/v2.0/.well-known/openid-configuration");
    let body = json!({
        "tenant_discovery_endpoint": metadata,
        "api-version": "1.1",
        "metadata": [{
            "preferred_network": host,
            "preferred_cache": host,
            "aliases": [host],
        }],
    });
    cors::allow_any(json(StatusCode::OK, &body))
}

/// The preflight of all that anybody may read.
#[handler]
pub(super) fn preflight(request: &Request) -> Response {
    cors::allow_any(cors::preflight(request, "GET"))
}

#[derive(Serialize)]
struct KeyDocument {
    keys: Vec<Jwk>,
}

/// Entra's metadata, member by member, but for mutual TLS; as in Entra's, PKCE is not mentioned.
/// What belongs to Microsoft Graph and to Kerberos leads nowhere here.
#[derive(Serialize)]
struct Configuration {
    token_endpoint: String,
    token_endpoint_auth_methods_supported: &'static [&'static str],
    jwks_uri: String,
    response_modes_supported: &'static [&'static str],
    subject_types_supported: &'static [&'static str],
    id_token_signing_alg_values_supported: &'static [&'static str],
    response_types_supported: &'static [&'static str],
    scopes_supported: &'static [&'static str],
    issuer: String,
    request_uri_parameter_supported: bool,
    userinfo_endpoint: String,
    authorization_endpoint: String,
    device_authorization_endpoint: String,
    http_logout_supported: bool,
    frontchannel_logout_supported: bool,
    end_session_endpoint: String,
    claims_supported: &'static [&'static str],
    kerberos_endpoint: String,
    tenant_region_scope: Option<&'static str>,
    cloud_instance_name: &'static str,
    cloud_graph_host_name: &'static str,
    msgraph_host: &'static str,
    rbac_url: &'static str,
}

impl Configuration {
    fn new(base_url: &str, authority: &Authority) -> Self {
        let (segment, issuer) = (authority.segment(), authority.issuer_segment());
        let endpoint = |name: &str| format!("{base_url}/{segment}/oauth2/v2.0/{name}");
        Self {
            token_endpoint: endpoint("token"),
            token_endpoint_auth_methods_supported: &[
                "client_secret_post",
                "private_key_jwt",
                "client_secret_basic",
            ],
            jwks_uri: format!("{base_url}/{segment}/discovery/v2.0/keys"),
            response_modes_supported: &["query", "fragment", "form_post"],
            subject_types_supported: &["pairwise"],
            id_token_signing_alg_values_supported: &["RS256"],
            response_types_supported: &["code", "id_token", "code id_token"],
            scopes_supported: &["openid", "profile", "email", "offline_access"],
            issuer: format!("{base_url}/{issuer}/v2.0"),
            request_uri_parameter_supported: false,
            userinfo_endpoint: format!("{base_url}/oidc/userinfo"),
            authorization_endpoint: endpoint("authorize"),
            device_authorization_endpoint: endpoint("devicecode"),
            http_logout_supported: true,
            // Entra says true; here other apps are not told.
            frontchannel_logout_supported: false,
            end_session_endpoint: endpoint("logout"),
            // Entra names more that it gives only on request, or never here; and neither `nbf` nor
            // `oid`.
            claims_supported: &[
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "c_hash",
                "email",
            ],
            kerberos_endpoint: format!("{base_url}/{segment}/kerberos"),
            // Entra says null where the tenant is not one.
            tenant_region_scope: authority.tenant().map(|_| "EU"),
            cloud_instance_name: "localhost",
            cloud_graph_host_name: "graph.windows.net",
            msgraph_host: "graph.microsoft.com",
            rbac_url: "https://pas.windows.net",
        }
    }
}
