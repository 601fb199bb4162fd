//! Wrong input, missing rights and a broken environment: each gets a sentence that says what was
//! changed so far and what to do.

use std::fs;

use poem::{
    Endpoint, Request, Route, Server,
    endpoint::make_sync,
    listener::{Listener, TcpListener},
    web::{Html, Json},
};
use serde_json::json;

use crate::support::{
    Launch, free_ports,
    graph::{Account, Fault, GraphToken, Moment},
    test_name,
};

use super::{API, EVERYTHING, Run, Setup};

pub(super) const NOTHING: &str = "Nothing was changed";

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_graph_refuses_is_explained_and_not_printed() {
    let other = GraphToken { audience: "https://management.azure.com", ..GraphToken::default() };
    let expired = GraphToken { lifetime: -1, ..GraphToken::default() };
    for (token, said) in [
        (other.encode(), "the token is not for Microsoft Graph"),
        (expired.encode(), "the token has expired"),
        ("not-a-token".to_owned(), "Microsoft Graph does not accept the token"),
    ] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        let setup = setup.with_token(&token);
        setup.run(EVERYTHING).assert_failed(&[said, NOTHING]);
        assert_eq!(setup.graph.writes().len(), 0, "{said}");
        assert_eq!(setup.env(), "", "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_copied_wrongly_is_explained_and_not_printed() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    let token = setup.graph.token();
    let (first, second) = token.split_at(40);
    for (between, said) in [
        ("\n", "it contains a line break"),
        ("\r\n ", "it contains a line break"),
        ("\u{1b}", "it contains a control character"),
        ("…", "it contains a character that is not ASCII"),
        (" ", "it contains a space"),
        ("\"", "it contains a quote"),
    ] {
        setup = setup.with_token(&format!("{first}{between}{second}"));
        let run = setup.run(&[]);
        run.assert_failed(&[said, "Copy it again", NOTHING]);
        run.assert_keeps(first);
        run.assert_keeps(second);
        assert_eq!(setup.graph.calls().len(), 0, "{between:?}");
    }
    // White space around the token is ignored.
    setup.with_token(&format!(" {token}\n")).run(&[]).assert_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_during_the_run_is_reported_with_what_was_changed() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.graph.fail_on("POST", "/servicePrincipals", [Fault::Status(Moment::Before, 401)]);
    setup.run(&[]).assert_failed(&["the token", "Changed so far: "]);
    setup.run(&[]).assert_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_may_not_register_apps_learns_who_may() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.graph.sign_in_as(Account::Member);
    setup.run(EVERYTHING).assert_failed(&[
        "Application.ReadWrite.All",
        "Application Developer",
        "An administrator can run",
        NOTHING,
    ]);
    assert_eq!(setup.env(), "");
    let scopes = "User.Read";
    let token = GraphToken { scopes, ..GraphToken::default() }.encode();
    setup.with_token(&token).run(EVERYTHING).assert_failed(&["may not", NOTHING]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_completes_what_a_developer_may_not_do() {
    let Some(expected) = Setup::new(test_name!()).await else { return };
    expected.run(EVERYTHING).assert_done();
    for (arguments, permission) in [
        (&["--admin-consent"][..], "DelegatedPermissionGrant.ReadWrite.All"),
        (&["--assign", "ada@contoso.example=Admin"], "AppRoleAssignment.ReadWrite.All"),
    ] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        setup.graph.sign_in_as(Account::Developer);
        let run = setup.run(arguments);
        run.assert_failed(&[permission, "An administrator can run", "Changed so far: "]);
        setup.graph.sign_in_as(Account::Administrator);
        setup.run(EVERYTHING).assert_done();
        assert_eq!(setup.graph.registrations(), expected.graph.registrations());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_id_uri_of_an_unverified_domain_is_named() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let uri = "https://todo.unknown.example";
    setup.run(&["--app-id-uri", uri]).assert_failed(&[uri, "is not verified in the tenant"]);
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(&["--app-id-uri", "https://todo.contoso.example"]).assert_done();
    let uris = setup.graph.application(API)["identifierUris"].clone();
    assert_eq!(uris[0], "https://todo.contoso.example");
    assert_eq!(setup.graph.refused().len(), 0, "{:#?}", setup.graph.refused());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_id_uri_of_another_registration_is_named() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let uri = "https://todo.contoso.example";
    let other = json!({ "displayName": "Other", "identifierUris": [uri] });
    setup.graph.add_application(&other);
    let run = setup.run(&["--app-id-uri", uri]);
    run.assert_failed(&["another registration already has the App ID URI", uri]);
    // Another URI completes the registration.
    setup.run(&[]).assert_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unique_name_that_is_taken_leads_to_another_name() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(&[]).assert_done();
    let application = setup.graph.application(API);
    let url = format!("{}/v1.0/applications/{}", setup.graph.url(), text(&application["id"]));
    let client = crate::support::client();
    client.delete(url).bearer_auth(setup.graph.token()).send().await.unwrap();
    fs::remove_file(setup.env_file()).unwrap();
    setup.graph.forget();
    setup.run(&[]).assert_failed(&["todo-api", "is taken", "--name", NOTHING]);
    setup.run(&["--name", "Another API"]).assert_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unique_name_of_somebody_elses_registration_leads_to_another_name() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let other = json!({ "displayName": "Theirs", "uniqueName": API });
    let other = setup.graph.add_application(&other);
    setup.graph.sign_in_as(Account::Developer);
    setup.run(&[]).assert_failed(&[API, "is taken", "--name", NOTHING]);
    assert_eq!(setup.graph.application(API), other);
    setup.run(&["--name", "Another API"]).assert_done();
    assert_eq!(setup.graph.application(API), other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_id_without_a_registration_is_named() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let id = "33333333-0000-4000-8000-000000000001";
    let env = format!("# Mine\nAPI_CLIENT_ID={id}\n");
    fs::write(setup.env_file(), &env).unwrap();
    setup.run(&[]).assert_failed(&[
        id,
        "the tenant has no registration with this client id",
        NOTHING,
    ]);
    assert_eq!(setup.env(), env);
}

#[tokio::test(flavor = "multi_thread")]
async fn client_ids_in_each_others_place_are_noticed() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    setup.run(&[]).assert_done();
    let [api, client] = ["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID"].map(|name| setup.setting(name));
    setup.graph.forget();
    for (first, second, said) in [
        (&client, &api, "API_CLIENT_ID is the client id of the other registration"),
        (&api, &api, "API_CLIENT_ID and SWAGGER_UI_CLIENT_ID are the same"),
    ] {
        let env = format!("API_CLIENT_ID={first}\nSWAGGER_UI_CLIENT_ID={second}\n");
        fs::write(setup.env_file(), &env).unwrap();
        setup.run(&[]).assert_failed(&[said, NOTHING]);
        assert_eq!(setup.env(), env);
    }
    assert_eq!(setup.graph.writes().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_another_tenant_is_named() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    setup.launch = setup.launch.with("AAD_TENANT_ID", entra_dev::ids::FABRIKAM);
    let texts = [entra_dev::ids::FABRIKAM, "but the token is for the tenant", NOTHING];
    setup.run(&[]).assert_failed(&texts);
    assert_eq!(setup.graph.writes().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_another_tenant_than_that_of_the_command_line_is_named() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    // Upper and lower case do not matter in the words for several tenants.
    setup.launch = setup.launch.with("AAD_TENANT_ID", "Organizations");
    let run = setup.run(&["--tenant", entra_dev::ids::FABRIKAM]);
    run.assert_failed(&["--tenant is ", "but the token is for the tenant", NOTHING]);
    assert_eq!(setup.graph.writes().len(), 0);
    setup.run(&["--tenant", entra_dev::ids::CONTOSO]).assert_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_id_uri_that_the_setting_cannot_contain_is_refused() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    for uri in [
        "",
        "todo",
        "api://",
        "https://",
        "api://a,api://b",
        "api://it's",
        "api://a\"b",
        "api://a b",
    ] {
        let run = setup.run(&["--app-id-uri", uri]);
        assert_eq!(run.code, Some(2), "{uri}: {run:#?}");
        assert!(run.stderr.contains("write a URI with a scheme"), "{uri}: {run:#?}");
    }
    // A line can refer only to a variable that is set above it.
    for (uri, problem) in [
        ("todo", "write a URI with a scheme"),
        ("api://${API_CLIENT_ID}", "write a URI with a scheme"),
        ("api://contoso.example/${API_CLIENT_ID}", "put a line API_CLIENT_ID= above it"),
    ] {
        for below in ["", "API_CLIENT_ID=\n"] {
            fs::write(setup.env_file(), format!("APP_ID_URI={uri}\n{below}")).unwrap();
            let run = setup.run(&[]);
            let texts = ["APP_ID_URI contains ", problem, "Or leave APP_ID_URI empty", NOTHING];
            run.assert_failed(&texts);
        }
    }
    fs::write(setup.env_file(), "API_CLIENT_ID=mine\nAAD_INSTANCE=login.contoso.example\n")
        .unwrap();
    setup.run(&[]).assert_failed(&["API_CLIENT_ID ", "AAD_INSTANCE must be ", NOTHING]);
    assert_eq!(setup.graph.calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_without_an_id_is_not_a_resource_of_graph() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let tenant = json!({ "id": entra_dev::ids::CONTOSO, "displayName": "Contoso" });
    for organization in [tenant, json!({ "displayName": "Contoso" })] {
        let url = serve(make_sync(move |request: Request| {
            let is_list = request.uri().path().ends_with("/organization");
            Json(if is_list { json!({ "value": [organization.clone()] }) } else { json!({}) })
        }))
        .await;
        let arguments = ["register", "--graph-url", &url];
        let run = Run::of(&setup.launch.run(setup.folder.path(), &arguments));
        run.assert_failed(&["does not respond like Microsoft Graph", NOTHING]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_person_or_role_is_named_before_anything_is_changed() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let nobody = setup.run(&["--assign", "nobody@contoso.example=Admin"]);
    nobody.assert_failed(&["there is no user", "nobody@contoso.example", NOTHING]);
    let role = setup.run(&["--assign", "ada@contoso.example=Boss"]);
    assert_eq!(role.code, Some(2), "{role:#?}");
    assert!(role.stderr.contains("there is no app role"), "{role:#?}");
    assert_eq!(setup.graph.writes().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_way_to_sign_in_the_ways_are_listed() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    setup.launch = Launch::default();
    let run = setup.run(&[]);
    assert_ne!(run.code, Some(0), "{run:#?}");
    for way in ["GRAPH_TOKEN", "--use-az", "--client-id"] {
        assert!(run.stderr.contains(way), "{run:#?}");
    }
    assert_eq!(setup.graph.calls().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_graph_cannot_be_reached() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let [port] = free_ports();
    let url = format!("http://127.0.0.1:{port}");
    let run = Run::of(&setup.launch.run(setup.folder.path(), &["register", "--graph-url", &url]));
    run.assert_failed(&["Microsoft Graph cannot be reached", NOTHING]);
    run.assert_keeps(&setup.graph.token());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_in_place_of_graph_is_not_taken_for_an_answer() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let url = serve(make_sync(|_: Request| Html("<h1>Log in to the network</h1>"))).await;
    let run = Run::of(&setup.launch.run(setup.folder.path(), &["register", "--graph-url", &url]));
    run.assert_failed(&["does not respond like Microsoft Graph", "Check the network", NOTHING]);
    assert!(!run.stderr.contains("<h1>"), "{run:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_array_is_not_a_resource_of_graph() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let tenant = entra_dev::ids::CONTOSO;
    for organization in [
        json!([tenant, "Contoso", [{ "name": "contoso.example" }]]),
        json!({ "id": tenant, "verifiedDomains": [["contoso.example"]] }),
    ] {
        let answer = json!({ "value": [organization] });
        let url = serve(make_sync(move |_: Request| Json(answer.clone()))).await;
        let arguments = ["register", "--graph-url", &url];
        let run = Run::of(&setup.launch.run(setup.folder.path(), &arguments));
        run.assert_failed(&["the response cannot be understood", NOTHING]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_not_sent_to_the_server_of_a_link() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let url = serve(make_sync(|_: Request| {
        let link = "http://127.0.0.1:1/v1.0/organization?$skiptoken=1";
        Json(json!({ "value": [], "@odata.nextLink": link }))
    }))
    .await;
    let run = Run::of(&setup.launch.run(setup.folder.path(), &["register", "--graph-url", &url]));
    run.assert_failed(&["leads to another server", NOTHING]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_printed_once_and_never_again() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let first = setup.run(&["--with-secret"]);
    first.assert_done();
    let secret = setup.setting("API_CLIENT_SECRET");
    assert_eq!(first.stdout.matches(&secret).count(), 1, "{first:#?}");
    assert!(!first.stderr.contains(&secret), "{first:#?}");
    let second = setup.run(&["--with-secret"]);
    second.assert_done();
    second.assert_keeps(&secret);
    assert_eq!(setup.setting("API_CLIENT_SECRET"), secret);
}

/// Serves this endpoint on all paths, and returns its URL.
async fn serve(endpoint: impl Endpoint + 'static) -> String {
    let [port] = free_ports();
    let address = format!("127.0.0.1:{port}");
    let acceptor = TcpListener::bind(&address).into_acceptor().await.unwrap();
    tokio::spawn(Server::new_with_acceptor(acceptor).run(Route::new().nest("/", endpoint)));
    format!("http://{address}")
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap()
}
