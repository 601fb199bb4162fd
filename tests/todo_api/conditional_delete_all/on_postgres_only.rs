//! PostgreSQL runs several changes at the same time. Each test blocks one of them halfway, with a
//! lock on a row that the change needs.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, App, Database, Transaction, test_name};

use super::Ada;

#[tokio::test]
async fn a_todo_with_a_lower_id_that_is_committed_later_survives() {
    let Some(database) = with_another_isolation(test_name!()).await else { return };
    let ada = Ada::on(&database).await;
    database.fill(150).await;
    let block = Transaction::begin(&database, KEY).await;
    let creating = create_with_key(&ada.app);
    let looking = async {
        database.wait_for(WAITING, 1).await;
        // A todo with a higher id.
        database.fill(1).await;
        let tag = ada.tag().await;
        block.end().await;
        tag
    };
    let (created, tag) = tokio::join!(creating, looking);
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    ada.delete_all(&[("if-match", &tag)]).await.assert_problem(412, "precondition_failed");
    let path = format!("/todoitems/{}", created.body["item"]["id"]);
    let found = ada.app.send_as("uma", Method::GET, &path, None).await;
    assert_eq!(found.status, StatusCode::OK, "{found:?}");
}

/// Otherwise the todo, which has a lower id, would disappear before its creation is acknowledged.
#[tokio::test]
async fn delete_all_waits_for_a_creation_under_way() {
    let Some(database) = with_another_isolation(test_name!()).await else { return };
    let ada = Ada::on(&database).await;
    let block = Transaction::begin(&database, KEY).await;
    let creating = create_with_key(&ada.app);
    let deleting = async {
        database.wait_for(WAITING, 1).await;
        // A todo with a higher id.
        database.fill(1).await;
        let releasing = async {
            database.wait_for(WAITING, 2).await;
            block.end().await;
        };
        tokio::join!(ada.delete_all(&[]), releasing).0
    };
    let (created, deleted) = tokio::join!(creating, deleting);
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:?}");
    assert_eq!(ada.todos().await, 0);
}

#[tokio::test]
async fn delete_all_waits_for_a_change_under_way() {
    let Some(database) = with_another_isolation(test_name!()).await else { return };
    let ada = Ada::on(&database).await;
    for method in [Method::PATCH, Method::DELETE] {
        let path = format!("/todoitems/{}", ada.app.create("uma", "seen").await["id"]);
        let tag = ada.tag().await;
        let block = Transaction::begin(&database, "SELECT 1 FROM todos FOR UPDATE").await;
        let body = (method == Method::PATCH).then(|| json!({ "item": { "name": "new" } }));
        let changing = ada.app.send_as("uma", method, &path, body);
        let deleting = async {
            database.wait_for(WAITING, 1).await;
            let releasing = async {
                database.wait_for(WAITING, 2).await;
                block.end().await;
            };
            let condition = [("if-match", tag.as_str())];
            tokio::join!(ada.delete_all(&condition), releasing).0
        };
        let (changed, deleted) = tokio::join!(changing, deleting);
        assert!(changed.status.is_success(), "{changed:?}");
        deleted.assert_problem(412, "precondition_failed");
    }
}

#[tokio::test]
async fn a_change_that_waited_for_delete_all_finds_nothing() {
    let Some(database) = with_another_isolation(test_name!()).await else { return };
    let ada = Ada::on(&database).await;
    let path = format!("/todoitems/{}", ada.app.create("uma", "seen").await["id"]);
    let block = Transaction::begin(&database, DELETION).await;
    let changing = async {
        database.wait_for(WAITING, 1).await;
        let releasing = async {
            database.wait_for(WAITING, 2).await;
            block.end().await;
        };
        let body = Some(json!({ "item": { "name": "lost" } }));
        tokio::join!(ada.app.send_as("uma", Method::PATCH, &path, body), releasing).0
    };
    let (deleted, changed) = tokio::join!(ada.delete_all(&[]), changing);
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:?}");
    changed.assert_problem(404, "not_found");
}

/// A row that blocks a request of Uma with this idempotency key.
const KEY: &str = "
    INSERT INTO idempotency_keys
    VALUES ('11111111-1111-4111-8111-111111111111', '0a000000-0000-4000-8000-000000000002',
            'late', 1, sha256('another'), 0)";

/// A row that blocks delete-all after it has taken its lock.
const DELETION: &str = "INSERT INTO deletions VALUES ('11111111-1111-4111-8111-111111111111', 0)";

/// How many transactions in this database wait for a lock.
const WAITING: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'";

async fn create_with_key(app: &App) -> Answer {
    let body = Some(json!({ "item": { "name": "with a lower id" } }));
    let key = [("idempotency-key", "late")];
    app.send_with("uma", Method::POST, "/todoitems", &key, body).await
}

/// A database whose default isolation level is not the one that the server needs.
async fn with_another_isolation(test: &str) -> Option<Database> {
    let database = Database::postgres(test).await?;
    let alter = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation \
                 TO ''repeatable read''', current_database()); END $$";
    database.execute(alter).await;
    Some(database)
}
