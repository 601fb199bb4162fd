//! The app role `Auditor`: reads all todos of the tenant, and changes only its own.

use reqwest::Method;
use serde_json::json;

use crate::support::App;

#[tokio::test]
async fn an_auditor_reads_every_todo_of_the_tenant() {
    let app = App::start().await;
    let todo = app.create("uma", "Walk the dog").await;
    let path = format!("/todoitems/{}", todo["id"]);
    let found = app.send_as("ida", Method::GET, &path, None).await;
    assert_eq!((found.status.as_u16(), &found.body["item"]), (200, &todo));
    let own = app.create("ida", "Count the dogs").await;
    let list = app.send_as("ida", Method::GET, "/todoitems", None).await;
    assert_eq!(list.body["items"], json!([todo, own]));
}

#[tokio::test]
async fn an_auditor_changes_only_their_own_todos() {
    let app = App::start().await;
    let todo = app.create("uma", "Walk the dog").await;
    let path = format!("/todoitems/{}", todo["id"]);
    let change = json!({ "item": { "is_complete": true } });
    let refused = app.send_as("ida", Method::PATCH, &path, Some(change.clone())).await;
    refused.assert_problem(403, "not_owner");
    app.send_as("ida", Method::DELETE, &path, None).await.assert_problem(403, "not_owner");
    let refused = app.send_as("ida", Method::DELETE, "/todoitems", None).await;
    refused.assert_problem(403, "insufficient_role");
    assert_eq!(app.send_as("uma", Method::GET, &path, None).await.body["item"], todo);

    let own = format!("/todoitems/{}", app.create("ida", "Count the dogs").await["id"]);
    let changed = app.send_as("ida", Method::PATCH, &own, Some(change)).await;
    assert_eq!(changed.body["item"]["is_complete"], true);
    assert_eq!(app.send_as("ida", Method::DELETE, &own, None).await.status.as_u16(), 204);
}

#[tokio::test]
async fn an_auditor_sees_nothing_of_another_tenant() {
    let fabrikam = entra_dev::ids::FABRIKAM;
    let app = App::start_with(|environment| {
        environment
            .with("AAD_TENANT_ID", "organizations")
            .with("ALLOWED_TENANTS", format!("{},{fabrikam}", entra_dev::ids::CONTOSO))
    })
    .await;
    let todo = app.create("tia", "Walk the cat").await;
    let path = format!("/todoitems/{}", todo["id"]);
    app.send_as("ida", Method::GET, &path, None).await.assert_problem(404, "not_found");
    let list = app.send_as("ida", Method::GET, "/todoitems", None).await;
    assert_eq!(list.body["items"], json!([]));
}
