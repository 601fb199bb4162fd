//! Redirect URIs on `https://localhost`, as in the templates of ASP.NET.

use entra_dev::ids::CONTOSO;
use reqwest::StatusCode;

use crate::support::{Answer, Form, Program, TestTenant, WEB, api_scope, text};

/// The site on some port, with this scheme.
fn site(redirect_uri: &'static str) -> Program {
    Program { redirect_uri, ..WEB }
}

#[tokio::test]
async fn an_aspnet_site_signs_in_on_any_port_with_https() {
    let tenant = TestTenant::start().await;
    for redirect_uri in [
        "https://localhost:7123/signin-oidc",
        "https://localhost:5001/signin-oidc",
        "https://localhost/signin-oidc",
        "http://localhost:5000/signin-oidc",
    ] {
        let site = site(redirect_uri);
        let answer = site.sign_in(&tenant, &api_scope(), "uma").await;
        assert!(answer["access_token"].is_string(), "{redirect_uri}");
        // Hybrid: code and ID token by form, as the template of ASP.NET requests them.
        let form = site
            .authorization(&format!("openid {}", api_scope()))
            .with("response_type", "code id_token")
            .with("response_mode", "form_post")
            .with("nonce", "n-0S6_WzA2Mj");
        let answer = tenant.pick(CONTOSO, &form, "uma").await;
        assert!(answer.body.contains(&format!("action=\"{redirect_uri}\"")), "{}", answer.body);
        let code = answer.hidden_input("code").unwrap();
        let answer = site.ask(&tenant, &site.redemption(&code)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
}

#[tokio::test]
async fn the_rest_of_an_https_localhost_uri_is_compared() {
    let tenant = TestTenant::start().await;
    for redirect_uri in [
        "https://localhost:7123/signin-oidc/",
        "https://localhost:7123/Signin-oidc",
        "https://localhost:7123/auth/callback",
        "https://127.0.0.1:7123/signin-oidc",
        "https://localhost.evil.example/signin-oidc",
        "https://localhost:7123@evil.example/signin-oidc",
    ] {
        let form = site(redirect_uri).authorization(&api_scope());
        tenant.authorize(CONTOSO, &form).await.assert_page_refusal(50011);
        let url = tenant.url(&format!("/{CONTOSO}/v2.0/adminconsent"));
        Answer::of(form.on(tenant.browser.post(url))).await.assert_page_refusal(50011);
        let redemption = site(redirect_uri).redemption("x");
        WEB.ask(&tenant, &redemption).await.assert_refusal(400, "invalid_request", 50011);
    }
}

/// Scripts, too, may be served over HTTPS on any port.
#[tokio::test]
async fn a_single_page_app_is_served_on_any_port_with_https() {
    let tenant = TestTenant::start_having(SHOP).await;
    for (redirect_uri, origin) in [
        ("https://localhost:4200/", "https://localhost:4200"),
        ("https://localhost", "https://localhost"),
    ] {
        let shop = Program { redirect_uri, origin: Some(origin), client_id: SHOP_ID, secret: None };
        let code = tenant.code_for(CONTOSO, &shop.authorization(&api_scope()), "uma").await;
        let redemption = shop.redemption(&code).without("client_secret");
        let answer = shop.ask(&tenant, &redemption).await;
        assert_eq!(answer.status, StatusCode::OK, "{origin}: {}", answer.body);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
}

const SHOP_ID: &str = "a1000000-0000-4000-8000-000000000001";

const SHOP: &str = r#"
[[apps]]
client_id = "a1000000-0000-4000-8000-000000000001"
name = "Shop"
tenant = "Contoso"
redirect_uris.spa = ["https://localhost/"]
"#;

/// The code is bound to the port that it was sent to.
#[tokio::test]
async fn a_code_is_redeemed_with_the_same_port() {
    let tenant = TestTenant::start().await;
    let site = site("https://localhost:7123/signin-oidc");
    let code = tenant.code_for(CONTOSO, &site.authorization(&api_scope()), "uma").await;
    let elsewhere = site.redemption(&code).with("redirect_uri", "https://localhost/signin-oidc");
    site.ask(&tenant, &elsewhere).await.assert_refusal(400, "invalid_grant", 500_112);
    let answer = site.ask(&tenant, &site.redemption(&code)).await;
    assert!(!text(&answer.json(), "access_token").is_empty());
}

#[tokio::test]
async fn an_aspnet_site_signs_out_on_any_port() {
    let tenant = TestTenant::start().await;
    for uri in [
        "https://localhost:7123/signout-callback-oidc",
        "http://localhost:5000/signout-callback-oidc",
    ] {
        let form = Form::empty().with("post_logout_redirect_uri", uri);
        let path = format!("/{CONTOSO}/oauth2/v2.0/logout?{}", form.encoded());
        let answer = tenant.get(&path).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.body);
        assert_eq!(answer.location().as_str(), uri);
    }
}
