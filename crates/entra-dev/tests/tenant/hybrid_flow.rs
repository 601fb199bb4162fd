//! ID tokens of the authorization endpoint (OpenID Connect Core, sections 3.2 and 3.3).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use entra_dev::ids::{CONTOSO, SWAGGER_UI_CLIENT_ID};
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{Answer, Form, REDIRECT_URI, TestTenant, WEB, api_scope, text};

const NONCE: &str = "n-0S6_WzA2Mj";

fn sign_in(response_type: &str) -> Form {
    WEB.authorization(&format!("openid profile {}", api_scope()))
        .with("response_type", response_type)
        .with("nonce", NONCE)
}

fn in_fragment(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(answer.location().as_str().starts_with(&format!("{}#", WEB.redirect_uri)));
    assert_eq!(answer.fragment_parameter("state").as_deref(), Some("VHVlIE5vdiAyNA=="));
    TestTenant::claims(&answer.fragment_parameter("id_token").unwrap())
}

#[tokio::test]
async fn an_id_token_is_sent_in_the_fragment() {
    let tenant = TestTenant::start().await;
    let form = sign_in("id_token").without("code_challenge").without("code_challenge_method");
    let answer = tenant.pick(CONTOSO, &form, "uma").await;
    let claims = in_fragment(&answer);
    assert_eq!(answer.fragment_parameter("code"), None);
    assert_eq!(claims["aud"], WEB.client_id);
    assert_eq!(claims["iss"], tenant.url(&format!("/{CONTOSO}/v2.0")));
    assert_eq!(claims["nonce"], NONCE);
    assert_eq!(claims["preferred_username"], "uma@contoso.example");
    assert_eq!(claims.get("c_hash"), None);
}

#[tokio::test]
async fn an_id_token_contains_the_hash_of_its_code() {
    let tenant = TestTenant::start().await;
    for response_type in ["code id_token", "id_token code"] {
        let answer = tenant.pick(CONTOSO, &sign_in(response_type), "uma").await;
        let claims = in_fragment(&answer);
        let code = answer.fragment_parameter("code").unwrap();
        let hash = digest(&SHA256, code.as_bytes());
        let half = BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]);
        assert_eq!(claims["c_hash"], half);
        assert_eq!(claims["nonce"], NONCE);
        let answer = WEB.ask(&tenant, &WEB.redemption(&code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let from_code = TestTenant::claims(&text(&answer.json(), "id_token"));
        assert_eq!(from_code["nonce"], NONCE);
        assert_eq!(from_code["sub"], claims["sub"]);
        assert_eq!(from_code.get("c_hash"), None);
    }
}

#[tokio::test]
async fn a_web_site_gets_code_and_id_token_in_a_form() {
    let tenant = TestTenant::start().await;
    let form = sign_in("code id_token").with("response_mode", "form_post");
    let answer = tenant.pick(CONTOSO, &form, "uma").await;
    answer.assert_page("Going back to the app");
    let claims = TestTenant::claims(&answer.hidden_input("id_token").unwrap());
    assert_eq!(claims["nonce"], NONCE);
    let code = answer.hidden_input("code").unwrap();
    let answer = WEB.ask(&tenant, &WEB.redemption(&code)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn an_id_token_needs_a_nonce() {
    let tenant = TestTenant::start().await;
    for response_type in ["id_token", "code id_token"] {
        let form = sign_in(response_type).without("nonce");
        let answer = tenant.authorize(CONTOSO, &form).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.body);
        assert_eq!(answer.location().query(), None);
        assert_eq!(answer.fragment_parameter("error").as_deref(), Some("invalid_request"));
        let description = answer.fragment_parameter("error_description").unwrap();
        assert!(description.starts_with("AADSTS900144: "), "{description}");
        assert!(description.contains("'nonce'"), "{description}");
    }
}

#[tokio::test]
async fn an_id_token_is_never_sent_in_the_query() {
    let tenant = TestTenant::start().await;
    for response_type in ["id_token", "code id_token"] {
        let form = sign_in(response_type).with("response_mode", "query");
        for answer in
            [tenant.authorize(CONTOSO, &form).await, tenant.pick(CONTOSO, &form, "uma").await]
        {
            assert!(answer.status.is_redirection(), "{}", answer.body);
            assert_eq!(answer.redirect_parameter("error").as_deref(), Some("invalid_request"));
            let description = answer.redirect_parameter("error_description").unwrap();
            assert!(description.starts_with("AADSTS70007: "), "{description}");
            for absent in ["id_token", "code"] {
                assert_eq!(answer.redirect_parameter(absent), None, "{absent}");
                assert_eq!(answer.fragment_parameter(absent), None, "{absent}");
            }
        }
    }
}

#[tokio::test]
async fn id_tokens_at_authorize_must_be_enabled_for_the_app() {
    let tenant = TestTenant::start().await;
    for response_type in ["id_token", "code id_token", "id_token token", "token", "code token"] {
        let form = Form::authorization()
            .with("client_id", SWAGGER_UI_CLIENT_ID)
            .with("response_type", response_type)
            .with("nonce", NONCE);
        let answer = tenant.authorize(CONTOSO, &form).await;
        answer.assert_redirected_refusal("unsupported_response_type", 700_054);
        assert!(answer.location().as_str().starts_with(REDIRECT_URI));
    }
    // The authorization endpoint never issues access tokens.
    for response_type in ["token", "id_token token", "code id_token token"] {
        let answer = tenant.authorize(CONTOSO, &sign_in(response_type)).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.body);
        let description = answer.redirect_parameter("error_description").unwrap();
        assert!(description.starts_with("AADSTS700054: "), "{description}");
    }
}
