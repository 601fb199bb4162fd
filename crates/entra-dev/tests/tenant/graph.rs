//! Microsoft Graph: who the caller is.

use entra_dev::ids::{CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{
    Answer, Browser, GRAPH_PATH, GraphToken, PLANNER_ENTRIES, SINGLE_PAGE, TestTenant, accept,
    agent_entries, client_credentials, planner_requests, text,
};

const UMA: &str = "0a000000-0000-4000-8000-000000000002";

#[tokio::test]
async fn graph_says_who_the_caller_is() {
    let tenant = TestTenant::start().await;
    let token = tenant.graph_token("uma", "User.Read").await;
    let answer = tenant.graph(&token, "/me").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert!(answer.header("content-type").unwrap().starts_with("application/json; odata.metadata"));
    assert_eq!(
        answer.json(),
        json!({
            "@odata.context": tenant.url("/graph/v1.0/$metadata#users/$entity"),
            "businessPhones": [],
            "displayName": "Uma Ulrich",
            "givenName": "Uma",
            "jobTitle": null,
            "mail": "uma@contoso.example",
            "mobilePhone": null,
            "officeLocation": null,
            "preferredLanguage": null,
            "surname": "Ulrich",
            "userPrincipalName": "uma@contoso.example",
            "id": UMA,
        })
    );
    for name in [UMA.to_uppercase().as_str(), "uma%40contoso.example", "UMA@contoso.example"] {
        let same = tenant.graph(&token, &format!("/users/{name}")).await;
        assert_eq!(same.json(), answer.json(), "{name}");
    }
}

#[tokio::test]
async fn a_client_selects_properties() {
    let tenant = TestTenant::start_having(&agent_entries()).await;
    let token = tenant.graph_token("gus", "User.Read").await;
    let answer = tenant.graph(&token, "/me?$select=id,USERTYPE,accountEnabled&x=y").await.json();
    let content = "/graph/v1.0/$metadata#users(id,userType,accountEnabled)/$entity";
    assert_eq!(
        answer,
        json!({
            "@odata.context": tenant.url(content),
            "id": "9c500000-0000-4000-8000-000000000005",
            "userType": "Guest",
            "accountEnabled": true,
        })
    );
    let all = tenant.graph_token("ada", "User.ReadBasic.All").await;
    let answer = tenant.graph(&all, "/users/robin@contoso.example?$select=identityParentId").await;
    let answer = answer.json();
    assert_eq!(answer["@odata.type"], "#microsoft.graph.agentUser");
    assert_eq!(answer["identityParentId"], "f1000000-0000-4000-8000-000000000002");
}

#[tokio::test]
async fn what_graph_does_not_know_is_named() {
    let tenant = TestTenant::start().await;
    let token = tenant.graph_token("uma", "User.Read").await;
    for (path, code, said) in [
        ("/me?$select=id,shoeSize", "BadRequest", "'shoeSize' on type 'microsoft.graph.user'"),
        ("/me?$expand=manager", "Request_UnsupportedQuery", "'$expand'"),
        ("/me?$top=1", "Request_UnsupportedQuery", "'$top' is only for lists"),
        ("/me?$select=id&$select=mail", "Request_UnsupportedQuery", "'$select' is repeated"),
        ("/me/drive", "BadRequest", "segment 'drive'"),
        ("/me/memberOf/x", "BadRequest", "segment 'x'"),
        ("/me/memberOf/x/y", "BadRequest", "segment 'y'"),
        ("/users", "BadRequest", "segment 'users'"),
        ("/groups", "BadRequest", "segment 'groups'"),
        ("", "BadRequest", "segment ''"),
    ] {
        tenant.graph(&token, path).await.assert_graph_error(400, code, said);
    }
    let beta = tenant.url("/graph/beta/me");
    let beta = Answer::of(tenant.browser.get(beta).bearer_auth(&token)).await;
    beta.assert_graph_error(400, "BadRequest", "Invalid version: beta");
    let none = Answer::of(tenant.browser.get(tenant.url("/graph/")).bearer_auth(&token)).await;
    none.assert_graph_error(400, "BadRequest", "Invalid version");
}

#[tokio::test]
async fn another_method_is_refused_and_the_response_lists_the_right_one() {
    let tenant = TestTenant::start().await;
    let token = tenant.graph_token("uma", "User.Read").await;
    for (method, path, allowed) in [
        (Method::POST, "/me", "GET"),
        (Method::PUT, "/me", "GET"),
        (Method::PATCH, "/users/uma@contoso.example", "GET"),
        (Method::DELETE, "/me", "GET"),
        (Method::POST, "/me/memberOf", "GET"),
        (Method::GET, "/me/getMemberObjects", "POST"),
    ] {
        let url = tenant.url(&format!("{GRAPH_PATH}{path}"));
        let request = tenant.browser.request(method, url).bearer_auth(&token);
        let answer = Answer::of(request).await;
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
        answer.assert_graph_error(405, "Request_BadRequest", "is not allowed");
    }
    let url = tenant.url(&format!("{GRAPH_PATH}/me"));
    let head = tenant.browser.head(url).bearer_auth(&token);
    assert_eq!(Answer::of(head).await.status, StatusCode::OK);
}

#[tokio::test]
async fn whom_a_token_may_read_depends_on_its_permissions() {
    let tenant = TestTenant::start().await;
    let daemon = |role: &str| GraphToken::App(role.to_owned());
    let person = |scope: &str| GraphToken::Person("ada", scope.to_owned());
    let denied = "Authorization_RequestDenied";
    for (token, path, expected) in [
        (person("openid profile"), "/me", Err((403, denied))),
        (person("GroupMember.Read.All"), "/me", Err((403, denied))),
        (person("User.Read"), "/users/uma@contoso.example", Err((403, denied))),
        (person("User.Read"), "/users/nobody@contoso.example", Err((403, denied))),
        (person("User.Read"), "/users/ada@contoso.example", Ok("Ada Adler")),
        (person("User.ReadBasic.All"), "/users/uma@contoso.example", Ok("Uma Ulrich")),
        (person("User.Read.All"), "/users/uma@contoso.example", Ok("Uma Ulrich")),
        (person("Directory.Read.All"), "/me", Ok("Ada Adler")),
        // A short name is not a sign-in name, and other tenants are not visible.
        (person("User.Read.All"), "/users/uma", Err((404, "Request_ResourceNotFound"))),
        (
            person("User.Read.All"),
            "/users/tia@fabrikam.example",
            Err((404, "Request_ResourceNotFound")),
        ),
        (daemon("User.Read.All"), "/users/uma@contoso.example", Ok("Uma Ulrich")),
        (daemon("Directory.Read.All"), "/users/uma@contoso.example", Ok("Uma Ulrich")),
        (daemon("Group.Read.All"), "/users/uma@contoso.example", Err((403, denied))),
        (daemon("User.Read.All"), "/me", Err((400, "BadRequest"))),
    ] {
        let token = token.get(&tenant).await;
        let answer = tenant.graph(&token, path).await;
        match expected {
            Ok(name) => assert_eq!(answer.json()["displayName"], name, "{path}: {}", answer.body),
            Err((status, code)) => answer.assert_graph_error(status, code, ""),
        }
    }
    let token = tenant.graph_token("ada", "User.Read.All").await;
    let missing = tenant.graph(&token, "/users/nobody%40contoso.example").await;
    missing.assert_graph_error(404, "Request_ResourceNotFound", "'nobody@contoso.example'");
    let token = daemon("User.Read.All").get(&tenant).await;
    tenant.graph(&token, "/me").await.assert_graph_error(400, "BadRequest", "delegated");
}

#[tokio::test]
async fn app_roles_of_graph_are_permissions_in_the_directory() {
    let tenant = TestTenant::start().await;
    let path = "/_dev/directory/apps/Nightly%20job/permissions/Microsoft%20Graph";
    let answer = tenant.put_json(path, &json!(["User.Read.All"])).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let graph = "https://graph.microsoft.com/.default";
    let form = client_credentials(DAEMON_CLIENT_ID, DAEMON_SECRET, graph);
    let token = TestTenant::claims(&tenant.post("token", &form).await.token("access_token"));
    assert_eq!((&token["roles"], &token["idtyp"]), (&json!(["User.Read.All"]), &json!("app")));
    assert!(tenant.dev_page().await.contains("<code>User.Read.All</code> @ Microsoft Graph"));
    for (path, body, said) in [
        ("apps/Nightly%20job/permissions/Microsoft%20Graph", json!(["Mail.Read"]), "no app role"),
        (
            "people/uma/roles/Microsoft%20Graph",
            json!(["User.Read.All"]),
            "people have no app roles",
        ),
        ("apps/Web%20site/name", json!("microsoft graph"), "in every directory already"),
        ("apps/Web%20site/app_id_uri", json!("api://AzureADTokenExchange"), "another app id URI"),
    ] {
        let answer = tenant.put_json(&format!("/_dev/directory/{path}"), &body).await;
        answer.assert_problem(400, said);
    }
    // The export can be loaded again.
    let file = tenant.get("/_dev/directory.toml").await.body;
    assert!(file.contains("\"Microsoft Graph\" = [\"User.Read.All\"]"), "{file}");
    tenant.post_json("/_dev/directory/reset", &json!({})).await.assert_done();
    let url = tenant.url("/_dev/directory");
    let load = tenant.browser.put(url).header("content-type", "application/toml").body(file);
    assert_eq!(Answer::of(load).await.status, StatusCode::OK);
    let again = tenant.post("token", &form).await.token("access_token");
    assert_eq!(TestTenant::claims(&again)["roles"], json!(["User.Read.All"]));
}

#[tokio::test]
async fn default_at_graph_is_the_permission_that_every_app_has() {
    let tenant = TestTenant::start().await;
    for (scope, granted) in [
        ("https://graph.microsoft.com/.default", "User.Read"),
        ("openid https://graph.microsoft.com/.default offline_access", "User.Read openid"),
        ("openid profile https://graph.microsoft.com/User.Read", "User.Read openid profile"),
        ("User.Read.All GroupMember.Read.All", "User.Read.All GroupMember.Read.All"),
    ] {
        let body = SINGLE_PAGE.sign_in(&tenant, scope, "uma").await;
        assert_eq!(TestTenant::claims(&text(&body, "access_token"))["scp"], granted, "{scope}");
    }
}

#[tokio::test]
async fn scripts_of_every_origin_may_call_graph() {
    let tenant = TestTenant::start().await;
    let token = tenant.graph_token("uma", "User.Read").await;
    let url = tenant.url(&format!("{GRAPH_PATH}/me/getMemberObjects"));
    let preflight = tenant.browser.request(Method::OPTIONS, &url);
    let preflight = preflight
        .header("origin", "https://app.example")
        .header("access-control-request-headers", "authorization,content-type");
    let answer = Answer::of(preflight).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST"));
    let allowed = answer.header("access-control-allow-headers");
    assert_eq!(allowed, Some("authorization,content-type"));
    for path in ["/me", "/nothing"] {
        let answer = tenant.graph(&token, path).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
    }
}

#[tokio::test]
async fn graph_answers_for_isolated_tenants_and_at_both_listeners() {
    let tenant = TestTenant::start().await;
    let isolated = tenant.post_json("/_dev/tenants", &json!({})).await.json();
    let id = text(&isolated, "id");
    let body = json!({ "person": "uma", "resource": "Microsoft Graph" });
    let token = tenant.post_json(&format!("/_dev/tenants/{id}/tokens"), &body).await;
    let token = token.token("access_token");
    let answer = tenant.graph(&token, "/me").await.json();
    assert_ne!(answer["id"], UMA);
    assert_eq!(answer["displayName"], "Uma Ulrich");
    let secure = tenant.secure_browser().get(tenant.https_url(&format!("{GRAPH_PATH}/me")));
    let answer = Answer::of(secure.bearer_auth(&token)).await.json();
    let context = tenant.https_url("/graph/v1.0/$metadata#users/$entity");
    assert_eq!(answer["@odata.context"], context);
}

#[tokio::test]
async fn graph_can_be_made_to_fail() {
    let tenant = TestTenant::start().await;
    let token = tenant.graph_token("uma", "User.Read").await;
    tenant.plan("graph", &json!({ "status": 503, "times": 1 })).await;
    assert_eq!(tenant.graph(&token, "/me").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(tenant.graph(&token, "/me").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_response_has_the_ids_of_the_request() {
    let tenant = TestTenant::start().await;
    let id = "7b9bc8d1-f0a9-4a0b-8d7a-0c5a7a3b9f10";
    let url = tenant.url(&format!("{GRAPH_PATH}/me"));
    let answer = Answer::of(tenant.browser.get(&url).header("client-request-id", id)).await;
    assert_eq!(answer.header("client-request-id"), Some(id));
    let inner = &answer.json()["error"]["innerError"];
    assert_eq!(inner["client-request-id"], id);
    assert_eq!(inner["request-id"].as_str(), answer.header("request-id"));
    assert_eq!(inner["date"], "2026-11-24T22:00:00");
    let answer = Answer::of(tenant.browser.get(url).header("client-request-id", "<b>")).await;
    assert_eq!(answer.header("client-request-id"), answer.header("request-id"));
}

#[tokio::test]
async fn the_page_for_developers_says_where_graph_is() {
    let tenant = TestTenant::start().await;
    let page = tenant.dev_page().await;
    for url in [tenant.url(GRAPH_PATH), tenant.https_url(GRAPH_PATH)] {
        assert!(page.contains(&format!("<code>{url}</code>")), "{page}");
    }
}

#[tokio::test]
async fn apps_need_consent_for_graph_as_for_other_apis() {
    let tenant = TestTenant::start_having(PLANNER_ENTRIES).await;
    let browser = Browser::new(&tenant);
    for scope in ["User.Read.All", "openid https://graph.microsoft.com/GroupMember.Read.All"] {
        browser.pick(CONTOSO, &planner_requests(scope), "uma").await.assert_page_refusal(90094);
    }
    for scope in ["User.Read", "https://graph.microsoft.com/.default"] {
        let form = planner_requests(scope);
        browser.pick(CONTOSO, &form, "ulf").await.assert_page("Permissions requested");
    }
    let form = planner_requests("https://graph.microsoft.com/User.Read");
    accept(&browser, &form, "ulf").await.assert_code(StatusCode::SEE_OTHER);
    // The consent is for the permission, however it is written.
    let again = planner_requests("https://graph.microsoft.com/.default");
    browser.pick(CONTOSO, &again, "ulf").await.assert_code(StatusCode::SEE_OTHER);
}
