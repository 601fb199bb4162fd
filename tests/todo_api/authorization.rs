//! Who may do what. The table has a row for every operation of the OpenAPI document.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, App, Operation, operations};

/// The status for each caller: without a token, with a token that lacks the scope, as a user who
/// neither owns the todo nor is an admin, and as an admin.
struct Row {
    operation: &'static str,
    no_token: u16,
    wrong_scope: u16,
    other_user: u16,
    admin: u16,
}

const ROWS: &[Row] = &[
    row("getHealth", [200, 200, 200, 200]),
    row("getReadiness", [200, 200, 200, 200]),
    row("listTodos", [401, 403, 200, 200]),
    row("createTodo", [401, 403, 201, 201]),
    row("deleteAllTodos", [401, 403, 403, 204]),
    row("getTodo", [401, 403, 403, 200]),
    row("updateTodo", [401, 403, 403, 200]),
    row("deleteTodo", [401, 403, 403, 204]),
];

const fn row(operation: &'static str, statuses: [u16; 4]) -> Row {
    let [no_token, wrong_scope, other_user, admin] = statuses;
    Row { operation, no_token, wrong_scope, other_user, admin }
}

#[tokio::test]
async fn every_operation_responds_as_its_row_in_the_table_says() {
    let app = App::start().await;
    let document = app.send(None, Method::GET, "/openapi.json", None).await.body;
    let ulf = app.token("ulf").await;
    let ada = app.token("ada").await;
    let wrong_scope = app.forged(|claims| claims["scp"] = "another_scope".into());
    let mut rows: Vec<&str> = ROWS.iter().map(|row| row.operation).collect();
    for operation in operations(&document) {
        let Operation { id, path, method, object } = &operation;
        let row = ROWS
            .iter()
            .find(|row| row.operation == *id)
            .unwrap_or_else(|| panic!("{id} has no row in the authorization table"));
        rows.retain(|name| name != id);
        for (caller, token, expected) in [
            ("a caller without a token", None, row.no_token),
            ("a caller without the scope", Some(&wrong_scope), row.wrong_scope),
            ("ulf", Some(&ulf), row.other_user),
            ("ada", Some(&ada), row.admin),
        ] {
            let todo = app.create("uma", "Walk the dog").await["id"].to_string();
            let path = path.replace("{id}", &todo);
            let body = operation.has_body().then(|| json!({ "item": { "name": "Rest" } }));
            let answer = app.send(token.map(String::as_str), method.clone(), &path, body).await;
            assert_eq!(answer.status.as_u16(), expected, "{id} as {caller}: {answer:?}");
            let documented = object["responses"].get(answer.status.as_str());
            assert!(documented.is_some(), "{id} does not document {expected}");
        }
    }
    assert!(rows.is_empty(), "the document lacks the operations {rows:?}");
}

#[tokio::test]
async fn a_request_without_a_token_reveals_nothing_about_ids() {
    let app = App::start().await;
    for (method, path, body) in [
        (Method::GET, "/todoitems/999", None),
        (Method::GET, "/todoitems/abc", None),
        (Method::DELETE, "/todoitems/999", None),
        (Method::PATCH, "/todoitems/999", Some(json!({ "nonsense": 1 }))),
        (Method::POST, "/todoitems", Some(json!({ "nonsense": 1 }))),
        (Method::GET, "/todoitems?limit=0", None),
    ] {
        let answer = app.send(None, method.clone(), path, body.clone()).await;
        answer.assert_problem(401, "missing_token");
        let wrong_scope = app.forged(|claims| claims["scp"] = "another_scope".into());
        let answer = app.send(Some(&wrong_scope), method, path, body).await;
        answer.assert_problem(403, "insufficient_scope");
    }
}

