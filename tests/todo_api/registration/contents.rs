//! What the registrations contain.

use entra_dev::ids::{CONTOSO as TENANT, FABRIKAM};
use serde_json::{Value, json};

use crate::{
    register::{API, EVERYTHING, SWAGGER_UI, Setup},
    support::test_name,
};

/// The ids of the declared scope and of the roles Admin, Auditor and User.
fn ids(api: &Value) -> (String, Vec<String>) {
    let id = |entry: &Value| entry["id"].as_str().unwrap().to_owned();
    let roles = api["appRoles"].as_array().unwrap().iter().map(id).collect();
    (id(&api["api"]["oauth2PermissionScopes"][0]), roles)
}

fn values(list: &Value, member: &str) -> Vec<String> {
    let entries = list.as_array().unwrap().iter();
    entries.map(|entry| entry[member].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_tenant_gets_everything_that_the_portal_steps_create() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let run = setup.run(EVERYTHING);
    run.assert_done();
    assert_eq!(setup.graph.refused().len(), 0, "{:#?}", setup.graph.refused());

    let api = setup.graph.application(API);
    let client = setup.graph.application(SWAGGER_UI);
    let (scope, roles) = ids(&api);
    let client_id = api["appId"].as_str().unwrap();
    assert_eq!(api["displayName"], "Todo API");
    assert_eq!(api["signInAudience"], "AzureADMyOrg");
    assert_eq!(api["identifierUris"], json!([format!("api://{client_id}")]));
    assert_eq!(api["api"]["requestedAccessTokenVersion"], 2);
    assert_eq!(values(&api["api"]["oauth2PermissionScopes"], "value"), ["access_as_user"]);
    assert_eq!(values(&api["appRoles"], "value"), ["Admin", "Auditor", "User"]);
    let claims = ["acct", "idtyp", "xms_cc", "xms_act_fct", "xms_sub_fct", "xms_par_app_azp"];
    assert_eq!(values(&api["optionalClaims"]["accessToken"], "name"), claims);
    let authorized = json!([
        { "appId": client["appId"], "delegatedPermissionIds": [scope] },
        {
            "appId": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
            "delegatedPermissionIds": [scope],
        },
    ]);
    assert_eq!(api["api"]["preAuthorizedApplications"], authorized);
    assert_eq!(api["api"]["knownClientApplications"], json!([]));

    assert_eq!(client["displayName"], "Todo API - Swagger UI");
    assert_eq!(client["spa"]["redirectUris"], json!(["http://localhost:8000/oauth2-redirect"]));
    let required = json!([{
        "resourceAppId": client_id,
        "resourceAccess": [{ "id": scope, "type": "Scope" }],
    }]);
    assert_eq!(client["requiredResourceAccess"], required);

    let writes = setup.graph.writes();
    let sent = |path: &str| {
        let bodies = writes.iter().filter(|call| call.path.ends_with(path));
        bodies.map(|call| call.body.clone()).collect::<Vec<_>>()
    };
    let assigned: Vec<_> = sent("/appRoleAssignedTo");
    assert_eq!(assigned.len(), 3, "{assigned:#?}");
    assert_eq!(assigned[0]["appRoleId"], *roles[0]);
    assert_eq!(assigned[1]["appRoleId"], *roles[2]);
    assert_eq!(assigned[2]["appRoleId"], *roles[1]);
    let [grant] = &sent("/oauth2PermissionGrants")[..] else { panic!("{writes:#?}") };
    assert_eq!(
        (&grant["consentType"], &grant["scope"]),
        (&json!("AllPrincipals"), &json!("access_as_user"))
    );

    assert_eq!(setup.setting("API_CLIENT_ID"), client_id);
    assert_eq!(setup.setting("SWAGGER_UI_CLIENT_ID"), client["appId"].as_str().unwrap());
    assert_eq!(setup.setting("AAD_TENANT_ID"), TENANT);
    for setting in ["APP_ID_URI", "ALLOWED_TENANTS"] {
        assert_eq!(setup.setting(setting), "", "{setting}");
    }

    setup.graph.forget();
    let again = setup.run(EVERYTHING);
    again.assert_done();
    assert!(again.stdout.contains("Nothing changed: "), "{again:#?}");
    assert_eq!(setup.graph.writes().len(), 0, "{:#?}", setup.graph.writes());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audience_decides_who_may_sign_in_and_what_the_settings_say() {
    for (audience, registered, tenant, allowed) in [
        ("my-org", "AzureADMyOrg", TENANT, ""),
        ("any-org", "AzureADMultipleOrgs", "organizations", TENANT),
        ("any-org-and-personal", "AzureADandPersonalMicrosoftAccount", "common", TENANT),
    ] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        setup.run(&["--audience", audience]).assert_done();
        let (api, client) = (setup.graph.application(API), setup.graph.application(SWAGGER_UI));
        assert_eq!(api["signInAudience"], registered);
        assert_eq!(client["signInAudience"], registered);
        let is_known = api["api"]["knownClientApplications"] == json!([client["appId"]]);
        assert_eq!(is_known, audience != "my-org", "{api:#?}");
        assert_eq!(setup.setting("AAD_TENANT_ID"), tenant);
        assert_eq!(setup.setting("ALLOWED_TENANTS"), allowed);

        setup.graph.forget();
        let again = setup.run(&[]);
        assert!(again.stdout.contains("Nothing changed: "), "{again:#?}");
        assert_eq!(setup.graph.writes().len(), 0, "without --audience, it stays {registered}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_for_several_tenants_decide_the_audience_and_stay() {
    let tenants = format!("{TENANT},{FABRIKAM}");
    for (tenant, registered) in [
        ("organizations", "AzureADMultipleOrgs"),
        ("common", "AzureADandPersonalMicrosoftAccount"),
        ("consumers", "AzureADandPersonalMicrosoftAccount"),
    ] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        let env = format!("AAD_TENANT_ID={tenant}\nALLOWED_TENANTS={tenants}\n");
        std::fs::write(setup.env_file(), &env).unwrap();
        setup.run(&[]).assert_done();
        assert_eq!(setup.graph.application(API)["signInAudience"], registered);
        assert!(setup.env().starts_with(&env), "{}", setup.env());

        // What the command does not know is left alone.
        let personal = "PersonalMicrosoftAccount";
        setup.graph.edit(API, |api| api["signInAudience"] = personal.into());
        setup.run(&[]).assert_done();
        assert!(setup.env().starts_with(&env), "{}", setup.env());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_tenants_that_is_emptied_is_shown() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(&["--audience", "my-org"]).assert_done();
    let env = setup.env().replace(
        &format!("AAD_TENANT_ID={TENANT}"),
        &format!("AAD_TENANT_ID=organizations\nALLOWED_TENANTS={FABRIKAM}"),
    );
    std::fs::write(setup.env_file(), env).unwrap();
    let run = setup.run(&[]);
    run.assert_done();
    assert_eq!(setup.setting("AAD_TENANT_ID"), TENANT);
    assert_eq!(setup.setting("ALLOWED_TENANTS"), "");
    let note = format!("ALLOWED_TENANTS is now empty. It was {FABRIKAM}.");
    assert!(run.stderr.contains(&note), "{run:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_id_uri_is_registered_and_written_to_the_settings() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(&[]).assert_done();
    setup.run(&["--app-id-uri", "api://app.contoso.example"]).assert_done();
    let api = setup.graph.application(API);
    let default = format!("api://{}", api["appId"].as_str().unwrap());
    let uris = json!([default, "api://app.contoso.example"]);
    assert_eq!(api["identifierUris"], uris, "the first one stays: clients may use it");
    assert_eq!(setup.setting("APP_ID_URI"), "api://app.contoso.example");

    setup.graph.forget();
    let again = setup.run(&[]);
    assert!(again.stdout.contains("Nothing changed: "), "{again:#?}");
    assert_eq!(setup.graph.writes().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_redirect_uri_is_the_one_that_doctor_prints() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    setup.run(&[]).assert_done();
    setup.launch = setup.launch.with("PUBLIC_URL", "https://todo.contoso.example/v1");
    setup.run(&[]).assert_done();
    let uris = json!([
        "http://localhost:8000/oauth2-redirect",
        "https://todo.contoso.example/v1/oauth2-redirect",
    ]);
    assert_eq!(setup.graph.application(SWAGGER_UI)["spa"]["redirectUris"], uris);

    setup.launch = setup.launch.with("PUBLIC_URL", "http://todo.contoso.example");
    setup.graph.forget();
    setup.run(&[]).assert_failed(&["PUBLIC_URL is http on another host than localhost"]);
    assert_eq!(setup.graph.calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_names_are_two_pairs_of_registrations() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(&[]).assert_done();
    let first = setup.env();
    std::fs::remove_file(setup.env_file()).unwrap();
    setup.run(&["--name", "Todo API (staging)"]).assert_done();
    let staging = setup.graph.application("todo-api-staging-swagger-ui");
    assert_eq!(staging["displayName"], "Todo API (staging) - Swagger UI");
    assert_ne!(setup.env(), first);
}
