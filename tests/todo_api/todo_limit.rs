//! `TODO_LIMIT`: how many todos one owner may have.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, App, Database, TestClock, on_both};

on_both!(
    an_owner_with_too_many_todos_gets_409_until_one_is_deleted,
    todos_that_delete_all_has_deleted_do_not_count,
    concurrent_requests_do_not_exceed_the_limit,
    a_retry_gets_the_same_response_at_the_limit,
    todos_from_before_the_migration_count,
);

async fn an_owner_with_too_many_todos_gets_409_until_one_is_deleted(database: Database) {
    let app = limited_to(3, database).await;
    for name in ["Walk the dog", "Buy milk", "Call Ada"] {
        app.create("uma", name).await;
    }
    for _ in 0..2 {
        create(&app, "uma").await.assert_problem(409, "todo_limit_reached");
    }
    assert_eq!(app.names("uma").await, ["Walk the dog", "Buy milk", "Call Ada"]);
    app.create("ulf", "Walk the cat").await;

    let done = Some(json!({ "item": { "is_complete": true } }));
    let changed = app.send_as("uma", Method::PATCH, "/todoitems/1", done).await;
    assert_eq!(changed.status, StatusCode::OK);
    create(&app, "uma").await.assert_problem(409, "todo_limit_reached");
    let deleted = app.send_as("uma", Method::DELETE, "/todoitems/1", None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    app.create("uma", "Rest").await;
    create(&app, "uma").await.assert_problem(409, "todo_limit_reached");
    assert_eq!(app.names("uma").await, ["Buy milk", "Call Ada", "Rest"]);
}

async fn todos_that_delete_all_has_deleted_do_not_count(database: Database) {
    let app = limited_to(2, database.clone()).await;
    // The second round has a row in `deletions` already.
    for _ in 0..2 {
        for name in ["Walk the dog", "Buy milk"] {
            app.create("uma", name).await;
        }
        create(&app, "uma").await.assert_problem(409, "todo_limit_reached");
        let deleted = app.send_as("ada", Method::DELETE, "/todoitems", None).await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    }
    app.create("uma", "Rest").await;
    app.create("uma", "Read").await;
    // The rows that the sweeper removes were not counted any more.
    database.wait_for("SELECT count(*) FROM todos", 2).await;
    create(&app, "uma").await.assert_problem(409, "todo_limit_reached");
}

async fn concurrent_requests_do_not_exceed_the_limit(database: Database) {
    let first = limited_to(5, database).await;
    let second = first.another_with(|environment| environment.with("TODO_LIMIT", "5")).await;
    let token = first.token("uma").await;
    let servers = [&first, &second].into_iter().cycle().take(24);
    let answers = join_all(servers.map(|app| app.try_create(&token, "One more"))).await;
    let created = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(created, 5);
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        answer.assert_problem(409, "todo_limit_reached");
    }
    assert_eq!(first.names("uma").await.len(), 5);
}

async fn a_retry_gets_the_same_response_at_the_limit(database: Database) {
    let app = limited_to(1, database).await;
    let first = create_once(&app, "walk-1", "Walk the dog").await;
    assert_eq!(first.status, StatusCode::CREATED);
    let again = create_once(&app, "walk-1", "Walk the dog").await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    let other = create_once(&app, "walk-1", "Walk the cat").await;
    other.assert_problem(422, "idempotency_key_reused");
    let refused = create_once(&app, "walk-2", "Walk the cat").await;
    refused.assert_problem(409, "todo_limit_reached");
    // An expired key does not help.
    app.clock.advance(24 * 60 * 60);
    let expired = create_once(&app, "walk-1", "Walk the dog").await;
    expired.assert_problem(409, "todo_limit_reached");

    // The refused request has not used its key.
    app.send_as("uma", Method::DELETE, first.header("location"), None).await;
    let later = create_once(&app, "walk-2", "Call Ada").await;
    assert_eq!(later.status, StatusCode::CREATED, "{later:?}");
    assert_eq!(app.names("uma").await, ["Call Ada"]);
}

async fn todos_from_before_the_migration_count(database: Database) {
    let mut app = App::on(database.clone()).await;
    app.create("uma", "Walk the dog").await;
    app.send_as("ada", Method::DELETE, "/todoitems", None).await;
    for name in ["Buy milk", "Call Ada"] {
        app.create("uma", name).await;
    }
    app.create("ulf", "Walk the cat").await;
    app.stop().await;
    let revert = match database {
        Database::Sqlite(_) => {
            "DROP TRIGGER count_created_todo; DROP TRIGGER count_deleted_todo;
             DROP TRIGGER count_first_deletion; DROP TRIGGER count_next_deletion;"
        }
        Database::Postgres(_) => {
            "DROP FUNCTION count_deleted_todo CASCADE; DROP FUNCTION count_deleted_todos CASCADE;"
        }
    };
    let forget = "DROP TABLE todo_counts; DELETE FROM _sqlx_migrations WHERE version >= 7;";
    database.execute(format!("{revert} {forget}")).await;

    let app = app.another_with(|environment| environment.with("TODO_LIMIT", "2")).await;
    create(&app, "uma").await.assert_problem(409, "todo_limit_reached");
    app.create("ulf", "Feed the cat").await;
    create(&app, "ulf").await.assert_problem(409, "todo_limit_reached");
}

async fn limited_to(limit: u32, database: Database) -> App {
    App::start_on(database, TestClock::default(), |environment| {
        environment.with("TODO_LIMIT", limit.to_string())
    })
    .await
}

async fn create(app: &App, person: &str) -> Answer {
    app.try_create(&app.token(person).await, "One more").await
}

async fn create_once(app: &App, key: &str, name: &str) -> Answer {
    let body = Some(json!({ "item": { "name": name } }));
    app.send_with("uma", Method::POST, "/todoitems", &[("idempotency-key", key)], body).await
}
