use entra_dev::ids::{CONSUMERS, CONTOSO, FABRIKAM};

use crate::support::TestTenant;

#[tokio::test]
async fn every_name_of_a_tenant_leads_to_its_metadata() {
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
        let types = serde_json::json!(["code", "id_token", "code id_token"]);
        assert_eq!(metadata["response_types_supported"], types);
        assert_eq!(metadata["subject_types_supported"], serde_json::json!(["pairwise"]));
        let algorithms = &metadata["id_token_signing_alg_values_supported"];
        assert_eq!(algorithms, &serde_json::json!(["RS256"]));
    }
}

#[tokio::test]
async fn an_unknown_tenant_has_neither_metadata_nor_keys() {
    let tenant = TestTenant::start().await;
    for path in ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"] {
        let answer = tenant.get(&format!("/nowhere.example/{path}")).await;
        answer.assert_refusal(400, "invalid_tenant", 90002);
        assert_eq!(answer.json()["timestamp"], "2026-11-24 22:00:00Z");
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
async fn the_start_page_says_what_this_is_and_who_can_sign_in() {
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
