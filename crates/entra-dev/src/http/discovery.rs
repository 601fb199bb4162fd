//! Discovery: metadata, the key set and instance discovery. For version 1 see `discovery_v1.rs`.

use poem::http::StatusCode;
use serde::Serialize;
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use crate::{directory::Authority, host_name::without_port, keys::Jwk, refusal::Refusal};

use super::{
    faults,
    operation::Operation,
    request::{Answer, TenantRequest},
    response::json,
};

/// `GET /{tenant}/v2.0/.well-known/openid-configuration` (OpenID Connect Discovery, section 4).
///
/// With `?appid=`, the key set is that of this app, which may have its own signing key
/// (<https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signature>).
pub(super) const METADATA: Operation = Operation::public(metadata);

/// `GET /{tenant}/discovery/v2.0/keys` (RFC 7517). As in Entra, all tenants share the keys.
pub(super) const KEYS: Operation = Operation::public(keys);

/// `GET /common/discovery/instance`. MSAL asks here whether it may trust an authority. The response
/// says that this listener is one cloud.
pub(super) const INSTANCE: Operation = Operation::public(instance);

fn metadata(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    let authority = authority(request)?;
    let mut body = Configuration::new(request.base_url, &authority);
    body.jwks_uri += &appid_query(request)?;
    Ok(Answer::granted(json(StatusCode::OK, &body)))
}

fn keys(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    authority(request)?;
    Ok(Answer::granted(json(StatusCode::OK, &KeyDocument { keys: published_keys(request)? })))
}

/// The key set of the tenant or, with `?appid=`, of an app that has its own signing key. Without
/// the signing key if a test hides it.
pub(super) fn published_keys(request: &TenantRequest<'_>) -> Result<Vec<Jwk>, Refusal> {
    let appid = request.parameters.optional("appid")?;
    let app = appid.and_then(|appid| request.directory().app(appid));
    let client_id = app.map(|app| app.client_id.as_str());
    let issuer = &request.context.issuer;
    let mut keys = issuer.published_keys(request.base_url, client_id);
    if faults::hides_signing_key(request.http) {
        let all = issuer.keys.now();
        let signing = all.signing(client_id, false);
        keys.retain(|key| key.kid != signing.kid());
    }
    Ok(keys)
}

/// The query of the `jwks_uri`, which repeats `appid`.
pub(super) fn appid_query(request: &TenantRequest<'_>) -> Result<String, Refusal> {
    let appid = request.parameters.optional("appid")?;
    Ok(appid.map_or_else(String::new, |appid| {
        let encoded = byte_serialize(appid.as_bytes()).collect::<String>();
        format!("?appid={encoded}")
    }))
}

fn instance(request: &TenantRequest<'_>) -> Result<Answer, Refusal> {
    let base_url = request.base_url;
    let host = base_url.split_once("://").map_or(base_url, |(_, host)| host);
    // MSAL looks for its authority with the port or without it, depending on the language.
    let name = without_port(host);
    let metadata = format!("{base_url}/common/v2.0/.well-known/openid-configuration");
    let body = json!({
        "tenant_discovery_endpoint": metadata,
        "api-version": "1.1",
        "metadata": [{
            "preferred_network": host,
            "preferred_cache": host,
            "aliases": [host, name],
        }],
    });
    Ok(Answer::granted(json(StatusCode::OK, &body)))
}

/// The authority that the path names. The error for an unknown one differs from that of the other
/// endpoints.
pub(super) fn authority(request: &TenantRequest<'_>) -> Result<Authority, Refusal> {
    Authority::parse(request.directory(), request.tenant)
        .ok_or_else(|| Refusal::tenant_unpublished(request.tenant))
}

/// A key set (RFC 7517, section 5).
#[derive(Serialize)]
pub(super) struct KeyDocument {
    pub(super) keys: Vec<Jwk>,
}

/// The metadata, with Entra's members except those for mutual TLS. As in Entra, PKCE is not
/// mentioned. The URLs for Microsoft Graph and Kerberos lead nowhere.
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
            // Entra returns true. Here, other apps are not notified.
            frontchannel_logout_supported: false,
            end_session_endpoint: endpoint("logout"),
            // Entra lists more claims, which are optional or do not exist here, and omits `nbf` and
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
            // Entra returns null for `common` and `organizations`.
            tenant_region_scope: authority.tenant().map(|_| "EU"),
            cloud_instance_name: "localhost",
            cloud_graph_host_name: "graph.windows.net",
            msgraph_host: "graph.microsoft.com",
            rbac_url: "https://pas.windows.net",
        }
    }
}
