//! Consent of administrators, and assignments.

use entra_dev::{Forgery, ids::CONTOSO};
use reqwest::StatusCode;

use crate::support::{
    Browser, Form, PLANNER_ENTRIES, TestTenant, accept, between, planner_requests,
};

const PAYROLL: &str = "c5000000-0000-4000-8000-000000000001";

const WITH_ASSIGNMENTS: &str = r#"
[[apps]]
client_id = "c5000000-0000-4000-8000-000000000001"
name = "Payroll"
tenant = "Contoso"
assignment_required = true
scopes = ["pay"]
app_roles = ["Clerk"]
redirect_uris.spa = ["http://localhost:8000/oauth2-redirect"]

[[people]]
name = "cleo"
display_name = "Cleo Clark"
sign_in_name = "cleo@contoso.example"
oid = "c5000000-0000-4000-8000-000000000002"
tenant = "Contoso"
roles = { "Payroll" = ["Clerk"] }

[[people]]
name = "carl"
display_name = "Carl Crane"
sign_in_name = "carl@contoso.example"
oid = "c5000000-0000-4000-8000-000000000003"
tenant = "Contoso"
roles = { "Payroll" = [] }
"#;

const KIOSK: &str = "c5000000-0000-4000-8000-000000000004";

const WITH_DEVICES: &str = r#"
[[apps]]
client_id = "c5000000-0000-4000-8000-000000000004"
name = "Kiosk"
tenant = "Contoso"
consent_required = true
public_client = true
scopes = ["sell"]
secrets = ["kiosk-secret"]
"#;

#[tokio::test]
async fn some_permissions_need_an_administrator() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    for scope in ["api://calendar/manage", "api://calendar/read api://calendar/manage"] {
        let form = planner_requests(scope);
        browser.pick(CONTOSO, &form, "uma").await.assert_page_refusal(90094);
        accept(&browser, &form, "uma").await.assert_page_refusal(90094);
    }
    let form = planner_requests("api://calendar/manage");
    browser.pick(CONTOSO, &form, "ada").await.assert_page("Permissions requested");
    accept(&browser, &form, "ada").await.assert_code(StatusCode::SEE_OTHER);
    // She consents only for herself.
    browser.pick(CONTOSO, &form, "ada").await.assert_code(StatusCode::SEE_OTHER);
    browser.pick(CONTOSO, &form, "uma").await.assert_page_refusal(90094);
}

#[tokio::test]
async fn an_administrator_consents_for_everybody_in_the_tenant() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    let form = planner_requests("api://calendar/read api://calendar/manage");
    let page = browser.pick(CONTOSO, &form, "ada").await;
    page.assert_page("Permissions requested");
    assert!(page.body.contains("<input type=\"checkbox\" name=\"for_everybody\" value=\"1\">"));
    let for_everybody = form.clone().with("for_everybody", "1");
    accept(&browser, &for_everybody, "ada").await.assert_code(StatusCode::SEE_OTHER);
    for account in ["ada", "uma", "gus"] {
        browser.pick(CONTOSO, &form, account).await.assert_code(StatusCode::SEE_OTHER);
    }
    browser.pick("common", &form, "tia").await.assert_page("Permissions requested");
    browser.pick("common", &form, "pia").await.assert_page_refusal(90094);
}

#[tokio::test]
async fn only_administrators_consent_for_everybody() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    let form = planner_requests("api://calendar/read");
    let page = browser.pick(CONTOSO, &form, "uma").await;
    page.assert_page("Permissions requested");
    assert!(!page.body.contains("for_everybody"), "{}", page.body);
    let for_everybody = form.clone().with("for_everybody", "1");
    accept(&browser, &for_everybody, "uma").await.assert_code(StatusCode::SEE_OTHER);
    browser.pick(CONTOSO, &form, "uma").await.assert_code(StatusCode::SEE_OTHER);
    browser.pick(CONTOSO, &form, "ulf").await.assert_page("Permissions requested");
}

#[tokio::test]
async fn an_app_may_require_that_people_are_assigned() {
    let tenant = TestTenant::start_having(WITH_ASSIGNMENTS).await;
    let browser = Browser::new(&tenant);
    let form = Form::authorization().with("client_id", PAYROLL);
    let page = browser.authorize(CONTOSO, &form).await;
    page.assert_page("Pick an account");
    let people: Vec<_> =
        between(&page.body, "<button type=\"submit\" name=\"account\"", "</li>").collect();
    assert!(people.len() > 2, "{}", page.body);
    for person in people {
        let assigned = person.contains("cleo@") || person.contains("carl@");
        assert_eq!(person.contains("not assigned to this app"), !assigned, "{person}");
    }
    for account in ["ada", "uma"] {
        let answer = browser.pick(CONTOSO, &form, account).await;
        answer.assert_page_refusal(50105);
        assert_eq!(answer.header("set-cookie"), None);
    }
    for account in ["cleo", "carl"] {
        browser.pick(CONTOSO, &form, account).await.assert_code(StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn an_api_may_require_that_people_are_assigned() {
    let tenant = TestTenant::start_having(WITH_ASSIGNMENTS).await;
    let form = Form::authorization().with("scope", &format!("api://{PAYROLL}/pay"));
    let code = tenant.code_for(CONTOSO, &form, "ada").await;
    let answer = tenant.redeem(CONTOSO, &Form::redemption(&code)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    assert_eq!(answer.json()["error_codes"], serde_json::json!([50105]));
    let body = tenant.sign_in(CONTOSO, &form, "cleo").await;
    let claims = TestTenant::claims(body["access_token"].as_str().unwrap());
    assert_eq!(claims["roles"], serde_json::json!(["Clerk"]));
}

#[tokio::test]
async fn devices_and_on_behalf_of_calls_need_consent_too() {
    let tenant = TestTenant::start_having(&format!("{PLANNER_ENTRIES}\n{WITH_DEVICES}")).await;
    let browser = Browser::new(&tenant);
    let asked = Form::empty().with("client_id", KIOSK).with("scope", "api://calendar/read");
    let path = format!("/{CONTOSO}/oauth2/v2.0/devicecode");
    let codes = browser.post(&path, &asked).await.json();
    let device = format!("/{CONTOSO}/oauth2/deviceauth");
    let form = Form::empty().with("user_code", codes["user_code"].as_str().unwrap());
    let form = form.with("account", "uma");
    browser.post(&device, &form).await.assert_page("Permissions requested");
    let form = form.with("consent", "accept");
    browser.post(&device, &form).await.assert_page("You have signed in");

    let exchange = Form::empty()
        .with("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .with("client_id", KIOSK)
        .with("client_secret", "kiosk-secret")
        .with("requested_token_use", "on_behalf_of");
    let mut forgery = Forgery::of("uma");
    forgery.resource = Some(KIOSK.to_owned());
    let exchange = exchange.with("assertion", &tenant.tenant.forge(&forgery).unwrap());
    for (scope, status) in [("api://calendar/read", 200), ("api://calendar/write", 400)] {
        let form = exchange.clone().with("scope", scope);
        let answer = browser.post(&format!("/{CONTOSO}/oauth2/v2.0/token"), &form).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let suberror = (status == 400).then_some("consent_required");
        assert_eq!(answer.json()["suberror"].as_str(), suberror, "{}", answer.body);
    }
}
