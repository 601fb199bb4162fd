//! Managed identities: the protocols of App Service and IMDS.

use entra_dev::{
    Options,
    ids::{API_CLIENT_ID, CONTOSO, FABRIKAM},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Form, NOW, TestTenant, claims, shared_keys, text};

const WORKER: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const MAINTENANCE: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const SIMPLE: &str = "f2000000-0000-4000-8000-000000000001";
const MIRID: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/development\
                     /providers/Microsoft.ManagedIdentity/userAssignedIdentities/Todo-maintenance";
const AZURE: &str = "https://management.azure.example";
const SECRET: &str = "dev-identity-header";

/// An identity without app roles, an API of version 1 that asks for all claims, and an API that
/// requires an assignment.
const ENTRIES: &str = r#"
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

fn api() -> String {
    format!("api://{API_CLIENT_ID}")
}

fn app_service(resource: &str) -> Form {
    Form::empty().with("api-version", "2019-08-01").with("resource", resource)
}

fn imds(resource: &str) -> Form {
    Form::empty().with("api-version", "2018-02-01").with("resource", resource)
}

async fn ask_app_service(tenant: &TestTenant, form: &Form) -> Answer {
    ask(tenant, &format!("/{CONTOSO}/msi/token"), form, &[("x-identity-header", SECRET)]).await
}

async fn ask_imds(tenant: &TestTenant, form: &Form) -> Answer {
    ask(tenant, "/metadata/identity/oauth2/token", form, &[("metadata", "true")]).await
}

async fn ask(tenant: &TestTenant, path: &str, form: &Form, headers: &[(&str, &str)]) -> Answer {
    let mut request = tenant.browser.get(tenant.url(&format!("{path}?{}", form.encoded())));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request).await
}

