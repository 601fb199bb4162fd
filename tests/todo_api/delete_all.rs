//! Deleting all todos of a tenant that has many: they disappear at once, and their rows are removed
//! gradually.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{App, Database, on_both};

on_both!(
    all_todos_go_at_once_and_their_rows_little_by_little,
    rows_that_were_left_over_are_removed_after_a_restart,
    whoever_reads_meanwhile_sees_all_or_nothing,
);

/// Adds 20,000 todos of Uma and one in Fabrikam.
async fn fill(database: &Database) {
    database.fill(20_000).await;
    database.fill_fabrikam("Fabrikam").await;
}

const ROWS: &str = "SELECT count(*) FROM todos";

async fn all_todos_go_at_once_and_their_rows_little_by_little(database: Database) {
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

async fn rows_that_were_left_over_are_removed_after_a_restart(database: Database) {
    let mut app = App::on(database.clone()).await;
    fill(&database).await;
    app.send_as("ada", Method::DELETE, "/todoitems", None).await;
    app.stop().await;
    assert!(database.number(ROWS).await > 1, "the server removed all rows before it stopped");
    let app = app.another().await;
    assert!(app.names("uma").await.is_empty());
    database.wait_for(ROWS, 1).await;
}

async fn whoever_reads_meanwhile_sees_all_or_nothing(database: Database) {
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
