//! Discovery for APIs that accept tokens of version 1: their libraries read the issuer and the keys
//! from here.

use poem::http::StatusCode;
use serde::Serialize;

use crate::{directory::Authority, refusal::Refusal};

use super::{
    discovery::{KeyDocument, appid_query, authority, published_keys},
    operation::Operation,
    request::{Answer, TenantRequest},
    response::json,
};

/// `GET /{tenant}/.well-known/openid-configuration`
/// (<https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer>).
pub(super) const METADATA_V1: Operation = Operation::public(metadata);

/// `GET /{tenant}/discovery/keys`. The same keys as in version 2, without the `issuer` of each key,
/// which would be that of version 2.
pub(super) const KEYS_V1: Operation = Operation::public(keys);

fn metadata(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    let authority = authority(request)?;
    let mut body = Configuration::new(request.base_url, &authority);
    let appid = appid_query(request)?;
    if !appid.is_empty() {
        let segment = authority.segment();
        body.jwks_uri = format!("{}/{segment}/discovery/keys{appid}", request.base_url);
    }
    Ok(Answer::granted(json(StatusCode::OK, &body)))
}

fn keys(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    authority(request)?;
    let keys = published_keys(request)?.into_iter().map(|key| key.without_issuer()).collect();
    Ok(Answer::granted(json(StatusCode::OK, &KeyDocument { keys })))
}

/// The metadata, with Entra's members except those for mutual TLS. Only the issuer and the keys are
/// for use: the endpoints of version 1.0 do not exist here, so those URLs lead nowhere.
#[derive(Serialize)]
struct Configuration {
    token_endpoint: String,
    token_endpoint_auth_methods_supported: [&'static str; 3],
    jwks_uri: String,
    response_modes_supported: [&'static str; 3],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 1],
    response_types_supported: [&'static str; 3],
    scopes_supported: [&'static str; 1],
    issuer: String,
    microsoft_multi_refresh_token: bool,
    authorization_endpoint: String,
    device_authorization_endpoint: String,
    http_logout_supported: bool,
    frontchannel_logout_supported: bool,
    end_session_endpoint: String,
    claims_supported: [&'static str; 9],
    check_session_iframe: String,
    userinfo_endpoint: String,
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
        let endpoint = |name: &str| format!("{base_url}/{segment}/oauth2/{name}");
        Self {
            token_endpoint: endpoint("token"),
            token_endpoint_auth_methods_supported: [
                "client_secret_post",
                "private_key_jwt",
                "client_secret_basic",
            ],
            // As in Entra, all tenants share this URL, unless the request names an app.
            jwks_uri: format!("{base_url}/common/discovery/keys"),
            response_modes_supported: ["query", "fragment", "form_post"],
            subject_types_supported: ["pairwise"],
            id_token_signing_alg_values_supported: ["RS256"],
            response_types_supported: ["code", "id_token", "code id_token"],
            scopes_supported: ["openid"],
            issuer: format!("{base_url}/{issuer}/"),
            microsoft_multi_refresh_token: true,
            authorization_endpoint: endpoint("authorize"),
            device_authorization_endpoint: endpoint("devicecode"),
            http_logout_supported: true,
            frontchannel_logout_supported: false,
            end_session_endpoint: endpoint("logout"),
            claims_supported: [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "acr",
                "amr",
                "given_name",
                "family_name",
            ],
            check_session_iframe: endpoint("checksession"),
            userinfo_endpoint: format!("{base_url}/{segment}/openid/userinfo"),
            kerberos_endpoint: format!("{base_url}/{segment}/kerberos"),
            tenant_region_scope: authority.tenant().map(|_| "EU"),
            cloud_instance_name: "localhost",
            cloud_graph_host_name: "graph.windows.net",
            msgraph_host: "graph.microsoft.com",
            rbac_url: "https://pas.windows.net",
        }
    }
}