#[track_caller]
fn assert_members(answer: &Answer, members: &[&str]) {
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
fn assert_app_service_error(answer: &Answer, status: u16, text: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let body = answer.json();
    assert_eq!(body["statusCode"], status, "{body}");
    assert!(body["message"].as_str().unwrap().contains(text), "{text}: {body}");
    assert_eq!(body["correlationId"].as_str().unwrap().len(), 36, "{body}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

/// Asserts that this is an error of IMDS with this text.
#[track_caller]
fn assert_imds_error(answer: &Answer, error: &str, text: &str) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    let body = answer.json();
    assert_eq!(body["error"], error, "{body}");
    assert!(body["error_description"].as_str().unwrap().contains(text), "{text}: {body}");
}

#[tokio::test]
async fn app_service_gives_the_token_of_the_system_assigned_identity() {
    let tenant = TestTenant::start().await;
    for path in ["msi/token", "msi/token/"] {
        let path = format!("/{CONTOSO}/{path}");
        let header = [("x-identity-header", SECRET)];
        let answer = ask(&tenant, &path, &app_service(&api()), &header).await;
        let members = ["access_token", "expires_on", "resource", "token_type", "client_id"];
        assert_members(&answer, &members);
        let body = answer.json();
        assert_eq!(body["client_id"], WORKER);
        assert_eq!(body["resource"], api());
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_on"], (NOW + 86_400).to_string());
        let claims = claims(&body, "access_token");
        assert_eq!(claims["aud"], API_CLIENT_ID);
        assert_eq!(claims["azp"], WORKER);
        assert_eq!(claims["azpacr"], "2");
        assert_eq!(claims["roles"], json!(["Todos.ReadWrite.All"]));
        assert_eq!(claims["oid"], claims["sub"]);
        assert_eq!(claims["tid"], CONTOSO);
        assert_eq!(claims["ver"], "2.0");
        assert_eq!(claims["exp"], NOW + 86_400);
        for absent in ["scp", "idtyp", "xms_mirid"] {
            assert_eq!(claims[absent], Value::Null, "{claims}");
        }
    }
}

#[tokio::test]
async fn imds_gives_the_same_token_in_its_own_format() {
    let tenant = TestTenant::start().await;
    let members = [
        "access_token",
        "refresh_token",
        "expires_in",
        "expires_on",
        "not_before",
        "resource",
        "token_type",
    ];
    let answer = ask_imds(&tenant, &imds(&api())).await;
    assert_members(&answer, &members);
    let body = answer.json();
    assert_eq!(body["refresh_token"], "");
    assert_eq!(body["expires_in"], "86400");
    assert_eq!(body["expires_on"], (NOW + 86_400).to_string());
    assert_eq!(body["not_before"], NOW.to_string());
    assert_eq!(claims(&body, "access_token")["azp"], WORKER);
    // The first tenant is that of the address without a tenant.
    let path = format!("/{CONTOSO}/metadata/identity/oauth2/token");
    let answer = ask(&tenant, &path, &imds(&api()), &[("metadata", "true")]).await;
    assert_eq!(claims(&answer.json(), "access_token")["azp"], WORKER);
}

#[tokio::test]
async fn a_user_assigned_identity_is_named_by_any_of_its_ids() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let named = ask_app_service(&tenant, &app_service(&api()).with("client_id", MAINTENANCE)).await;
    let oid = text(&claims(&named.json(), "access_token"), "oid");
    for (name, value) in [
        ("client_id", MAINTENANCE.to_uppercase()),
        ("principal_id", oid.clone()),
        ("object_id", oid.clone()),
        ("mi_res_id", MIRID.to_owned()),
        ("mi_res_id", MIRID.to_lowercase()),
    ] {
        let answer = ask_app_service(&tenant, &app_service(&api()).with(name, &value)).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        assert_eq!(answer.json()["client_id"], MAINTENANCE, "{name}");
    }
    let (client, principal) = (MAINTENANCE.to_owned(), oid);
    for names in [
        &[("client_id", &client)][..],
        &[("object_id", &principal)],
        &[("msi_res_id", &MIRID.to_owned())],
        &[("mi_res_id", &MIRID.to_owned())],
        &[("client_id", &client), ("msi_res_id", &MIRID.to_owned())],
    ] {
        let form = names.iter().fold(imds(&api()), |form, (name, value)| form.with(name, value));
        let answer = ask_imds(&tenant, &form).await;
        assert_eq!(answer.status, 200, "{names:?}: {}", answer.body);
        assert_eq!(claims(&answer.json(), "access_token")["azp"], MAINTENANCE, "{names:?}");
    }
    let other = imds(&api()).with("client_id", MAINTENANCE).with("object_id", SIMPLE);
    assert_imds_error(&ask_imds(&tenant, &other).await, "invalid_request", "Identity not found");
    let several = app_service(&api()).with("client_id", MAINTENANCE).with("mi_res_id", MIRID);
    let answer = ask_app_service(&tenant, &several).await;
    assert_app_service_error(&answer, 400, "Only one of client_id, principal_id, object_id");
}

#[tokio::test]
async fn an_api_gets_the_claims_that_it_asks_for_in_the_version_that_it_accepts() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    // Azure clients often add a slash.
    let form = app_service(&format!("{AZURE}/")).with("client_id", MAINTENANCE);
    let form = form.with("xms_cc", "CP1,CP2");
    let answer = ask_app_service(&tenant, &form).await;
    assert_eq!(answer.json()["resource"], format!("{AZURE}/"));
    let claims = claims(&answer.json(), "access_token");
    assert_eq!(claims["aud"], AZURE);
    assert_eq!(claims["appid"], MAINTENANCE);
    assert_eq!(claims["appidacr"], "2");
    assert_eq!(claims["idtyp"], "app");
    assert_eq!(claims["xms_mirid"], MIRID);
    assert_eq!(claims["xms_cc"], json!(["CP1", "CP2"]));
    assert_eq!(claims["ver"], "1.0");
    assert_eq!(claims["roles"], Value::Null, "it has no app role in this API");
    // An ordinary app has no Azure resource.
    let form = Form::empty()
        .with("grant_type", "client_credentials")
        .with("client_id", "55555555-5555-4555-8555-555555555555")
        .with("client_secret", "dev-secret")
        .with("scope", &format!("{AZURE}/.default"));
    let answer = tenant.post("token", &form).await;
    assert_eq!(self::claims(&answer.json(), "access_token")["xms_mirid"], Value::Null);
}

#[tokio::test]
async fn an_identity_gets_the_app_roles_that_it_has_at_this_moment() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let form = app_service(&api()).with("client_id", SIMPLE);
    let roles = async || {
        let answer = ask_app_service(&tenant, &form).await;
        claims(&answer.json(), "access_token")["roles"].clone()
    };
    assert_eq!(roles().await, Value::Null);
    let path = "/_dev/directory/apps/Simple/permissions/Todo%20API";
    let answer = tenant.post_json(path, &json!("Admin")).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(roles().await, json!(["Admin"]));
    tenant.delete("/_dev/directory/apps/Simple").await.assert_done();
    let answer = ask_app_service(&tenant, &form).await;
    assert_app_service_error(&answer, 400, "No Managed Identity found");
}

