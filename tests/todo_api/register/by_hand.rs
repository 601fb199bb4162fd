//! What a person changed by hand in the portal.

use serde_json::{Value, json};

use crate::support::test_name;

use super::{API, EVERYTHING, SWAGGER_UI, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_writes_nothing_and_says_so() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(EVERYTHING).assert_done();
    let (env, registrations) = (setup.env(), setup.graph.registrations());
    setup.graph.forget();
    let again = setup.run(EVERYTHING);
    again.assert_done();
    assert!(again.stdout.contains("Nothing changed"), "{again:#?}");
    assert_eq!(setup.graph.writes().len(), 0, "{:#?}", setup.graph.writes());
    assert_eq!((setup.env(), setup.graph.registrations()), (env, registrations));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_person_added_is_removed() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(EVERYTHING).assert_done();
    let client = "1950a258-227b-4e31-a9cf-717495945fc2";
    let scope = "5c000000-0000-4000-8000-00000000000a";
    let own_scope = json!({
        "id": scope,
        "value": "by_hand",
        "type": "Admin",
        "isEnabled": true,
        "adminConsentDisplayName": "By hand",
        "adminConsentDescription": "Added by hand.",
        "userConsentDisplayName": null,
        "userConsentDescription": null,
    });
    let own_role = json!({
        "id": "40000000-0000-4000-8000-00000000000a",
        "value": "Owner",
        "displayName": "Owner",
        "description": "Added by hand.",
        "allowedMemberTypes": ["User", "Application"],
        "isEnabled": true,
        "origin": "Application",
    });
    let added: [(&str, &str, Value); 7] = [
        (API, "/identifierUris", json!("api://todo.contoso.example")),
        (API, "/appRoles", own_role),
        (API, "/api/oauth2PermissionScopes", own_scope),
        (
            API,
            "/api/preAuthorizedApplications",
            json!({ "appId": client, "delegatedPermissionIds": [scope] }),
        ),
        (
            API,
            "/optionalClaims/accessToken",
            json!({
                "name": "ipaddr",
                "source": null,
                "essential": true,
                "additionalProperties": [],
            }),
        ),
        (SWAGGER_UI, "/spa/redirectUris", json!("https://todo.contoso.example/oauth2-redirect")),
        (
            SWAGGER_UI,
            "/requiredResourceAccess",
            json!({
                "resourceAppId": "00000003-0000-0000-c000-000000000000",
                "resourceAccess": [{
                    "id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
                    "type": "Scope",
                }],
            }),
        ),
    ];
    for (application, list, entry) in &added {
        setup.graph.edit(application, |application| {
            let path = *list;
            let list = application.pointer_mut(path).unwrap().as_array_mut().unwrap();
            // The command must write the whole list. Graph does not remove a scope that is in use.
            if path != "/api/oauth2PermissionScopes" {
                list.remove(0);
            }
            list.push(entry.clone());
        });
    }
    setup.graph.edit(API, |api| {
        api["optionalClaims"]["idToken"] = json!([{ "name": "email" }]);
        api["notes"] = "Ask Ada.".into();
        api["tags"] = json!(["by hand"]);
        api["web"]["redirectUris"] = json!(["https://todo.contoso.example/signin"]);
        api["api"]["acceptMappedClaims"] = true.into();
        api["info"]["supportUrl"] = "https://contoso.example/help".into();
    });

    let run = setup.run(EVERYTHING);
    run.assert_done();
    for (application, list, entry) in &added {
        let application = setup.graph.application(application);
        let list = application.pointer(list).unwrap().as_array().unwrap();
        assert!(list.contains(entry), "{entry} is gone: {list:#?}\n{run:#?}");
    }
    let api = setup.graph.application(API);
    assert_eq!(api["optionalClaims"]["idToken"][0]["name"], "email");
    assert_eq!((&api["notes"], &api["tags"]), (&"Ask Ada.".into(), &json!(["by hand"])));
    assert_eq!(api["web"]["redirectUris"][0], "https://todo.contoso.example/signin");
    assert_eq!(api["api"]["acceptMappedClaims"], true);
    assert_eq!(api["info"]["supportUrl"], "https://contoso.example/help");

    // What the command needs is there again.
    setup.graph.forget();
    let again = setup.run(EVERYTHING);
    assert!(again.stdout.contains("Nothing changed"), "{again:#?}");
    for name in ["Admin", "Auditor", "User"] {
        let has = |role: &Value| role["value"] == name && role["isEnabled"] == true;
        assert!(api["appRoles"].as_array().unwrap().iter().any(has), "{name}: {api:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_other_texts_is_changed_under_its_id() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(EVERYTHING).assert_done();
    let expected = setup.graph.registrations();
    let before = setup.graph.application(SWAGGER_UI)["displayName"].clone();
    setup.graph.edit(API, |api| {
        api["appRoles"][0]["displayName"] = "Boss".into();
        api["appRoles"][1]["description"] = "Old text.".into();
        api["appRoles"][2]["isEnabled"] = false.into();
        api["api"]["oauth2PermissionScopes"][0]["userConsentDescription"] = "Old text.".into();
        api["api"]["requestedAccessTokenVersion"] = Value::Null;
    });
    // A person may have changed the name of a registration, which is no part of the declaration.
    setup.graph.edit(SWAGGER_UI, |client| client["displayName"] = "Docs page".into());
    setup.graph.forget();
    setup.run(EVERYTHING).assert_done();
    assert_eq!(setup.graph.application(SWAGGER_UI)["displayName"], "Docs page");
    setup.graph.edit(SWAGGER_UI, |client| client["displayName"] = before.clone());
    assert_eq!(setup.graph.registrations(), expected);
    assert_eq!(setup.graph.writes().len(), 1, "{:#?}", setup.graph.writes());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_is_never_found_by_its_display_name() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let stranger = setup.graph.add_application(&json!({ "displayName": "Todo API" }));
    setup.run(&[]).assert_done();
    assert_ne!(setup.setting("API_CLIENT_ID"), stranger["appId"].as_str().unwrap());
    let path = format!("/v1.0/applications/{}", stranger["id"].as_str().unwrap());
    assert!(!setup.graph.calls().iter().any(|call| call.path.starts_with(&path)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_another_tool_created_is_completed_and_never_deleted() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    let others = json!({ "displayName": "Todos", "uniqueName": "made-by-bicep" });
    let application = setup.graph.add_application(&others);
    setup.launch = setup.launch.with("API_CLIENT_ID", text(&application["appId"]));
    setup.run(&[]).assert_done();
    assert_eq!(setup.graph.application("made-by-bicep")["appRoles"].as_array().unwrap().len(), 3);
    let run = setup.run(&["--destroy", "--yes"]);
    run.assert_done();
    assert!(run.stdout.contains("keep Todos"), "{run:#?}");
    let registrations = setup.graph.registrations();
    assert_eq!(registrations["applications"].as_array().unwrap().len(), 1, "{registrations:#}");
    assert_eq!(registrations["applications"][0]["uniqueName"], "made-by-bicep");
    assert_eq!(registrations["deletedItems"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_role_or_scope_stays_and_the_declared_one_gets_another_id() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(EVERYTHING).assert_done();
    setup.graph.edit(API, |api| {
        api["appRoles"][0]["value"] = "Boss".into();
        api["api"]["oauth2PermissionScopes"][0]["value"] = "use".into();
    });
    let before = setup.graph.application(API);
    setup.graph.forget();
    setup.run(EVERYTHING).assert_done();
    let after = setup.graph.application(API);
    for (list, renamed, declared) in
        [("/appRoles", "Boss", "Admin"), ("/api/oauth2PermissionScopes", "use", "access_as_user")]
    {
        let entry = |application: &Value, value: &str| {
            let mut entries = application.pointer(list).unwrap().as_array().unwrap().iter();
            entries.find(|entry| entry["value"] == value).unwrap().clone()
        };
        assert_eq!(entry(&after, renamed), entry(&before, renamed));
        assert_ne!(entry(&after, declared)["id"], entry(&after, renamed)["id"]);
    }
    assert_eq!(setup.graph.refused().len(), 0, "{:#?}", setup.graph.refused());
    let again = setup.run(EVERYTHING);
    assert!(again.stdout.contains("Nothing changed: "), "{again:#?}");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
