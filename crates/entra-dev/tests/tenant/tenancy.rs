//! Single-tenant and multi-tenant apps.

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, FABRIKAM, SWAGGER_UI_CLIENT_ID};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    Answer, Browser, Form, NATIVE, SINGLE_PAGE, TestTenant, api_scope, claims, client_credentials,
    text,
};

const LOCAL_API: &str = "f0000000-0000-4000-8000-000000000001";
const TRAVELLING_JOB: &str = "f0000000-0000-4000-8000-000000000003";
const LOCAL_SCOPE: &str = "api://f0000000-0000-4000-8000-000000000001/read";

/// A single-tenant API of Contoso, and a client and a daemon of Fabrikam.
const ENTRIES: &str = r#"
[[apps]]
client_id = "f0000000-0000-4000-8000-000000000001"
name = "Local API"
tenant = "Contoso"
single_tenant = true
scopes = ["read"]
app_roles = ["Reader", "Job"]

[[people]]
name = "ria"
display_name = "Ria Reed"
sign_in_name = "ria@contoso.example"
oid = "f0000000-0000-4000-8000-000000000002"
tenant = "Contoso"
roles = { "Local API" = ["Reader"] }

[[apps]]
client_id = "f0000000-0000-4000-8000-000000000003"
name = "Travelling job"
tenant = "Fabrikam"
added_to = ["Contoso", "Personal accounts"]
secrets = ["job-secret"]
permissions = { "Local API" = ["Job"] }
"#;

fn asking_for(scope: &str) -> Form {
    Form::authorization().with("scope", scope)
}

#[tokio::test]
async fn people_of_other_tenants_can_use_a_multi_tenant_app() {
    let tenant = TestTenant::start().await;
    let answer = tenant.sign_in(FABRIKAM, &Form::authorization(), "tia").await;
    let claims = claims(&answer, "access_token");
    let told = |name: &str| claims[name].clone();
    assert_eq!([told("aud"), told("azp")], [json!(API_CLIENT_ID), json!(SWAGGER_UI_CLIENT_ID)]);
    assert_eq!([told("tid"), told("roles")], [json!(FABRIKAM), json!(["Admin"])]);
    assert_eq!(claims["iss"], tenant.url(&format!("/{FABRIKAM}/v2.0")));
}

#[tokio::test]
async fn a_single_tenant_api_assigns_roles_in_its_tenant() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    for authority in [CONTOSO, "contoso.example", "common", "organizations"] {
        let answer = tenant.sign_in(authority, &asking_for(LOCAL_SCOPE), "ria").await;
        assert_eq!(claims(&answer, "access_token")["roles"], json!(["Reader"]), "{authority}");
    }
    // An app of another tenant can have a role at it, in the tenant that knows the API.
    let form = client_credentials(TRAVELLING_JOB, "job-secret", &format!("{LOCAL_API}/.default"));
    let token = tenant.post("token", &form).await.token("access_token");
    let claims: Value = TestTenant::claims(&token);
    assert_eq!((&claims["roles"], &claims["tid"]), (&json!(["Job"]), &json!(CONTOSO)));
}

#[tokio::test]
async fn a_single_tenant_api_is_unknown_at_other_authorities() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let by_id = format!("{LOCAL_API}/.default");
    for authority in [FABRIKAM, "fabrikam.example", "consumers"] {
        for scope in [LOCAL_SCOPE, &by_id, &format!("{} {LOCAL_SCOPE}", api_scope())] {
            let answer = tenant.authorize(authority, &asking_for(scope)).await;
            answer.assert_redirected_refusal("invalid_resource", 500_011);
        }
        let daemon = client_credentials(TRAVELLING_JOB, "job-secret", &by_id);
        let device = Form::empty().with("client_id", NATIVE.client_id).with("scope", LOCAL_SCOPE);
        for (endpoint, form) in [("token", daemon), ("devicecode", device)] {
            let url = tenant.url(&format!("/{authority}/oauth2/v2.0/{endpoint}"));
            let answer = Answer::of(form.on(tenant.browser.post(url))).await;
            answer.assert_refusal(400, "invalid_resource", 500_011);
        }
    }
}

#[tokio::test]
async fn people_of_other_tenants_cannot_use_a_single_tenant_api() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    for (authority, account) in [("common", "tia"), ("organizations", "tia"), ("common", "pia")] {
        // The tenant is known after an account is picked.
        let form = asking_for(LOCAL_SCOPE);
        tenant.pick(authority, &form, account).await.assert_page_refusal(500_011);
        let browser = Browser::new(&tenant);
        let signed_in = browser.pick(authority, &Form::authorization(), account).await;
        signed_in.assert_code(StatusCode::SEE_OTHER);
        let answer = browser.authorize(authority, &form.with("prompt", "none")).await;
        answer.assert_redirected_refusal("invalid_resource", 500_011);
    }
    // A refresh token gives no access to it either.
    let scope = format!("{} offline_access", api_scope());
    let answer = tenant.sign_in("common", &asking_for(&scope), "tia").await;
    let renewal = SINGLE_PAGE.renewal(&text(&answer, "refresh_token")).without("client_secret");
    let renewed = tenant.redeem("common", &renewal).await;
    assert_eq!(renewed.status, StatusCode::OK, "{}", renewed.body);
    let answer = tenant.redeem("common", &renewal.with("scope", LOCAL_SCOPE)).await;
    answer.assert_refusal(400, "invalid_resource", 500_011);
    // Neither does an on-behalf-of call.
    let answer = tenant.sign_in("common", &Form::authorization(), "tia").await;
    let form = Form::empty()
        .with("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .with("client_id", API_CLIENT_ID)
        .with("client_secret", "api-secret")
        .with("requested_token_use", "on_behalf_of")
        .with("assertion", &text(&answer, "access_token"))
        .with("scope", LOCAL_SCOPE);
    let answer = Answer::of(form.on(tenant.token_request("common"))).await;
    answer.assert_refusal(400, "invalid_resource", 500_011);
}

#[tokio::test]
async fn device_users_of_other_tenants_cannot_use_the_api() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let form = Form::empty().with("client_id", NATIVE.client_id).with("scope", LOCAL_SCOPE);
    let url = tenant.url("/common/oauth2/v2.0/devicecode");
    let codes = Answer::of(form.on(tenant.browser.post(url))).await.json();
    let url = tenant.url("/common/oauth2/deviceauth");
    let answer = Form::empty().with("user_code", &text(&codes, "user_code"));
    let answer = answer.with("account", "tia");
    Answer::of(answer.on(tenant.browser.post(&url))).await.assert_page_refusal(500_011);
    let answer = answer.with("account", "ria");
    let page = Answer::of(answer.on(tenant.browser.post(&url))).await;
    page.assert_page("You have signed in");
}

#[tokio::test]
async fn administrators_of_other_tenants_cannot_consent() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let form = asking_for(LOCAL_SCOPE).with("account", "tia").with("consent", "accept");
    for authority in [FABRIKAM, "common"] {
        let url = tenant.url(&format!("/{authority}/v2.0/adminconsent"));
        Answer::of(form.on(tenant.browser.post(url))).await.assert_page_refusal(500_011);
    }
}
