//! The signature, and what the claims of a signed token must be.

use std::time::Duration;

use poem_entra::{AccountType, Principal, Rule};
use serde_json::{Value, json};

use crate::support::{
    API, INSTANCE, OTHER_TENANT, PERSONAL, TENANT, World, jwk, sign, token, token_of, v2_issuer,
};

const LEEWAY: u64 = 60;

#[tokio::test]
async fn a_valid_token_of_a_user_is_accepted() {
    let world = World::new();
    let principal = world.judge(|_| {}).await.unwrap();
    let Principal::User(user) = &principal else { panic!("{principal:?}") };
    assert_eq!(user.tenant().to_string(), TENANT);
    assert_eq!(user.object_id().to_string(), "aaaaaaaa-0000-4000-8000-000000000001");
    assert_eq!(principal.scopes(), ["access_as_user"]);
    assert_eq!(principal.subject(), "pairwise");
    let client = principal.client().map(|client| client.to_string());
    assert_eq!(client.as_deref(), Some("44444444-4444-4444-8444-444444444444"));
}

#[tokio::test]
async fn a_principal_has_exactly_the_roles_in_its_token() {
    let world = World::new();
    let principal = world.judge(|claims| claims["roles"] = json!(["Admin", "User"])).await.unwrap();
    assert_eq!(principal.roles(), ["Admin", "User"]);
    for (role, has) in [("Admin", true), ("User", true), ("admin", false), ("Use", false)] {
        assert_eq!(principal.has_role(role), has, "{role}");
    }
}

/// Newer tokens have `acct` as a number, older ones as a string.
#[tokio::test]
async fn a_user_is_a_member_or_a_guest_as_acct_says() {
    let world = World::new();
    for (acct, expected) in [
        (json!(0), Some(AccountType::Member)),
        (json!("0"), Some(AccountType::Member)),
        (json!(1), Some(AccountType::Guest)),
        (json!("1"), Some(AccountType::Guest)),
        (json!(2), None),
        (json!("2"), None),
        (json!(""), None),
        (json!(true), None),
    ] {
        let principal = world.judge(|claims| claims["acct"] = acct.clone()).await.unwrap();
        let Principal::User(user) = &principal else { panic!("{principal:?}") };
        assert_eq!(user.account_type(), expected, "{acct}");
    }
}

#[tokio::test]
async fn the_signature_is_verified_before_the_claims_are_parsed() {
    let world = World::new();
    let mut claims = world.claims();
    let forged = world.validator.validate(&token_of("a", 1, &claims)).await;
    World::assert_refuses(&forged, Rule::Signature, "another key's signature");
    claims["exp"] = "never".into();
    let forged = world.validator.validate(&token_of("a", 1, &claims)).await;
    World::assert_refuses(&forged, Rule::Signature, "an invalid claim with an invalid signature");
    let header = r#"{"alg":"RS256","kid":"a"}"#;
    let outcome = world.validator.validate(&sign(header, "not json", 1)).await;
    World::assert_refuses(
        &outcome,
        Rule::Signature,
        "a payload that is not JSON with an invalid signature",
    );
    let outcome = world.validator.validate(&sign(header, "not json", 0)).await;
    World::assert_refuses(
        &outcome,
        Rule::TokenFormat,
        "a payload that is not JSON with a valid signature",
    );
}

#[tokio::test]
async fn a_token_with_any_byte_changed_is_refused() {
    let world = World::new();
    let good = token(&world.claims());
    World::assert_accepts(&world.validator.validate(&good).await, "the unchanged token");
    for position in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        let outcome = world.validator.validate(&changed).await;
        assert!(outcome.is_err(), "a token with byte {position} changed is accepted");
    }
    for length in [0, 1, good.len() / 2, good.len() - 1] {
        assert!(
            world.validator.validate(&good[..length]).await.is_err(),
            "a token cut to {length} bytes is accepted"
        );
    }
}

