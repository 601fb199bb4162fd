//! The refresh token grant.

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, FABRIKAM};
use reqwest::StatusCode;

use crate::support::{
    Answer, NATIVE, REPORTS_API, SINGLE_PAGE, TestTenant, WEB, api_scope, claims, reports_scope,
    text,
};

const DAY: u64 = 24 * 60 * 60;

#[tokio::test]
async fn a_refresh_token_needs_offline_access() {
    let tenant = TestTenant::start().await;
    for program in [SINGLE_PAGE, NATIVE, WEB] {
        let scope = format!("{} openid", api_scope());
        let body = program.sign_in(&tenant, &scope, "ada").await;
        assert_eq!(body.get("refresh_token"), None, "{}", program.client_id);
        let body = program.sign_in(&tenant, &format!("{scope} offline_access"), "ada").await;
        assert!(text(&body, "refresh_token").len() > 43, "{}", program.client_id);
    }
}

#[tokio::test]
async fn a_refresh_returns_new_tokens_and_keeps_the_old_one_valid() {
    let tenant = TestTenant::start().await;
    for program in [SINGLE_PAGE, NATIVE, WEB] {
        let scope = format!("openid profile offline_access {}", api_scope());
        let first = program.sign_in(&tenant, &scope, "uma").await;
        let old = text(&first, "refresh_token");
        tenant.clock.advance(60);
        let answer = program.ask(&tenant, &program.renewal(&old)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let second = answer.json();
        assert_eq!(second["token_type"], "Bearer");
        assert_eq!(second["scope"], first["scope"]);
        for token in ["access_token", "id_token", "refresh_token"] {
            assert_ne!(text(&first, token), text(&second, token), "{token}");
        }
        for token in ["access_token", "id_token"] {
            let (before, after) = (claims(&first, token), claims(&second, token));
            for same in ["aud", "iss", "oid", "sub", "tid"] {
                assert_eq!(before[same], after[same], "{token} {same}");
            }
            let issued = before["iat"].as_u64().unwrap();
            assert_eq!(after["iat"].as_u64(), Some(issued + 60), "{token}");
        }
        let newer = program.renew(&tenant, &text(&second, "refresh_token")).await;
        let newest = program.renew(&tenant, &old).await;
        assert_ne!(newer, newest);
    }
}

/// OpenID Connect Core, section 12.2.
#[tokio::test]
async fn the_nonce_belongs_to_the_first_id_token() {
    let tenant = TestTenant::start().await;
    let form = NATIVE.authorization("openid offline_access").with("nonce", "n-0S6_WzA2Mj");
    let code = tenant.code_for(CONTOSO, &form, "ada").await;
    let first = NATIVE.ask(&tenant, &NATIVE.redemption(&code)).await.json();
    assert_eq!(claims(&first, "id_token")["nonce"], "n-0S6_WzA2Mj");
    let renewal = NATIVE.renewal(&text(&first, "refresh_token"));
    let second = NATIVE.ask(&tenant, &renewal).await.json();
    assert_eq!(claims(&second, "id_token").get("nonce"), None);
    let renewal = NATIVE.renewal(&text(&second, "refresh_token"));
    let third = NATIVE.ask(&tenant, &renewal).await.json();
    assert_eq!(claims(&third, "id_token").get("nonce"), None);
}

#[tokio::test]
async fn a_refresh_token_is_valid_for_every_api() {
    let tenant = TestTenant::start().await;
    let token = NATIVE.refresh_token(&tenant, "ada").await;
    for (scope, audience, permission) in [
        (reports_scope(), REPORTS_API, "read"),
        (format!("{REPORTS_API}/.default"), REPORTS_API, "read"),
        (api_scope(), API_CLIENT_ID, "access_as_user"),
    ] {
        let form = NATIVE.renewal(&token).with("scope", &scope);
        let answer = NATIVE.ask(&tenant, &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let body = answer.json();
        assert_eq!(body["scope"], scope);
        let claims = claims(&body, "access_token");
        assert_eq!(claims["aud"], audience);
        assert_eq!(claims["scp"], permission);
        assert!(!text(&body, "refresh_token").is_empty());
    }
}

#[tokio::test]
async fn a_refresh_is_for_one_api() {
    let tenant = TestTenant::start().await;
    let token = NATIVE.refresh_token(&tenant, "ada").await;
    for (scope, error, code) in [
        (format!("{} {}", api_scope(), reports_scope()), "invalid_scope", 28000),
        ("https://unknown.example/read".to_owned(), "invalid_resource", 500_011),
        (format!("{REPORTS_API}/write"), "invalid_client", 650_053),
    ] {
        let form = NATIVE.renewal(&token).with("scope", &scope);
        NATIVE.ask(&tenant, &form).await.assert_refusal(400, error, code);
    }
}

#[tokio::test]
async fn a_sign_in_for_two_apis_needs_one_refresh_for_each() {
    let tenant = TestTenant::start().await;
    let scope = format!("{} {} offline_access", reports_scope(), api_scope());
    let body = NATIVE.sign_in(&tenant, &scope, "ada").await;
    assert_eq!(body["scope"], reports_scope());
    assert_eq!(claims(&body, "access_token")["aud"], REPORTS_API);
    let form = NATIVE.renewal(&text(&body, "refresh_token")).with("scope", &api_scope());
    let answer = NATIVE.ask(&tenant, &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(claims(&answer.json(), "access_token")["aud"], API_CLIENT_ID);
}

#[tokio::test]
async fn a_refresh_token_expires_90_days_after_it_was_issued() {
    let tenant = TestTenant::start().await;
    for program in [NATIVE, WEB] {
        let first = program.refresh_token(&tenant, "ada").await;
        tenant.clock.advance(90 * DAY - 1);
        let second = program.renew(&tenant, &first).await;
        tenant.clock.advance(1);
        let answer = program.ask(&tenant, &program.renewal(&first)).await;
        answer.assert_refusal(400, "invalid_grant", 700_082);
        tenant.clock.advance(90 * DAY - 2);
        let third = program.renew(&tenant, &second).await;
        tenant.clock.advance(1);
        let answer = program.ask(&tenant, &program.renewal(&second)).await;
        answer.assert_refusal(400, "invalid_grant", 700_082);
        program.renew(&tenant, &third).await;
    }
}

#[tokio::test]
async fn a_single_page_app_can_refresh_for_24_hours() {
    let tenant = TestTenant::start().await;
    let mut token = SINGLE_PAGE.refresh_token(&tenant, "ada").await;
    for _ in 0..23 {
        tenant.clock.advance(DAY / 24);
        token = SINGLE_PAGE.renew(&tenant, &token).await;
    }
    tenant.clock.advance(DAY / 24 - 1);
    token = SINGLE_PAGE.renew(&tenant, &token).await;
    tenant.clock.advance(1);
    let answer = SINGLE_PAGE.ask(&tenant, &SINGLE_PAGE.renewal(&token)).await;
    answer.assert_refusal(400, "invalid_grant", 700_084);
    assert!(answer.body.contains("fixed, limited lifetime of 1.00:00:00"), "{}", answer.body);
}

#[tokio::test]
async fn a_refresh_token_of_another_app_is_refused() {
    let tenant = TestTenant::start().await;
    let token = NATIVE.refresh_token(&tenant, "ada").await;
    for other in [SINGLE_PAGE, WEB] {
        let answer = other.ask(&tenant, &other.renewal(&token)).await;
        answer.assert_refusal(400, "invalid_grant", 70000);
        assert!(answer.body.contains("not issued to this client application"));
    }
    NATIVE.renew(&tenant, &token).await;
}

/// As in Entra, a tenant issues tokens only to its own people and guests.
#[tokio::test]
async fn a_refresh_token_gives_no_access_to_another_tenant() {
    let tenant = TestTenant::start().await;
    let form = NATIVE.renewal(&NATIVE.refresh_token(&tenant, "ada").await);
    for (authority, admitted) in
        [(FABRIKAM, false), ("consumers", false), ("common", true), ("organizations", true)]
    {
        let answer = Answer::of(form.on(tenant.token_request(authority))).await;
        if admitted {
            assert_eq!(answer.status, StatusCode::OK, "{authority}: {}", answer.body);
            assert_eq!(claims(&answer.json(), "access_token")["tid"], CONTOSO);
        } else {
            answer.assert_refusal(400, "invalid_grant", 50020);
        }
    }
}

#[tokio::test]
async fn an_invalid_refresh_token_is_refused() {
    let tenant = TestTenant::start().await;
    let code = tenant.code_for(CONTOSO, &NATIVE.authorization(&api_scope()), "ada").await;
    let nobodys = format!("1.{code}{code}");
    for (token, number) in [
        ("unknown", 9_002_313),
        ("1.AAAA", 9_002_313),
        (&code, 9_002_313),
        (&format!("{nobodys}A"), 9_002_313),
        (&nobodys, 70000),
    ] {
        let answer = NATIVE.ask(&tenant, &NATIVE.renewal(token)).await;
        answer.assert_refusal(400, "invalid_grant", number);
    }
    let missing = NATIVE.renewal("x").without("refresh_token");
    NATIVE.ask(&tenant, &missing).await.assert_refusal(400, "invalid_request", 900_144);
}

#[tokio::test]
async fn only_scripts_refresh_with_an_origin() {
    let tenant = TestTenant::start().await;
    let token = SINGLE_PAGE.refresh_token(&tenant, "ada").await;
    let form = SINGLE_PAGE.renewal(&token);
    let answer = Answer::of(form.on(tenant.token_request(CONTOSO))).await;
    answer.assert_refusal(400, "invalid_request", 9_002_327);
    for program in [NATIVE, WEB] {
        let form = program.renewal(&program.refresh_token(&tenant, "ada").await);
        let answer = tenant.redeem(CONTOSO, &form).await;
        answer.assert_refusal(400, "invalid_request", 9_002_326);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn a_web_site_needs_its_secret_to_refresh() {
    let tenant = TestTenant::start().await;
    let form = WEB.renewal(&WEB.refresh_token(&tenant, "ada").await);
    let answer = WEB.ask(&tenant, &form.clone().without("client_secret")).await;
    answer.assert_refusal(401, "invalid_client", 7_000_218);
    let answer = WEB.ask(&tenant, &form.clone().with("client_secret", "wrong")).await;
    answer.assert_refusal(401, "invalid_client", 7_000_215);
    assert_eq!(WEB.ask(&tenant, &form).await.status, StatusCode::OK);
}
