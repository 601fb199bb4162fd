//! `Idempotency-Key`: requests that can be repeated safely.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, App, Database, Transaction, on_both, test_name};

on_both!(
    a_repeated_request_gets_the_same_response,
    simultaneous_repeats_create_one_todo,
    a_key_is_bound_to_a_body_and_an_owner_for_24_hours,
    a_key_has_1_to_255_visible_characters,
    an_empty_key_counts_as_absent,
    expired_keys_are_removed,
);

async fn a_repeated_request_gets_the_same_response(database: Database) {
    let mut app = App::on(database).await;
    let first = create(&app, "uma", "walk-1", "Walk the dog").await;
    assert_eq!(first.status, StatusCode::CREATED);
    // White space around the name and quotes around the key make no difference.
    let again = create(&app, "uma", "\"walk-1\"", " Walk the dog ").await;
    assert_same(&first, &again);
    // The response stays the same after the todo was changed or deleted.
    let path = first.header("location");
    let done = Some(json!({ "item": { "is_complete": true } }));
    app.send_as("uma", Method::PATCH, path, done).await;
    assert_same(&first, &create(&app, "uma", "walk-1", "Walk the dog").await);
    assert_eq!(app.names("uma").await, ["Walk the dog"]);
    app.send_as("uma", Method::DELETE, path, None).await;
    assert_same(&first, &create(&app, "uma", "walk-1", "Walk the dog").await);
    assert!(app.names("uma").await.is_empty());
    // It stays the same after a restart.
    app.stop().await;
    assert_same(&first, &create(&app.another().await, "uma", "walk-1", "Walk the dog").await);
}

async fn simultaneous_repeats_create_one_todo(database: Database) {
    let first = App::on(database).await;
    let second = first.another().await;
    let requests = (0..16).map(|number| {
        let app = if number % 2 == 0 { &first } else { &second };
        create(app, "uma", "walk-1", "Walk the dog")
    });
    let answers = futures_util::future::join_all(requests).await;
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        assert_same(&answers[0], answer);
    }
    assert_eq!(first.names("uma").await, ["Walk the dog"]);
}

async fn a_key_is_bound_to_a_body_and_an_owner_for_24_hours(database: Database) {
    let app = App::on(database).await;
    let first = create(&app, "uma", "walk-1", "Walk the dog").await;
    let other = create(&app, "uma", "walk-1", "Walk the cat").await;
    other.assert_problem(422, "idempotency_key_reused");
    for (person, key) in [("ulf", "walk-1"), ("ada", "walk-1"), ("uma", "walk-2")] {
        let answer = create(&app, person, key, "Walk the dog").await;
        assert_eq!(answer.status, StatusCode::CREATED);
        assert_ne!(answer.header("location"), first.header("location"), "{person} {key}");
    }
    app.clock.advance(24 * 60 * 60 - 1);
    assert_same(&first, &create(&app, "uma", "walk-1", "Walk the dog").await);
    app.clock.advance(1);
    let anew = create(&app, "uma", "walk-1", "Walk the cat").await;
    assert_eq!(anew.status, StatusCode::CREATED);
    assert_ne!(anew.header("location"), first.header("location"));
    assert_same(&anew, &create(&app, "uma", "walk-1", "Walk the cat").await);
}

async fn a_key_has_1_to_255_visible_characters(database: Database) {
    let app = App::on(database).await;
    let (longest, longer) = ("k".repeat(255), "k".repeat(256));
    for key in ["\"\"", "a b", "a\"b", "a\\b", "\"a", "k\u{e9}y", &longer] {
        let answer = create(&app, "uma", key, "Walk the dog").await;
        answer.assert_field_error("header:Idempotency-Key", "1 to 255 visible ASCII characters");
    }
    let body = Some(json!({ "item": { "name": "Walk the dog" } }));
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    let answer = app.send_with("uma", Method::POST, "/todoitems", &twice, body).await;
    answer.assert_field_error("header:Idempotency-Key", "");
    assert!(app.names("uma").await.is_empty());
    let answer = create(&app, "uma", &longest, "Walk the dog").await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

async fn an_empty_key_counts_as_absent(database: Database) {
    let app = App::on(database).await;
    for name in ["Walk the dog", "Walk the cat"] {
        assert_eq!(create(&app, "uma", "", name).await.status, StatusCode::CREATED);
    }
    assert_eq!(app.names("uma").await, ["Walk the dog", "Walk the cat"]);
}

async fn expired_keys_are_removed(database: Database) {
    let app = App::on(database.clone()).await;
    for number in 0..3 {
        create(&app, "uma", &format!("walk-{number}"), "Walk the dog").await;
    }
    let keys = "SELECT count(*) FROM idempotency_keys";
    assert_eq!(database.number(keys).await, 3);
    app.clock.advance(24 * 60 * 60);
    create(&app, "uma", "walk-0", "Walk the dog").await;
    // A deletion wakes the sweeper.
    app.send_as("ada", Method::DELETE, "/todoitems", None).await;
    database.wait_for(keys, 1).await;
}

/// PostgreSQL only: SQLite has one writer.
#[tokio::test]
async fn a_key_that_is_renewed_while_the_sweeper_waits_stays() {
    let Some(database) = Database::postgres(test_name!()).await else { return };
    let app = App::on(database.clone()).await;
    create(&app, "uma", "walk", "Walk the dog").await;
    app.clock.advance(24 * 60 * 60 + 1);
    let renewal = "UPDATE idempotency_keys SET created = 9000000000";
    let renewal = Transaction::begin(&database, renewal).await;
    // A deletion wakes the sweeper, which waits for the row.
    app.send_as("ada", Method::DELETE, "/todoitems", None).await;
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
                   AND datname = current_database() AND query LIKE '%idempotency_keys%'";
    database.wait_for(waiting, 1).await;
    renewal.commit().await;
    database.wait_for(waiting, 0).await;
    let deleting = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' \
                    AND datname = current_database() AND query LIKE '%DELETE FROM idempotency%' \
                    AND pid <> pg_backend_pid()";
    database.wait_for(deleting, 0).await;
    assert_eq!(database.number("SELECT count(*) FROM idempotency_keys").await, 1);
}

async fn create(app: &App, person: &str, key: &str, name: &str) -> Answer {
    let body: Value = json!({ "item": { "name": name } });
    let headers = [("idempotency-key", key)];
    app.send_with(person, Method::POST, "/todoitems", &headers, Some(body)).await
}

#[track_caller]
fn assert_same(first: &Answer, again: &Answer) {
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    for name in ["location", "etag", "content-type"] {
        assert_eq!(again.header(name), first.header(name));
    }
}
