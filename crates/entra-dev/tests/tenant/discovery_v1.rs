//! Discovery for APIs that accept tokens of version 1.

use entra_dev::ids::{CONSUMERS, CONTOSO};
use serde_json::{Value, json};

use crate::support::{Answer, Form, PublishedKeys, TestTenant, token_header};

const OLD_API: &str = r#"
[[apps]]
client_id = "b2000000-0000-4000-8000-000000000001"
name = "Old API"
tenant = "Contoso"
app_id_uri = "https://old.contoso.example"
access_token_version = 1
scopes = ["read"]
"#;

fn path(segment: &str) -> String {
    format!("/{segment}/.well-known/openid-configuration")
}

#[tokio::test]
async fn the_v1_metadata_has_the_issuer_of_v1_tokens() {
    let tenant = TestTenant::start().await;
    for (base, browser) in tenant.listeners() {
        for (name, segment, issuer) in [
            (CONTOSO, CONTOSO, CONTOSO),
            ("contoso.example", CONTOSO, CONTOSO),
            ("consumers", "consumers", CONSUMERS),
            ("common", "common", "{tenantid}"),
            ("organizations", "organizations", "{tenantid}"),
        ] {
            let answer = Answer::of(browser.get(format!("{base}{}", path(name)))).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.body);
            let metadata = answer.json();
            assert_eq!(metadata["issuer"], format!("{base}/{issuer}/"), "{name}");
            assert_eq!(metadata["jwks_uri"], format!("{base}/common/discovery/keys"));
            let endpoint = |path: &str| format!("{base}/{segment}/oauth2/{path}");
            assert_eq!(metadata["authorization_endpoint"], endpoint("authorize"));
            assert_eq!(metadata["token_endpoint"], endpoint("token"));
        }
    }
}

#[tokio::test]
async fn the_v1_metadata_has_the_members_of_entra() {
    let tenant = TestTenant::start().await;
    let metadata = tenant.get_json(&path(CONTOSO)).await;
    let members: Vec<_> = metadata.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
        "jwks_uri",
        "response_modes_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "response_types_supported",
        "scopes_supported",
        "issuer",
        "microsoft_multi_refresh_token",
        "authorization_endpoint",
        "device_authorization_endpoint",
        "http_logout_supported",
        "frontchannel_logout_supported",
        "end_session_endpoint",
        "claims_supported",
        "check_session_iframe",
        "userinfo_endpoint",
        "kerberos_endpoint",
        "tenant_region_scope",
        "cloud_instance_name",
        "cloud_graph_host_name",
        "msgraph_host",
        "rbac_url",
    ];
    assert_eq!(members, expected);
    assert_eq!(metadata["tenant_region_scope"], "EU");
    assert_eq!(tenant.get_json(&path("common")).await["tenant_region_scope"], Value::Null);
}

#[tokio::test]
async fn a_v1_token_is_verified_with_the_v1_metadata_alone() {
    let tenant = TestTenant::start_having(OLD_API).await;
    let form = Form::authorization().with("scope", "https://old.contoso.example/read");
    let answer = tenant.sign_in(CONTOSO, &form, "uma").await;
    let token = answer["access_token"].as_str().unwrap();
    for segment in [CONTOSO, "common"] {
        let metadata = tenant.get_json(&path(segment)).await;
        let issuer = metadata["issuer"].as_str().unwrap().replace("{tenantid}", CONTOSO);
        assert_eq!(TestTenant::claims(token)["iss"], issuer);
        let keys = PublishedKeys::at(&tenant.browser, metadata["jwks_uri"].as_str().unwrap()).await;
        assert_eq!(keys.signer(token), token_header(token)["kid"].as_str());
    }
}

#[tokio::test]
async fn the_v1_key_set_has_the_same_keys_without_issuers() {
    let tenant = TestTenant::start().await;
    let mut expected = tenant.get_json("/common/discovery/v2.0/keys").await;
    for key in expected["keys"].as_array_mut().unwrap() {
        assert!(key.as_object_mut().unwrap().remove("issuer").is_some());
    }
    for segment in [CONTOSO, "common", "consumers"] {
        assert_eq!(tenant.get_json(&format!("/{segment}/discovery/keys")).await, expected);
    }
    // A fault of an endpoint concerns both versions.
    tenant.plan("keys", &json!({ "hide_signing_key": true, "times": 1 })).await;
    let hidden = tenant.get_json("/common/discovery/keys").await;
    assert_eq!(hidden["keys"].as_array().unwrap()[..], expected["keys"].as_array().unwrap()[1..]);
    tenant.plan("metadata", &json!({ "status": 503 })).await;
    assert_eq!(tenant.get(&path("common")).await.status, 503);
}

#[tokio::test]
async fn v1_discovery_is_public_and_knows_only_real_tenants() {
    let tenant = TestTenant::start().await;
    for name in ["nowhere.example", "nowhere"] {
        for path in [path(name), format!("/{name}/discovery/keys")] {
            tenant.get(&path).await.assert_refusal(400, "invalid_tenant", 90002);
        }
    }
    for path in [path("common"), "/common/discovery/keys".to_owned()] {
        let answer = tenant.get(&path).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    }
}
