//! Metadata, the key set and the start page.

use entra_dev::ids::{CONSUMERS, CONTOSO, FABRIKAM};
use serde_json::{Value, json};

use crate::support::TestTenant;

#[tokio::test]
async fn every_name_of_a_tenant_has_metadata() {
    let tenant = TestTenant::start().await;
    for (name, segment, issuer) in [
        (CONTOSO, CONTOSO, CONTOSO),
        ("contoso.example", CONTOSO, CONTOSO),
        ("CONTOSO.example", CONTOSO, CONTOSO),
        (FABRIKAM, FABRIKAM, FABRIKAM),
        ("fabrikam.example", FABRIKAM, FABRIKAM),
        (CONSUMERS, "consumers", CONSUMERS),
        ("consumers", "consumers", CONSUMERS),
        ("common", "common", "{tenantid}"),
        ("organizations", "organizations", "{tenantid}"),
    ] {
        let path = format!("/{name}/v2.0/.well-known/openid-configuration");
        let metadata = tenant.get_json(&path).await;
        let url = |path: &str| tenant.url(&format!("/{segment}{path}"));
        assert_eq!(metadata["issuer"], tenant.url(&format!("/{issuer}/v2.0")), "{name}");
        assert_eq!(metadata["authorization_endpoint"], url("/oauth2/v2.0/authorize"));
        assert_eq!(metadata["token_endpoint"], url("/oauth2/v2.0/token"));
        assert_eq!(metadata["jwks_uri"], url("/discovery/v2.0/keys"));
    }
}

#[tokio::test]
async fn the_metadata_has_the_members_of_entra() {
    let tenant = TestTenant::start().await;
    for (segment, issuer, region) in
        [(CONTOSO, CONTOSO, json!("EU")), ("common", "{tenantid}", Value::Null)]
    {
        let at = |path: &str| tenant.url(&format!("/{segment}{path}"));
        let expected = json!({
            "token_endpoint": at("/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": [
                "client_secret_post", "private_key_jwt", "client_secret_basic",
            ],
            "jwks_uri": at("/discovery/v2.0/keys"),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": tenant.url(&format!("/{issuer}/v2.0")),
            "request_uri_parameter_supported": false,
            "userinfo_endpoint": tenant.url("/oidc/userinfo"),
            "authorization_endpoint": at("/oauth2/v2.0/authorize"),
            "device_authorization_endpoint": at("/oauth2/v2.0/devicecode"),
            "http_logout_supported": true,
            "frontchannel_logout_supported": false,
            "end_session_endpoint": at("/oauth2/v2.0/logout"),
            "claims_supported": [
                "sub", "iss", "aud", "exp", "iat", "nonce", "preferred_username", "name", "tid",
                "ver", "c_hash", "email",
            ],
            "kerberos_endpoint": at("/kerberos"),
            "tenant_region_scope": region,
            "cloud_instance_name": "localhost",
            "cloud_graph_host_name": "graph.windows.net",
            "msgraph_host": "graph.microsoft.com",
            "rbac_url": "https://pas.windows.net",
        });
        let metadata =
            tenant.get_json(&format!("/{segment}/v2.0/.well-known/openid-configuration")).await;
        assert_eq!(metadata, expected);
        let order =
            |document: &Value| Vec::from_iter(document.as_object().unwrap().keys().cloned());
        assert_eq!(order(&metadata), order(&expected), "in Entra's order too");
    }
}

#[tokio::test]
async fn an_unknown_tenant_has_neither_metadata_nor_keys() {
    let tenant = TestTenant::start().await;
    for path in ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"] {
        for name in ["nowhere.example", "nowhere"] {
            let answer = tenant.get(&format!("/{name}/{path}")).await;
            answer.assert_refusal(400, "invalid_tenant", 90002);
            assert_eq!(answer.json()["timestamp"], "2026-11-24 22:00:00Z");
        }
    }
}

#[tokio::test]
async fn metadata_and_keys_can_be_read_from_any_origin() {
    let tenant = TestTenant::start().await;
    for path in ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"] {
        let answer = tenant.get(&format!("/common/{path}")).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    }
}

#[tokio::test]
async fn the_start_page_lists_the_people() {
    let tenant = TestTenant::start().await;
    let answer = tenant.get("/").await;
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("Development only."));
    for person in tenant.tenant.people() {
        assert!(answer.body.contains(&person.display_name));
        assert!(answer.body.contains(&person.sign_in_name));
    }
    assert!(answer.body.contains(&tenant.url(&format!("/{CONTOSO}"))));
}

#[tokio::test]
async fn other_paths_are_not_found() {
    let tenant = TestTenant::start().await;
    for path in ["/nothing", "/common/oauth2/v2.0/nothing", "/common/oauth2/authorize"] {
        let answer = tenant.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("Not found"));
    }
}