#[tokio::test]
async fn a_signed_payload_with_duplicate_members_is_refused() {
    let world = World::new();
    let claims = world.claims().to_string();
    let doubled = claims.replacen('{', r#"{"tid":"22222222-2222-4222-8222-222222222222","#, 1);
    let token = sign(r#"{"alg":"RS256","kid":"a"}"#, &doubled, 0);
    World::assert_refuses(&world.validator.validate(&token).await, Rule::TokenFormat, "two tid");
}

#[tokio::test]
async fn a_token_is_valid_from_nbf_to_exp_within_the_leeway() {
    let world = World::new();
    let now = world.claims()["iat"].as_u64().unwrap();
    for (name, value, accepted) in [
        ("exp", now, true),
        ("exp", now - LEEWAY, true),
        ("exp", now - LEEWAY - 1, false),
        ("nbf", now + LEEWAY, true),
        ("nbf", now + LEEWAY + 1, false),
        ("iat", now + LEEWAY, true),
        ("iat", now + LEEWAY + 1, false),
    ] {
        let outcome = world
            .judge(|claims| {
                if name == "exp" {
                    claims["nbf"] = (now - 3_600).into();
                }
                claims[name] = value.into();
            })
            .await;
        let what = format!("{name} = now {:+}", value as i64 - now as i64);
        match accepted {
            true => World::assert_accepts(&outcome, &what),
            false => World::assert_refuses(&outcome, Rule::Lifetime, &what),
        }
    }
}

#[tokio::test]
async fn the_leeway_is_configurable() {
    for leeway in [0, 300] {
        let world = World::with(|settings| settings.leeway = Duration::from_secs(leeway));
        let now = world.claims()["iat"].as_u64().unwrap();
        for (late, accepted) in [(leeway, true), (leeway + 1, false)] {
            let outcome = world
                .judge(|claims| {
                    claims["nbf"] = (now - 3_600).into();
                    claims["exp"] = (now - late).into();
                })
                .await;
            assert_eq!(
                outcome.is_ok(),
                accepted,
                "expired {late} seconds ago with leeway {leeway}"
            );
        }
    }
}

#[tokio::test]
async fn nbf_and_iat_are_optional_but_nbf_must_not_be_after_exp() {
    let world = World::new();
    for name in ["nbf", "iat"] {
        let outcome =
            world.judge(|claims| drop(claims.as_object_mut().unwrap().remove(name))).await;
        World::assert_accepts(&outcome, &format!("a token without {name}"));
    }
    let outcome = world
        .judge(|claims| {
            let exp = claims["exp"].as_u64().unwrap();
            claims["nbf"] = (exp + 1).into();
        })
        .await;
    World::assert_refuses(&outcome, Rule::Lifetime, "nbf > exp");
}

#[tokio::test]
async fn a_very_late_date_does_not_overflow() {
    let world = World::new();
    let outcome = world.judge(|claims| claims["exp"] = (1_u64 << 53).into()).await;
    World::assert_accepts(&outcome, "exp = 2^53");
    for bad in [json!((1_u64 << 53) + 1), json!(u64::MAX), json!(1e300), json!(-1)] {
        let outcome = world.judge(|claims| claims["exp"] = bad.clone()).await;
        World::assert_refuses(&outcome, Rule::Claims, &format!("exp = {bad}"));
    }
}

#[tokio::test]
async fn every_cloud_accepts_only_its_own_issuers() {
    let issuers = [
        ("https://login.microsoftonline.com", Some("https://sts.windows.net/T/")),
        ("https://login.microsoftonline.us", Some("https://sts.windows.net/T/")),
        ("https://login.partner.microsoftonline.cn", Some("https://sts.chinacloudapi.cn/T/")),
        ("https://contoso.ciamlogin.com", None),
    ];
    for (instance, own_v1) in issuers {
        let world = World::with(|settings| settings.instance = instance.into());
        for (other, other_v1) in issuers {
            let v2 = v2_issuer(other, TENANT);
            let outcome = world.judge(|claims| claims["iss"] = v2.clone().into()).await;
            assert_eq!(outcome.is_ok(), instance == other, "{v2} at {instance}");
            let Some(v1) = other_v1 else { continue };
            let v1_issuer = v1.replace('T', TENANT);
            let outcome = world
                .judge(|claims| {
                    claims["iss"] = v1_issuer.clone().into();
                    claims["ver"] = "1.0".into();
                })
                .await;
            assert_eq!(outcome.is_ok(), own_v1 == other_v1, "{v1_issuer} at {instance}");
        }
    }
}

#[tokio::test]
async fn the_issuer_must_match_byte_for_byte_and_by_version() {
    let world = World::new();
    let v2 = v2_issuer(INSTANCE, TENANT);
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    for (iss, ver) in [
        (format!("{v2}/"), "2.0"),
        (v2.to_uppercase(), "2.0"),
        (v2.replace("https", "http"), "2.0"),
        (v2_issuer(INSTANCE, OTHER_TENANT), "2.0"),
        (v2_issuer(INSTANCE, "common"), "2.0"),
        (v2_issuer(INSTANCE, "{tenantid}"), "2.0"),
        (format!("{v2}?x"), "2.0"),
        (format!(" {v2}"), "2.0"),
        (v1.clone(), "2.0"),
        (v2.clone(), "1.0"),
        (v1.trim_end_matches('/').to_owned(), "1.0"),
    ] {
        let outcome = world
            .judge(|claims| {
                claims["iss"] = iss.clone().into();
                claims["ver"] = ver.into();
            })
            .await;
        World::assert_refuses(&outcome, Rule::Issuer, &format!("{iss} in a {ver} token"));
    }
    let upper = world
        .judge(|claims| {
            claims["tid"] = TENANT.to_uppercase().into();
            claims["iss"] = v2_issuer(INSTANCE, &TENANT.to_uppercase()).into();
        })
        .await;
    // The GUID has no letters, so upper case does not change it.
    World::assert_accepts(&upper, "the same tenant");
}

#[tokio::test]
async fn the_tenant_in_the_issuer_is_spelled_as_the_authority_spells_it() {
    let tenant = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
    let upper = tenant.to_uppercase();
    let issuer = v2_issuer(INSTANCE, tenant);
    let world = World::with(|settings| settings.tenant = tenant.into());
    world.documents.publish(INSTANCE, tenant, &issuer);
    for (tid, iss, is_accepted) in [
        (tenant, issuer.clone(), true),
        (&upper, v2_issuer(INSTANCE, &upper), false),
        (&upper, issuer.clone(), false),
        (tenant, v2_issuer(INSTANCE, &upper), false),
        (tenant, "https://evil.example".into(), false),
    ] {
        let outcome = world
            .judge(|claims| {
                claims["tid"] = tid.into();
                claims["iss"] = iss.clone().into();
            })
            .await;
        assert_eq!(outcome.is_ok(), is_accepted, "{tid}, {iss}");
        if let Err(rejection) = outcome {
            assert_eq!(rejection.rule(), Rule::Issuer, "{tid}, {iss}");
            assert_eq!(rejection.expected(), Some(&*issuer), "{tid}, {iss}");
            assert_eq!(rejection.received(), Some(&*iss), "{tid}, {iss}");
        }
    }
}

#[tokio::test]
async fn a_tenant_that_is_not_allowed_is_refused() {
    let rows: [(&str, &[&str], [bool; 3]); 6] = [
        (TENANT, &[], [true, false, false]),
        ("common", &[TENANT], [true, false, false]),
        ("common", &[TENANT, PERSONAL], [true, false, true]),
        ("common", &["any"], [true, true, true]),
        ("organizations", &["any"], [true, true, false]),
        ("consumers", &["any"], [false, false, true]),
    ];
    for (directory, allowed, expected) in rows {
        let world = World::with(|settings| {
            settings.tenant = directory.into();
            settings.allowed_tenants = allowed.iter().map(|&tenant| tenant.to_owned()).collect();
        });
        for (tenant, accepted) in [TENANT, OTHER_TENANT, PERSONAL].into_iter().zip(expected) {
            let outcome = world
                .judge(|claims| {
                    claims["tid"] = tenant.into();
                    claims["iss"] = v2_issuer(INSTANCE, tenant).into();
                })
                .await;
            let what = format!("a token of {tenant} at {directory} with {allowed:?}");
            match accepted {
                true => World::assert_accepts(&outcome, &what),
                false => World::assert_refuses(&outcome, Rule::Tenant, &what),
            }
        }
    }
}

#[tokio::test]
async fn a_domain_allows_only_the_tenant_in_the_discovery_document() {
    let world = World::with(|settings| settings.tenant = "contoso.example".into());
    World::assert_accepts(&world.judge(|_| {}).await, "a token of the domain's tenant");
    let outcome = world
        .judge(|claims| {
            claims["tid"] = OTHER_TENANT.into();
            claims["iss"] = v2_issuer(INSTANCE, OTHER_TENANT).into();
        })
        .await;
    World::assert_refuses(&outcome, Rule::Tenant, "a token of another tenant");
}

#[tokio::test]
async fn a_bound_key_is_accepted_only_for_its_issuer() {
    let world = World::with(|settings| {
        settings.tenant = "common".into();
        settings.allowed_tenants = vec!["any".into()];
    });
    let any = v2_issuer(INSTANCE, "{tenantid}");
    world.documents.publish_keys(
        INSTANCE,
        &[
            jwk("any", 0, Some(&any)),
            jwk("personal", 1, Some(&v2_issuer(INSTANCE, PERSONAL))),
            jwk("other", 2, Some(&v2_issuer(INSTANCE, OTHER_TENANT))),
        ],
    );
    for (kid, number, tenant, accepted) in [
        ("any", 0, TENANT, true),
        ("any", 0, OTHER_TENANT, true),
        ("personal", 1, PERSONAL, true),
        ("personal", 1, TENANT, false),
        ("other", 2, OTHER_TENANT, true),
        ("other", 2, TENANT, false),
        ("other", 2, PERSONAL, false),
    ] {
        let mut claims = world.claims();
        claims["tid"] = tenant.into();
        claims["iss"] = v2_issuer(INSTANCE, tenant).into();
        let outcome = world.validator.validate(&token_of(kid, number, &claims)).await;
        let what = format!("key {kid} for {tenant}");
        match accepted {
            true => World::assert_accepts(&outcome, &what),
            false => {
                World::assert_refuses(&outcome, Rule::KeyIssuer, &what);
                let rejection = outcome.unwrap_err();
                let of_key = if kid == "personal" { PERSONAL } else { OTHER_TENANT };
                let (of_key, of_token) = (v2_issuer(INSTANCE, of_key), v2_issuer(INSTANCE, tenant));
                assert_eq!(rejection.expected(), Some(of_key.as_str()), "{what}");
                assert_eq!(rejection.received(), Some(of_token.as_str()), "{what}");
            }
        }
    }
    // The keys of v1 tokens are bound to the v2 issuer.
    let mut claims = world.claims();
    claims["ver"] = "1.0".into();
    claims["iss"] = format!("https://sts.windows.net/{TENANT}/").into();
    let outcome = world.validator.validate(&token_of("any", 0, &claims)).await;
    World::assert_accepts(&outcome, "a v1 token signed by a key of the v2 issuer");
}

#[tokio::test]
async fn the_audience_must_be_exactly_this_api() {
    let world = World::with(|settings| settings.audiences = vec!["api://todo.example/".into()]);
    for accepted in [
        json!(API),
        json!(format!("api://{API}")),
        json!(format!("api://{API}/")),
        json!(format!("api://{TENANT}/{API}")),
        json!("api://todo.example"),
        json!("api://todo.example/"),
        json!(["https://elsewhere.example", API]),
    ] {
        let outcome = world.judge(|claims| claims["aud"] = accepted.clone()).await;
        World::assert_accepts(&outcome, &format!("aud {accepted}"));
    }
    for refused in [
        json!(""),
        json!([]),
        json!("/"),
        json!(format!("{API}//")),
        json!(format!("API://{API}")),
        json!(format!("api://{API}/access_as_user")),
        json!(format!("api://{OTHER_TENANT}/{API}")),
        json!(format!(" {API}")),
        json!("api://TODO.example"),
        json!("00000003-0000-0000-c000-000000000000"),
        json!("https://graph.microsoft.com"),
        json!(["https://elsewhere.example"]),
    ] {
        let outcome = world.judge(|claims| claims["aud"] = refused.clone()).await;
        World::assert_refuses(&outcome, Rule::Audience, &format!("aud {refused}"));
    }
}

#[tokio::test]
async fn each_app_id_uri_is_an_audience_and_scopes_are_written_with_the_first() {
    let uris = ["https://api.contoso.example", "api://app.contoso.example"].map(String::from);
    let url = "https://api.contoso.example/todo";
    let world = World::with(|settings| {
        settings.app_id_uris = uris.to_vec();
        settings.resource = Some(url.into());
    });
    for uri in &uris {
        let outcome = world.judge(|claims| claims["aud"] = uri.as_str().into()).await;
        World::assert_accepts(&outcome, uri);
    }
    let replaced = format!("api://{API}");
    let outcome = world.judge(|claims| claims["aud"] = replaced.as_str().into()).await;
    World::assert_refuses(&outcome, Rule::Audience, "an App ID URI that is not configured");
    let of_tenant = format!("api://{TENANT}/{API}");
    let expected = format!("{API} or {of_tenant} or {} or {}", uris[1], uris[0]);
    assert_eq!(outcome.unwrap_err().expected(), Some(&*expected));

    let scope = format!("{}/access_as_user", uris[0]);
    assert_eq!(world.validator.challenge().full_scope("access_as_user"), scope);
    let metadata = world.validator.resource_metadata(&["access_as_user"]).unwrap();
    assert_eq!(metadata.path, "/.well-known/oauth-protected-resource/todo");
    assert_eq!(metadata.document["resource"], json!(url));
    assert_eq!(metadata.document["scopes_supported"], json!([scope]));
}

#[tokio::test]
async fn a_token_with_neither_scopes_nor_roles_is_refused() {
    let world = World::new();
    let remove = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove("scp"));
    World::assert_refuses(&world.judge(remove).await, Rule::Consent, "neither scp nor roles");
    for (scp, roles) in [("", json!([])), (" ", json!([])), ("/", json!([])), ("/ /", json!([]))] {
        let outcome = world
            .judge(|claims| {
                claims["scp"] = scp.into();
                claims["roles"] = roles;
            })
            .await;
        World::assert_refuses(&outcome, Rule::Consent, "empty scp and roles");
    }
    let outcome = world
        .judge(|claims| {
            remove(claims);
            claims["idtyp"] = "user".into();
            claims["roles"] = json!(["Admin"]);
        })
        .await;
    World::assert_accepts(&outcome, "roles without scopes");
}

#[tokio::test]
async fn idtyp_or_else_scp_and_oid_decide_between_user_and_app() {
    let world = World::new();
    let person = world.claims()["oid"].as_str().unwrap().to_owned();
    let scope = Some("access_as_user");
    for (idtyp, scp, sub, app) in [
        (Some("app"), None, "pairwise", Some(true)),
        (Some("app"), scope, "pairwise", Some(true)),
        (Some("user"), None, "pairwise", Some(false)),
        (Some("user"), scope, &person, Some(false)),
        (None, scope, &person, Some(false)),
        (None, None, &person, Some(true)),
        (None, None, &person.to_uppercase(), Some(true)),
        (None, Some("/"), &person, Some(true)),
        (None, Some(""), &person, Some(true)),
        (None, None, "pairwise", None),
        (None, Some("/"), "pairwise", None),
        (Some("device"), scope, "pairwise", None),
        (Some("APP"), None, &person, None),
        (Some(""), scope, "pairwise", None),
    ] {
        let outcome = world
            .judge(|claims| {
                claims["roles"] = json!(["Admin"]);
                claims["idtyp"] = json!(idtyp);
                claims["scp"] = json!(scp);
                claims["sub"] = sub.into();
                claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            })
            .await;
        let case = format!("idtyp {idtyp:?}, scp {scp:?}, sub {sub}");
        match app {
            Some(app) => assert_eq!(matches!(outcome.unwrap(), Principal::App(_)), app, "{case}"),
            None => World::assert_refuses(&outcome, Rule::CallerKind, &case),
        }
    }
    let without_oid = |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove("oid"));
    World::assert_refuses(&world.judge(without_oid).await, Rule::CallerKind, "a user without oid");
    let outcome = world
        .judge(|claims| {
            without_oid(claims);
            claims["idtyp"] = "app".into();
            claims["roles"] = json!(["Admin"]);
        })
        .await;
    World::assert_accepts(&outcome, "an app without oid");
}

