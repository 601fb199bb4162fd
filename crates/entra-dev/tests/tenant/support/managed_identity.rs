//! Requests for tokens of managed identities.

use entra_dev::ids::{API_CLIENT_ID, CONTOSO};
use reqwest::StatusCode;

use super::{Answer, Form, TestTenant};

pub(crate) const WORKER: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
pub(crate) const MAINTENANCE: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
/// The default value of `X-IDENTITY-HEADER`.
pub(crate) const IDENTITY_HEADER: &str = "dev-identity-header";

/// An identity without app roles, an API of version 1 that asks for all claims, and an API that
/// requires an assignment.
pub(crate) const IDENTITY_ENTRIES: &str = r#"
[[apps]]
client_id = "f2000000-0000-4000-8000-000000000001"
name = "Simple"
tenant = "Contoso"
managed_identity = "user-assigned"
resource_id = "/subscriptions/s/resourcegroups/g/providers/p/simple"

[[apps]]
client_id = "f2000000-0000-4000-8000-000000000002"
name = "Resource manager"
tenant = "Contoso"
app_id_uri = "https://management.azure.example"
access_token_version = 1
app_roles = ["Reader"]
optional_claims = ["idtyp", "xms_mirid", "xms_cc"]

[[apps]]
client_id = "f2000000-0000-4000-8000-000000000003"
name = "Closed API"
tenant = "Contoso"
app_roles = ["Reader"]
assignment_required = true

[[apps]]
client_id = "f2000000-0000-4000-8000-000000000004"
name = "Home API"
tenant = "Fabrikam"
single_tenant = true
scopes = ["read"]
"#;

pub(crate) fn todo_api() -> String {
    format!("api://{API_CLIENT_ID}")
}

pub(crate) fn app_service(resource: &str) -> Form {
    Form::empty().with("api-version", "2019-08-01").with("resource", resource)
}

pub(crate) fn imds(resource: &str) -> Form {
    Form::empty().with("api-version", "2018-02-01").with("resource", resource)
}

pub(crate) async fn ask_app_service(tenant: &TestTenant, form: &Form) -> Answer {
    ask_identity(
        tenant,
        &format!("/{CONTOSO}/msi/token"),
        form,
        &[("x-identity-header", IDENTITY_HEADER)],
    )
    .await
}

pub(crate) async fn ask_imds(tenant: &TestTenant, form: &Form) -> Answer {
    ask_identity(tenant, "/metadata/identity/oauth2/token", form, &[("metadata", "true")]).await
}

pub(crate) async fn ask_identity(
    tenant: &TestTenant,
    path: &str,
    form: &Form,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = tenant.browser.get(tenant.url(&format!("{path}?{}", form.encoded())));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await
}

#[track_caller]
pub(crate) fn assert_members(answer: &Answer, members: &[&str]) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    let named: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(named, members, "{body}");
    assert!(members.iter().all(|name| body[*name].is_string()), "{body}");
}

/// Asserts that this is an error of App Service with this text.
#[track_caller]
pub(crate) fn assert_app_service_error(answer: &Answer, status: u16, text: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let body = answer.json();
    assert_eq!(body["statusCode"], status, "{body}");
    assert!(body["message"].as_str().unwrap().contains(text), "{text}: {body}");
    assert_eq!(body["correlationId"].as_str().unwrap().len(), 36, "{body}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// Asserts that this is an error of IMDS with this text.
#[track_caller]
pub(crate) fn assert_imds_error(answer: &Answer, error: &str, text: &str) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    let body = answer.json();
    assert_eq!(body["error"], error, "{body}");
    assert!(body["error_description"].as_str().unwrap().contains(text), "{text}: {body}");
}
