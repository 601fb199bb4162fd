//! The case of scopes, which does not matter at Entra.

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET};
use reqwest::StatusCode;

use crate::support::{
    Answer, Form, MANY_SCOPES, MANY_SCOPES_ENTRIES, NATIVE, PLANNER_ENTRIES, SINGLE_PAGE,
    TestTenant, WEB, client_credentials, on_behalf_of, planner_requests,
};

/// The response has the registered spelling, with which MSAL finds the token in its cache.
#[tokio::test]
async fn the_case_of_scopes_does_not_matter() {
    let tenant = TestTenant::start_having(MANY_SCOPES_ENTRIES).await;
    for (asked, scope, scp) in [
        ("user.read", "User.Read", "User.Read"),
        (
            "HTTPS://graph.microsoft.com/USER.READ",
            "https://graph.microsoft.com/User.Read",
            "User.Read",
        ),
        ("OpenID PROFILE Email", "openid profile email", "openid profile email"),
        ("User.Read user.read openid OPENID", "User.Read openid", "User.Read openid"),
        ("{}/Read {}/WRITE {}/read", "{}/read {}/write", "read write"),
        ("API://C0000000-0000-4000-8000-000000000001/share", "{}/share", "share"),
        (
            "C0000000-0000-4000-8000-000000000001/Share",
            "c0000000-0000-4000-8000-000000000001/share",
            "share",
        ),
        ("{}/.DEFAULT", "{}/.default", "read write share"),
        ("{}//Read", "{}//read", "read"),
    ] {
        let asked = asked.replace("{}", MANY_SCOPES);
        let form = Form::authorization().with("scope", &asked);
        let answer = tenant.sign_in(CONTOSO, &form, "ada").await;
        assert_eq!(answer["scope"], scope.replace("{}", MANY_SCOPES), "{asked}");
        let claims = TestTenant::claims(answer["access_token"].as_str().unwrap());
        assert_eq!(claims["scp"], scp, "{asked}");
    }
    let form = Form::authorization().with("scope", "OpenId OFFLINE_ACCESS eMail");
    let answer = tenant.sign_in(CONTOSO, &form, "ada").await;
    assert!(answer["refresh_token"].is_string() && answer["id_token"].is_string(), "{answer}");
    let id = TestTenant::claims(answer["id_token"].as_str().unwrap());
    assert_eq!(id["email"], "ada@contoso.example");
}

#[tokio::test]
async fn the_case_of_scopes_matters_at_no_endpoint() {
    let tenant = TestTenant::start_having(MANY_SCOPES_ENTRIES).await;
    let asked = format!("{MANY_SCOPES}/READ OFFLINE_access");
    let granted = format!("{MANY_SCOPES}/read");
    let code = tenant.code("uma").await;
    let form = Form::redemption(&code).with("scope", &asked);
    let answer = tenant.redeem(CONTOSO, &form).await.json();
    assert_eq!(answer["scope"], granted);
    let form = SINGLE_PAGE.renewal(answer["refresh_token"].as_str().unwrap());
    let form = form.without("client_secret").with("scope", &asked);
    assert_eq!(tenant.redeem(CONTOSO, &form).await.json()["scope"], granted);
    let form = on_behalf_of(&uma(&tenant), &asked);
    assert_eq!(tenant.post("token", &form).await.json()["scope"], granted);
    let default = format!("{API_CLIENT_ID}/.Default");
    let form = client_credentials(DAEMON_CLIENT_ID, DAEMON_SECRET, &default);
    assert_eq!(tenant.post("token", &form).await.status, 200);

    let codes = tenant.post("devicecode", &device(&asked)).await.json();
    let form = Form::empty().with("user_code", codes["user_code"].as_str().unwrap());
    let page = tenant.url(&format!("/{CONTOSO}/oauth2/deviceauth"));
    let answer = Answer::of(form.with("account", "uma").on(tenant.browser.post(page))).await;
    answer.assert_page("You have signed in");
    let form = Form::empty()
        .with("grant_type", "device_code")
        .with("client_id", NATIVE.client_id)
        .with("device_code", codes["device_code"].as_str().unwrap());
    assert_eq!(NATIVE.ask(&tenant, &form).await.json()["scope"], granted);

    let form = WEB.authorization(&asked).with("account", "ada").with("consent", "accept");
    let url = tenant.url(&format!("/{CONTOSO}/v2.0/adminconsent"));
    let answer = Answer::of(form.on(tenant.browser.post(url))).await;
    let consented = format!("{granted} offline_access");
    assert_eq!(answer.redirect_parameter("scope"), Some(consented));
}

/// Consent for a scope counts for each spelling of it.
#[tokio::test]
async fn consent_ignores_the_case_of_scopes() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let asking = |scope: &str| planner_requests(&format!("{scope} openid"));
    let url = tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/authorize"));
    let form = asking("api://calendar/Read").with("account", "uma").with("consent", "accept");
    Answer::of(form.on(tenant.browser.post(url))).await.assert_code(StatusCode::SEE_OTHER);
    for scope in ["api://calendar/read", "API://Calendar/READ"] {
        let answer = tenant.pick(CONTOSO, &asking(scope), "uma").await;
        answer.assert_code(StatusCode::SEE_OTHER);
    }
}

fn uma(tenant: &TestTenant) -> String {
    tenant.tenant.access_token("uma").unwrap()
}

fn device(scope: &str) -> Form {
    Form::empty().with("client_id", NATIVE.client_id).with("scope", scope)
}