#[tokio::test]
async fn requests_without_the_protecting_header_are_refused() {
    let tenant = TestTenant::start().await;
    let path = format!("/{CONTOSO}/msi/token");
    let form = app_service(&api());
    for (headers, text) in [
        (&[][..], "is missing"),
        (&[("metadata", "true")], "is missing"),
        (&[("x-identity-header", SECRET), ("x-identity-header", SECRET)], "is missing or repeated"),
        (&[("x-identity-header", "")], "is not the value"),
        (&[("x-identity-header", "dev-identity-heade")], "is not the value"),
    ] {
        let answer = ask(&tenant, &path, &form, headers).await;
        assert_app_service_error(&answer, 401, text);
        assert!(!answer.body.contains(SECRET), "{}", answer.body);
    }
    let path = "/metadata/identity/oauth2/token";
    for (headers, text) in [
        (&[][..], "Required metadata header not specified"),
        (&[("metadata", "True")], "Required metadata header not specified"),
        (&[("metadata", "true"), ("metadata", "true")], "Required metadata header not specified"),
        (&[("x-identity-header", SECRET)], "Required metadata header not specified"),
        (&[("metadata", "true"), ("x-forwarded-for", "10.0.0.1")], "X-Forwarded-For"),
    ] {
        let answer = ask(&tenant, path, &imds(&api()), headers).await;
        assert_imds_error(&answer, "invalid_request", text);
    }
    // A page of another site would have to ask first.
    let preflight = tenant.browser.request(reqwest::Method::OPTIONS, tenant.url(path));
    let preflight = preflight.header("origin", "https://evil.example");
    let answer = Answer::of(preflight.header("access-control-request-method", "GET")).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let rebound = tenant.browser.get(tenant.url(path)).header("host", "evil.example");
    let answer = Answer::of(rebound.header("metadata", "true")).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert!(answer.body.contains("only accepts requests for localhost"), "{}", answer.body);
}

#[tokio::test]
async fn faulty_parameters_are_named() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    for (form, text) in [
        (app_service(&api()).without("api-version"), "'api-version' is missing"),
        (app_service(&api()).with("api-version", "2017-09-01"), "use '2019-08-01' or later"),
        (app_service(&api()).with("api-version", "latest"), "'latest' is not supported"),
        (app_service(&api()).and("api-version", "2019-08-01"), "'api-version' is given more"),
        (app_service("").without("resource"), "'resource' is missing"),
        (app_service(&api()).and("resource", &api()), "'resource' is given more than once"),
        (app_service(&api()).with("client_id", API_CLIENT_ID), "No Managed Identity found"),
        (app_service(&api()).with("client_id", WORKER), "No Managed Identity found"),
        (app_service(&api()).with("mi_res_id", "/subscriptions/x"), "No Managed Identity found"),
    ] {
        assert_app_service_error(&ask_app_service(&tenant, &form).await, 400, text);
    }
    for (form, error, text) in [
        (imds(&api()).without("api-version"), "invalid_request", "'api-version' is missing"),
        (
            imds(&api()).with("api-version", "2017-01-01"),
            "invalid_request",
            "'2018-02-01' or later",
        ),
        (imds(&api()).without("resource"), "invalid_request", "'resource' is missing"),
        (imds(&api()).with("client_id", API_CLIENT_ID), "invalid_request", "Identity not found"),
        (imds("https://vault.example"), "invalid_resource", "AADSTS500011: "),
        (imds("f2000000-0000-4000-8000-000000000004"), "invalid_resource", "AADSTS500011: "),
        (imds("f2000000-0000-4000-8000-000000000003"), "invalid_grant", "AADSTS501051: "),
    ] {
        assert_imds_error(&ask_imds(&tenant, &form).await, error, text);
    }
    // As in Azure, an error of Entra is an internal error of App Service.
    let answer = ask_app_service(&tenant, &app_service("https://vault.example")).await;
    assert_app_service_error(&answer, 500, "while fetching the AAD Token: AADSTS500011: ");
    let header = [("x-identity-header", SECRET)];
    for segment in ["common", "nowhere", "consumers"] {
        let path = format!("/{segment}/msi/token");
        let answer = ask(&tenant, &path, &app_service(&api()), &header).await;
        let text =
            if segment == "consumers" { "No Managed Identity" } else { "There is no tenant" };
        assert_app_service_error(&answer, 400, text);
    }
    let posted = tenant.browser.post(tenant.url(&format!("/{CONTOSO}/msi/token")));
    assert_eq!(Answer::of(posted).await.status, 405);
}

