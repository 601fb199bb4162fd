//! Managed identities: the protocols of App Service and IMDS.

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, FABRIKAM};
use serde_json::{Value, json};

use crate::support::{
    Form, IDENTITY_ENTRIES, IDENTITY_HEADER, MAINTENANCE, NOW, TestTenant, WORKER, app_service,
    ask_app_service, ask_identity, ask_imds, assert_app_service_error, assert_imds_error,
    assert_members, claims, imds, text, todo_api,
};

const SIMPLE: &str = "f2000000-0000-4000-8000-000000000001";
const MIRID: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/development\
                     /providers/Microsoft.ManagedIdentity/userAssignedIdentities/Todo-maintenance";
const AZURE: &str = "https://management.azure.example";

#[tokio::test]
async fn app_service_gives_the_token_of_the_system_assigned_identity() {
    let tenant = TestTenant::start().await;
    for path in ["msi/token", "msi/token/"] {
        let path = format!("/{CONTOSO}/{path}");
        let header = [("x-identity-header", IDENTITY_HEADER)];
        let answer = ask_identity(&tenant, &path, &app_service(&todo_api()), &header).await;
        let members = ["access_token", "expires_on", "resource", "token_type", "client_id"];
        assert_members(&answer, &members);
        let body = answer.json();
        assert_eq!(body["client_id"], WORKER);
        assert_eq!(body["resource"], todo_api());
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
    let answer = ask_imds(&tenant, &imds(&todo_api())).await;
    assert_members(&answer, &members);
    let body = answer.json();
    assert_eq!(body["refresh_token"], "");
    assert_eq!(body["expires_in"], "86400");
    assert_eq!(body["expires_on"], (NOW + 86_400).to_string());
    assert_eq!(body["not_before"], NOW.to_string());
    assert_eq!(claims(&body, "access_token")["azp"], WORKER);
    // The first tenant is that of the address without a tenant.
    let path = format!("/{CONTOSO}/metadata/identity/oauth2/token");
    let answer = ask_identity(&tenant, &path, &imds(&todo_api()), &[("metadata", "true")]).await;
    assert_eq!(claims(&answer.json(), "access_token")["azp"], WORKER);
}

#[tokio::test]
async fn a_user_assigned_identity_is_named_by_any_of_its_ids() {
    let tenant = TestTenant::start_having(IDENTITY_ENTRIES).await;
    let named =
        ask_app_service(&tenant, &app_service(&todo_api()).with("client_id", MAINTENANCE)).await;
    let oid = text(&claims(&named.json(), "access_token"), "oid");
    for (name, value) in [
        ("client_id", MAINTENANCE.to_uppercase()),
        ("principal_id", oid.clone()),
        ("object_id", oid.clone()),
        ("mi_res_id", MIRID.to_owned()),
        ("mi_res_id", MIRID.to_lowercase()),
    ] {
        let answer = ask_app_service(&tenant, &app_service(&todo_api()).with(name, &value)).await;
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
        let form =
            names.iter().fold(imds(&todo_api()), |form, (name, value)| form.with(name, value));
        let answer = ask_imds(&tenant, &form).await;
        assert_eq!(answer.status, 200, "{names:?}: {}", answer.body);
        assert_eq!(claims(&answer.json(), "access_token")["azp"], MAINTENANCE, "{names:?}");
    }
    let other = imds(&todo_api()).with("client_id", MAINTENANCE).with("object_id", SIMPLE);
    assert_imds_error(&ask_imds(&tenant, &other).await, "invalid_request", "Identity not found");
    let several = app_service(&todo_api()).with("client_id", MAINTENANCE).with("mi_res_id", MIRID);
    let answer = ask_app_service(&tenant, &several).await;
    assert_app_service_error(&answer, 400, "Only one of client_id, principal_id, object_id");
}

#[tokio::test]
async fn an_api_gets_the_claims_that_it_asks_for_in_the_version_that_it_accepts() {
    let tenant = TestTenant::start_having(IDENTITY_ENTRIES).await;
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
    let tenant = TestTenant::start_having(IDENTITY_ENTRIES).await;
    let form = app_service(&todo_api()).with("client_id", SIMPLE);
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
async fn a_virtual_machine_without_a_system_assigned_identity_uses_its_only_other_one() {
    let tenant = TestTenant::start_having(IDENTITY_ENTRIES).await;
    let apps = "/_dev/directory/apps";
    tenant.delete(&format!("{apps}/{WORKER}")).await.assert_done();
    let answer = ask_imds(&tenant, &imds(&todo_api())).await;
    assert_imds_error(&answer, "invalid_request", "Multiple user assigned identities exist");
    tenant.delete(&format!("{apps}/{SIMPLE}")).await.assert_done();
    let answer = ask_imds(&tenant, &imds(&todo_api())).await;
    assert_eq!(claims(&answer.json(), "access_token")["azp"], MAINTENANCE);
    let answer = ask_app_service(&tenant, &app_service(&todo_api())).await;
    assert_app_service_error(&answer, 400, "No Managed Identity found");
    tenant.delete(&format!("{apps}/{MAINTENANCE}")).await.assert_done();
    let answer = ask_imds(&tenant, &imds(&todo_api())).await;
    assert_imds_error(&answer, "invalid_request", "Identity not found");
}

#[tokio::test]
async fn each_tenant_has_its_own_identities() {
    let tenant = TestTenant::start().await;
    let header = [("x-identity-header", IDENTITY_HEADER)];
    let path = format!("/{FABRIKAM}/msi/token");
    let answer = ask_identity(&tenant, &path, &app_service(&todo_api()), &header).await;
    assert_app_service_error(&answer, 400, "No Managed Identity found");

    let isolated = tenant.post_json("/_dev/tenants", &json!({})).await.json();
    let id = isolated["id"].as_str().unwrap();
    let apps = isolated["directory"]["apps"].as_array().unwrap();
    let named = |name: &str| apps.iter().find(|app| app["name"] == name).unwrap();
    let api = text(named("Todo API"), "client_id");
    let answer =
        ask_identity(&tenant, &format!("/{id}/msi/token"), &app_service(&api), &header).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["client_id"], named("Todo worker")["client_id"]);
    assert_ne!(answer.json()["client_id"], WORKER);
    let claims = claims(&answer.json(), "access_token");
    assert_eq!(claims["tid"], id);
    assert_eq!(claims["roles"], json!(["Todos.ReadWrite.All"]));
    let audit = tenant.get_json(&format!("/_dev/tenants/{id}/audit")).await;
    assert_eq!(audit["entries"][0]["endpoint"], "managedidentity");
}