#[tokio::test]
async fn id_tokens_and_tokens_for_graph_are_refused() {
    let world = World::new();
    let id_token = world
        .judge(|claims| {
            claims["nonce"] = "n".into();
            claims.as_object_mut().unwrap().remove("scp");
        })
        .await;
    World::assert_refuses(&id_token, Rule::AccessToken, "an ID token for the API's own client id");
    for idtyp in [json!(null), json!("user"), json!("app")] {
        let with_roles = world
            .judge(|claims| {
                claims["nonce"] = "n".into();
                claims["idtyp"] = idtyp.clone();
                claims["roles"] = json!(["Admin"]);
                claims["scp"] = json!(null);
                claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            })
            .await;
        World::assert_refuses(
            &with_roles,
            Rule::AccessToken,
            &format!("idtyp {idtyp}, with app roles"),
        );
    }
    let header = r#"{"alg":"RS256","kid":"a","nonce":"n"}"#;
    let graph = world.validator.validate(&sign(header, &world.claims().to_string(), 0)).await;
    World::assert_refuses(&graph, Rule::AccessToken, "a token with Graph's header");
}

#[tokio::test]
async fn a_v2_only_api_refuses_v1_tokens() {
    let v1 = |claims: &mut Value| {
        claims["ver"] = "1.0".into();
        claims["iss"] = format!("https://sts.windows.net/{TENANT}/").into();
    };
    World::assert_accepts(&World::new().judge(v1).await, "a v1 token");
    let world = World::with(|settings| settings.v2_only = true);
    World::assert_refuses(&world.judge(v1).await, Rule::Version, "a v1 token for a v2-only API");
    World::assert_accepts(&world.judge(|_| {}).await, "a v2 token");
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_refused() {
    let world = World::new();
    for cnf in [json!({ "x5t#S256": "x" }), json!({ "jkt": "x" }), json!({}), json!("x")] {
        let outcome = world.judge(|claims| claims["cnf"] = cnf.clone()).await;
        World::assert_refuses(&outcome, Rule::Unbound, &cnf.to_string());
        let detail = outcome.unwrap_err().detail().to_owned();
        assert!(detail.contains("bound to a key or a certificate"), "{detail}");
    }
    let outcome = world.judge(|claims| claims["cnf"] = json!(null)).await;
    World::assert_accepts(&outcome, "cnf null");
}