#[tokio::test]
async fn a_virtual_machine_without_a_system_assigned_identity_uses_its_only_other_one() {
    let tenant = TestTenant::start_having(ENTRIES).await;
    let apps = "/_dev/directory/apps";
    tenant.delete(&format!("{apps}/{WORKER}")).await.assert_done();
    let answer = ask_imds(&tenant, &imds(&api())).await;
    assert_imds_error(&answer, "invalid_request", "Multiple user assigned identities exist");
    tenant.delete(&format!("{apps}/{SIMPLE}")).await.assert_done();
    let answer = ask_imds(&tenant, &imds(&api())).await;
    assert_eq!(claims(&answer.json(), "access_token")["azp"], MAINTENANCE);
    let answer = ask_app_service(&tenant, &app_service(&api())).await;
    assert_app_service_error(&answer, 400, "No Managed Identity found");
    tenant.delete(&format!("{apps}/{MAINTENANCE}")).await.assert_done();
    let answer = ask_imds(&tenant, &imds(&api())).await;
    assert_imds_error(&answer, "invalid_request", "Identity not found");
}

#[tokio::test]
async fn each_tenant_has_its_own_identities() {
    let tenant = TestTenant::start().await;
    let header = [("x-identity-header", SECRET)];
    let path = format!("/{FABRIKAM}/msi/token");
    let answer = ask(&tenant, &path, &app_service(&api()), &header).await;
    assert_app_service_error(&answer, 400, "No Managed Identity found");

    let isolated = tenant.post_json("/_dev/tenants", &json!({})).await.json();
    let id = isolated["id"].as_str().unwrap();
    let apps = isolated["directory"]["apps"].as_array().unwrap();
    let named = |name: &str| apps.iter().find(|app| app["name"] == name).unwrap();
    let api = text(named("Todo API"), "client_id");
    let answer = ask(&tenant, &format!("/{id}/msi/token"), &app_service(&api), &header).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["client_id"], named("Todo worker")["client_id"]);
    assert_ne!(answer.json()["client_id"], WORKER);
    let claims = claims(&answer.json(), "access_token");
    assert_eq!(claims["tid"], id);
    assert_eq!(claims["roles"], json!(["Todos.ReadWrite.All"]));
    let audit = tenant.get_json(&format!("/_dev/tenants/{id}/audit")).await;
    assert_eq!(audit["entries"][0]["endpoint"], "managedidentity");
}

#[tokio::test]
async fn the_identity_header_can_be_chosen() {
    let identity_header = "another-header".parse().unwrap();
    let options = Options { identity_header, ..Options::ephemeral() };
    let tenant = TestTenant::start_with(shared_keys(), options).await;
    let answer = ask_app_service(&tenant, &app_service(&api())).await;
    assert_app_service_error(&answer, 401, "is not the value of IDENTITY_HEADER");
    let path = format!("/{CONTOSO}/msi/token");
    let header = [("x-identity-header", "another-header")];
    assert_eq!(ask(&tenant, &path, &app_service(&api()), &header).await.status, 200);
    for text in ["", "two words", "zwölf"] {
        let error = text.parse::<entra_dev::IdentityHeader>().unwrap_err().to_string();
        assert!(error.contains("visible ASCII characters"), "{error}");
    }
}

#[tokio::test]
async fn the_audit_trail_says_how_requests_for_identities_ended() {
    let tenant = TestTenant::start().await;
    ask_app_service(&tenant, &app_service(&api())).await;
    ask_imds(&tenant, &imds("https://vault.example")).await;
    ask(&tenant, "/metadata/identity/oauth2/token", &imds(&api()), &[]).await;
    let audit = tenant.audit().await;
    let outcome = |index: usize| audit[index]["outcome"].clone();
    assert_eq!(outcome(0)["refused"]["aadsts"], 0);
    assert_eq!(outcome(0)["refused"]["reason"], "Required metadata header not specified");
    assert_eq!(outcome(1)["refused"]["aadsts"], 500_011);
    assert_eq!(audit[1]["detail"], "IMDS");
    assert_eq!(outcome(2), "granted");
    assert_eq!(audit[2]["client_id"], WORKER);
    assert_eq!(audit[2]["detail"], "App Service");
    assert_eq!(audit[2]["tenant"], CONTOSO);
    let page = tenant.dev_page().await;
    assert!(page.contains("Required metadata header not specified"), "{page}");
    assert!(!page.contains("AADSTS0"), "{page}");
}

#[tokio::test]
async fn the_endpoint_can_be_made_to_fail() {
    let tenant = TestTenant::start().await;
    // IMDS is unavailable during its updates.
    tenant.plan("managedidentity", &json!({ "status": 410, "times": 2 })).await;
    assert_eq!(ask_imds(&tenant, &imds(&api())).await.status, 410);
    assert_eq!(ask_app_service(&tenant, &app_service(&api())).await.status, 410);
    assert_eq!(ask_imds(&tenant, &imds(&api())).await.status, 200);
}
