//! What each app role adds: every signed-in user reads and writes their own todos.

use reqwest::Method;
use serde_json::json;

use crate::support::App;

/// A person with an app role, and what they do with a todo of somebody else.
struct Row {
    person: &'static str,
    reads: bool,
    writes: bool,
}

const ROWS: &[Row] = &[
    Row { person: "ada", reads: true, writes: true },
    Row { person: "ida", reads: true, writes: false },
    Row { person: "ulf", reads: false, writes: false },
];

#[tokio::test]
async fn app_roles_that_read_the_tenant_list_and_get_every_todo() {
    for Row { person, reads, .. } in ROWS {
        let app = App::start().await;
        let todo = app.create("uma", "Walk the dog").await;
        let own = app.create(person, "Count the dogs").await;
        let list = app.send_as(person, Method::GET, "/todoitems", None).await;
        let expected = if *reads { json!([todo, own]) } else { json!([own]) };
        assert_eq!(list.body["items"], expected, "{person}");
        let path = format!("/todoitems/{}", todo["id"]);
        let found = app.send_as(person, Method::GET, &path, None).await;
        match reads {
            true => assert_eq!(found.body["item"], todo, "{person}"),
            false => found.assert_problem(403, "not_owner"),
        }
    }
}

#[tokio::test]
async fn app_roles_that_write_the_tenant_change_and_delete_every_todo() {
    for Row { person, writes, .. } in ROWS {
        let app = App::start().await;
        for (method, body, success) in [
            (Method::PATCH, Some(json!({ "item": { "is_complete": true } })), 200),
            (Method::DELETE, None, 204),
        ] {
            let todo = app.create("uma", "Walk the dog").await;
            let path = format!("/todoitems/{}", todo["id"]);
            let changed = app.send_as(person, method.clone(), &path, body.clone()).await;
            match writes {
                true => assert_eq!(changed.status.as_u16(), success, "{person} {method}"),
                false => {
                    changed.assert_problem(403, "not_owner");
                    let kept = app.send_as("uma", Method::GET, &path, None).await;
                    assert_eq!(kept.body["item"], todo, "{person} {method}");
                }
            }
            let own = app.create(person, "Count the dogs").await;
            let path = format!("/todoitems/{}", own["id"]);
            let changed = app.send_as(person, method.clone(), &path, body).await;
            assert_eq!(changed.status.as_u16(), success, "{person} {method}");
        }
        let all = app.send_as(person, Method::DELETE, "/todoitems", None).await;
        match writes {
            true => assert_eq!(all.status.as_u16(), 204, "{person}"),
            false => all.assert_problem(403, "insufficient_role"),
        }
    }
}

#[tokio::test]
async fn no_app_role_reaches_another_tenant() {
    let (contoso, fabrikam) = (entra_dev::ids::CONTOSO, entra_dev::ids::FABRIKAM);
    let app = App::start_with(|environment| {
        environment
            .with("AAD_TENANT_ID", "organizations")
            .with("ALLOWED_TENANTS", format!("{contoso},{fabrikam}"))
    })
    .await;
    let todo = app.create("tia", "Walk the cat").await;
    let path = format!("/todoitems/{}", todo["id"]);
    for Row { person, .. } in ROWS {
        for method in [Method::GET, Method::DELETE] {
            app.send_as(person, method, &path, None).await.assert_problem(404, "not_found");
        }
        let list = app.send_as(person, Method::GET, "/todoitems", None).await;
        assert_eq!(list.body["items"], json!([]), "{person}");
    }
}
