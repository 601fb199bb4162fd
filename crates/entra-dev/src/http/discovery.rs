use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use serde::Serialize;

use super::{Context, cors, json, refuse};
use crate::directory::Authority;
use crate::keys::Jwk;
use crate::refusal::Refusal;

/// `GET /{tenant}/v2.0/.well-known/openid-configuration` (OpenID Connect Discovery section 4).
#[handler]
pub(super) fn configuration(
    Path(tenant): Path<String>,
    Data(context): Data<&Arc<Context>>,
) -> Response {
    cors::allow_any(match Authority::parse(&tenant) {
        Some(authority) => {
            json(StatusCode::OK, &Configuration::new(context.issuer.base_url(), authority))
        }
        None => refuse(context, &Refusal::tenant_unknown(&tenant)),
    })
}

/// `GET /{tenant}/discovery/v2.0/keys` (RFC 7517). All tenants share the keys, as in Entra.
#[handler]
pub(super) fn keys(Path(tenant): Path<String>, Data(context): Data<&Arc<Context>>) -> Response {
    cors::allow_any(match Authority::parse(&tenant) {
        Some(_) => json(StatusCode::OK, &KeyDocument { keys: context.issuer.published_keys() }),
        None => refuse(context, &Refusal::tenant_unknown(&tenant)),
    })
}

/// The preflight of both.
#[handler]
pub(super) fn preflight(request: &Request) -> Response {
    cors::allow_any(cors::preflight(request, "GET"))
}

#[derive(Serialize)]
struct KeyDocument<'a> {
    keys: Vec<Jwk<'a>>,
}

/// Entra's metadata, less what is not supported here. As in Entra's, PKCE is not mentioned.
#[derive(Serialize)]
struct Configuration {
    token_endpoint: String,
    token_endpoint_auth_methods_supported: &'static [&'static str],
    jwks_uri: String,
    response_modes_supported: &'static [&'static str],
    subject_types_supported: &'static [&'static str],
    id_token_signing_alg_values_supported: &'static [&'static str],
    response_types_supported: &'static [&'static str],
    grant_types_supported: &'static [&'static str],
    scopes_supported: &'static [&'static str],
    issuer: String,
    request_uri_parameter_supported: bool,
    authorization_endpoint: String,
    claims_supported: &'static [&'static str],
    tenant_region_scope: Option<&'static str>,
    cloud_instance_name: &'static str,
}

impl Configuration {
    fn new(base_url: &str, authority: Authority) -> Self {
        let (segment, issuer) = (authority.segment(), authority.issuer_segment());
        Self {
            token_endpoint: format!("{base_url}/{segment}/oauth2/v2.0/token"),
            // Single-page apps are public clients; Entra's list names the secrets of other ones.
            token_endpoint_auth_methods_supported: &["none"],
            jwks_uri: format!("{base_url}/{segment}/discovery/v2.0/keys"),
            response_modes_supported: &["query"],
            subject_types_supported: &["pairwise"],
            id_token_signing_alg_values_supported: &["RS256"],
            response_types_supported: &["code"],
            grant_types_supported: &["authorization_code"],
            scopes_supported: &["openid", "profile", "email", "offline_access"],
            issuer: format!("{base_url}/{issuer}/v2.0"),
            request_uri_parameter_supported: false,
            authorization_endpoint: format!("{base_url}/{segment}/oauth2/v2.0/authorize"),
            claims_supported: &[
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "nbf",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "oid",
                "ver",
                "email",
            ],
            // Entra says null where the tenant is not one.
            tenant_region_scope: matches!(authority, Authority::Tenant(_)).then_some("EU"),
            cloud_instance_name: "localhost",
        }
    }
}
