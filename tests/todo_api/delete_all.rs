//! Deleting all todos of a tenant that has many: they disappear at once, and their rows are removed
//! gradually.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{App, Database, on_both};

on_both!(
    delete_all_hides_todos_at_once_and_removes_rows_gradually,
    leftover_rows_are_removed_after_a_restart,
    a_reader_during_delete_all_sees_all_todos_or_none,
);

/// Adds 20,000 todos of Uma and one in Fabrikam.
async fn fill(database: &Database) {
    database.fill(20_000).await;
    database.fill_fabrikam("Fabrikam").await;
}

const ROWS: &str = "SELECT count(*) FROM todos";

async fn delete_all_hides_todos_at_once_and_removes_rows_gradually(database: Database) {
    let app = App::on(database.clone()).await;
    fill(&database).await;
    let last = app.create("ulf", "the newest").await["id"].clone();
    let answer = app.send_as("ada", Method::DELETE, "/todoitems", None).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    for person in ["ada", "uma", "ulf"] {
        assert!(app.names(person).await.is_empty(), "{person}");
    }
    for path in ["/todoitems/1", &format!("/todoitems/{last}")] {
        let change = Some(serde_json::json!({ "item": { "is_complete": true } }));
        for (method, body) in [(Method::GET, None), (Method::PATCH, change), (Method::DELETE, None)]
        {
            app.send_as("ada", method, path, body).await.assert_problem(404, "not_found");
        }
    }
    // New todos stay.
    let new = app.create("uma", "Walk the dog").await["id"].clone();
    assert!(new.as_i64() > last.as_i64());
    database.wait_for(ROWS, 2).await;
    assert_eq!(app.names("ada").await, ["Walk the dog"]);
    let fabrikam = "SELECT count(*) FROM todos WHERE name = 'Fabrikam'";
    assert_eq!(database.number(fabrikam).await, 1);
}

async fn leftover_rows_are_removed_after_a_restart(database: Database) {
    let mut app = App::on(database.clone()).await;
    fill(&database).await;
    app.send_as("ada", Method::DELETE, "/todoitems", None).await;
    app.stop().await;
    assert!(database.number(ROWS).await > 1, "the server removed all rows before it stopped");
    let app = app.another().await;
    assert!(app.names("uma").await.is_empty());
    database.wait_for(ROWS, 1).await;
}

async fn a_reader_during_delete_all_sees_all_todos_or_none(database: Database) {
    let app = App::on(database.clone()).await;
    fill(&database).await;
    let token = app.token("uma").await;
    let deleting = app.send_as("ada", Method::DELETE, "/todoitems", None);
    let reading = async {
        let mut pages = Vec::new();
        while pages.last() != Some(&0) {
            let page = app.send(Some(&token), Method::GET, "/todoitems?limit=1000", None).await;
            pages.push(page.body["items"].as_array().map_or(0, Vec::len));
            assert!(page.status == StatusCode::OK && [0, 1000].contains(pages.last().unwrap()));
        }
    };
    let (deleted, ()) = tokio::join!(deleting, reading);
    assert_eq!((deleted.status, deleted.body), (StatusCode::NO_CONTENT, Value::Null));
    database.wait_for(ROWS, 1).await;
}
