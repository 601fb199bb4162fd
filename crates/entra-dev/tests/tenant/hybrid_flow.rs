//! ID tokens of the authorization endpoint (OpenID Connect Core, sections 3.2 and 3.3).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use entra_dev::ids::CONTOSO;
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

/// Each response type that Swagger UI, which gets only codes, may not request, and the number of
/// the error. The first type that is not enabled decides.
const REFUSED: [(&str, &str); 8] = [
    ("id_token", "AADSTS700054: "),
    ("code id_token", "AADSTS700054: "),
    ("id_token token", "AADSTS700054: "),
    ("token", "AADSTS700051: "),
    ("code token", "AADSTS700051: "),
    ("token id_token", "AADSTS700051: "),
    ("none", "AADSTS700054: "),
    ("code  id_token", "AADSTS700054: "),
];

#[tokio::test]
async fn a_type_that_is_not_enabled_is_refused_in_the_requested_mode() {
    let tenant = TestTenant::start().await;
    for (response_type, number) in REFUSED {
        let form = Form::authorization().with("response_type", response_type).with("nonce", NONCE);
        for mode in ["query", "fragment", "form_post"] {
            let form = form.clone().with("response_mode", mode);
            let answer = tenant.authorize(CONTOSO, &form).await;
            let told = |name: &str| match mode {
                "query" => answer.redirect_parameter(name),
                "fragment" => answer.fragment_parameter(name),
                _ => answer.hidden_input(name),
            };
            assert_eq!(told("error").as_deref(), Some("unsupported_response_type"), "{mode}");
            let description = told("error_description").unwrap();
            assert!(description.starts_with(number), "{response_type}, {mode}: {description}");
            assert_eq!(told("state").as_deref(), Some("VHVlIE5vdiAyNA=="), "{mode}");
        }
    }
    // So is a request without a type.
    let form = Form::authorization().without("response_type").with("response_mode", "form_post");
    let answer = tenant.authorize(CONTOSO, &form).await;
    let description = answer.hidden_input("error_description").unwrap();
    assert!(description.starts_with("AADSTS900144: "), "{description}");
}

#[tokio::test]
async fn without_a_mode_the_fragment_is_used_for_tokens() {
    let tenant = TestTenant::start().await;
    for (response_type, number) in REFUSED {
        let form = Form::authorization().with("response_type", response_type);
        // The last mode is unknown.
        for form in [form.clone(), form.with("response_mode", "pigeon")] {
            let answer = tenant.authorize(CONTOSO, &form).await;
            assert!(answer.location().as_str().starts_with(REDIRECT_URI));
            let name = "error_description";
            let told = [answer.redirect_parameter(name), answer.fragment_parameter(name)];
            let [Some(description), None] = (match response_type.contains("token") {
                true => [told[1].clone(), told[0].clone()],
                false => told,
            }) else {
                panic!("{response_type}: {}", answer.location())
            };
            assert!(description.starts_with(number), "{response_type}: {description}");
        }
    }
}

#[tokio::test]
async fn the_authorization_endpoint_issues_no_access_tokens() {
    let tenant = TestTenant::start().await;
    for response_type in ["token", "id_token token", "code id_token token"] {
        let answer = tenant.authorize(CONTOSO, &sign_in(response_type)).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.body);
        let description = answer.fragment_parameter("error_description").unwrap();
        assert!(description.starts_with("AADSTS700051: "), "{description}");
    }
}
