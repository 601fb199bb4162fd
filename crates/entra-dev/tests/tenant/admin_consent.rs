//! The endpoint at which an administrator consents for everybody.

use entra_dev::ids::CONTOSO;
use reqwest::StatusCode;

use crate::support::{Answer, CHALLENGE, Form, TestTenant};

const ENTRIES: &str = r#"
[[apps]]
client_id = "a1000000-0000-4000-8000-000000000003"
name = "Stock API"
tenant = "Contoso"
admin_scopes = ["order"]

[[apps]]
client_id = "a1000000-0000-4000-8000-000000000004"
name = "Stock app"
tenant = "Contoso"
consent_required = true
redirect_uris.native = ["http://localhost/stock"]
"#;

const REDIRECT_URI: &str = "http://localhost:5000/stock";
const SCOPE: &str = "api://a1000000-0000-4000-8000-000000000003/order";

fn form() -> Form {
    Form::empty()
        .with("client_id", "a1000000-0000-4000-8000-000000000004")
        .with("redirect_uri", REDIRECT_URI)
        .with("scope", SCOPE)
        .with("state", "a b")
}

fn sign_in() -> Form {
    form()
        .with("response_type", "code")
        .with("code_challenge", CHALLENGE)
        .with("code_challenge_method", "S256")
}

#[tokio::test]
async fn consent_of_an_administrator_counts_for_everybody() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    tenant.pick(CONTOSO, &sign_in(), "uma").await.assert_page_refusal(90094);

    let url = tenant.url(&format!("/{CONTOSO}/v2.0/adminconsent"));
    let page = tenant.get(&format!("/{CONTOSO}/v2.0/adminconsent?{}", form().encoded())).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("Stock app") && page.body.contains("ada@contoso.example"));
    let press = |form: Form| Answer::of(form.on(tenant.browser.post(&url)));
    press(form().with("account", "uma")).await.assert_page_refusal(90094);
    let asked = press(form().with("account", "ada")).await;
    assert_eq!(asked.status, StatusCode::OK);
    assert!(asked.body.contains("on behalf of everybody"));
    let answer = press(form().with("account", "ada").with("consent", "accept")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.location().as_str().starts_with(REDIRECT_URI));
    for (name, value) in
        [("admin_consent", "True"), ("tenant", CONTOSO), ("scope", SCOPE), ("state", "a b")]
    {
        assert_eq!(answer.redirect_parameter(name).as_deref(), Some(value), "{name}");
    }

    let answer = tenant.pick(CONTOSO, &sign_in(), "uma").await;
    assert!(answer.redirect_parameter("code").is_some(), "{}", answer.body);
}

#[tokio::test]
async fn an_administrator_who_cancels_consents_to_nothing() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let url = tenant.url(&format!("/{CONTOSO}/v2.0/adminconsent"));
    let form = form().with("account", "ada").with("consent", "cancel");
    let answer = Answer::of(form.on(tenant.browser.post(url))).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.redirect_parameter("error").as_deref(), Some("permission_denied"));
    assert!(answer.redirect_parameter("error_description").unwrap().starts_with("AADSTS65004: "));
    assert_eq!(answer.redirect_parameter("state").as_deref(), Some("a b"));
    tenant.pick(CONTOSO, &sign_in(), "uma").await.assert_page_refusal(90094);
}

#[tokio::test]
async fn admin_consent_redirects_to_registered_uris_only() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    for uri in ["https://evil.example/", "http://localhost:5000/other", "//evil.example"] {
        let form = form().with("redirect_uri", uri);
        let path = format!("/{CONTOSO}/v2.0/adminconsent?{}", form.encoded());
        tenant.get(&path).await.assert_page_refusal(50011);
    }
}