#[tokio::test]
async fn a_challenge_says_what_is_missing() {
    let app = App::start().await;
    let metadata = format!("{}/.well-known/oauth-protected-resource", app.url);
    let metadata = format!("resource_metadata=\"{metadata}\"");
    let scope = format!("scope=\"api://{}/access_as_user\"", entra_dev::ids::API_CLIENT_ID);

    let answer = app.send(None, Method::GET, "/todoitems", None).await;
    assert_eq!(answer.header("www-authenticate"), format!("Bearer {scope}, {metadata}"));

    let challenge = |answer: &Answer, parts: &[&str]| {
        let header = answer.header("www-authenticate");
        assert!(header.starts_with("Bearer error="), "{header}");
        for part in parts.iter().chain([&metadata.as_str()]) {
            assert!(header.contains(part), "{header} lacks {part}");
        }
    };
    let answer = app.send(Some("a.b.c"), Method::GET, "/todoitems", None).await;
    answer.assert_problem(401, "invalid_token");
    challenge(&answer, &["error=\"invalid_token\"", &scope, "error_description=\""]);

    let wrong_scope = app.forged(|claims| claims["scp"] = "another_scope".into());
    let answer = app.send(Some(&wrong_scope), Method::GET, "/todoitems", None).await;
    answer.assert_problem(403, "insufficient_scope");
    challenge(&answer, &["error=\"insufficient_scope\"", &scope]);

    let answer = app.send_as("uma", Method::DELETE, "/todoitems", None).await;
    answer.assert_problem(403, "insufficient_role");
    challenge(&answer, &["error=\"insufficient_scope\"", "app role Admin"]);
}

#[tokio::test]
async fn another_scheme_or_a_bare_token_is_no_token_and_is_not_repeated() {
    let app = App::start().await;
    let token = app.forged(|_| {});
    for (value, detail, received) in [
        (format!("mtls_pop {token}"), "has the scheme MTLS_POP", json!("MTLS_POP")),
        (format!("DPoP {token}"), "has the scheme DPoP", json!("DPoP")),
        ("Basic dXNlcjpwYXNz".to_owned(), "has the scheme Basic", json!("Basic")),
        (token.clone(), "does not begin with a known scheme", Value::Null),
        (format!("Secret {token}"), "does not begin with a known scheme", Value::Null),
    ] {
        let headers = [("authorization", value.as_str())];
        let answer = app.send_all(None, Method::GET, "/todoitems", &headers, None).await;
        answer.assert_problem(401, "missing_token");
        let shown = answer.body["detail"].as_str().unwrap();
        assert!(shown.contains(detail), "{shown}");
        assert_eq!(answer.body["received"], received);
        assert!(answer.body["hint"].is_string(), "{answer:?}");
        let body = answer.body.to_string();
        assert!(!body.contains(&token) && !body.contains("Secret"), "{body}");
    }
    let spaced = [("authorization", &*format!("Bearer   {token}"))];
    let answer = app.send_all(None, Method::GET, "/todoitems", &spaced, None).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn an_app_without_a_user_is_refused_despite_the_admin_role() {
    let app = App::start().await;
    let daemon = app.forged(|claims| {
        claims.as_object_mut().unwrap().remove("scp");
        claims["roles"] = json!(["Admin"]);
        claims["idtyp"] = "app".into();
    });
    for (method, path) in [(Method::GET, "/todoitems"), (Method::DELETE, "/todoitems")] {
        app.send(Some(&daemon), method, path, None).await.assert_problem(403, "insufficient_scope");
    }
    let confused = app.forged(|claims| {
        claims["roles"] = json!(["Admin"]);
        claims["idtyp"] = "app".into();
    });
    let answer = app.send(Some(&confused), Method::GET, "/todoitems", None).await;
    answer.assert_problem(403, "insufficient_scope");
}

#[tokio::test]
async fn scopes_and_roles_are_compared_exactly() {
    let app = App::start().await;
    for scope in ["Access_As_User", "access_as_user2", "access_as", "xaccess_as_user"] {
        let token = app.forged(|claims| claims["scp"] = scope.into());
        let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
        answer.assert_problem(403, "insufficient_scope");
    }
    let token = app.forged(|claims| claims["scp"] = "openid access_as_user profile".into());
    let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
    assert_eq!(answer.status, StatusCode::OK);
    for role in ["admin", "ADMIN", "Admins", "Admin "] {
        let token = app.forged(|claims| claims["roles"] = json!([role]));
        let answer = app.send(Some(&token), Method::DELETE, "/todoitems", None).await;
        answer.assert_problem(403, "insufficient_role");
    }
}

#[tokio::test]
async fn users_without_roles_and_guests_have_their_own_todos() {
    let app = App::start().await;
    for person in ["noel", "gus"] {
        app.create(person, person).await;
        assert_eq!(app.names(person).await, [person]);
    }
}
