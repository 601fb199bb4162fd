//! Deleting all todos only as long as the list is what the caller has seen.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::{
    databases::{Database, on_both},
    support::{Answer, App},
};

on_both!(
    a_todo_created_after_the_caller_looked_survives,
    a_todo_added_after_the_first_page_survives,
    a_changed_or_deleted_todo_refuses_delete_all,
    the_current_tag_lets_delete_all_through,
    if_none_match_refuses_the_current_tag,
    a_star_matches_every_list,
    a_weak_tag_never_matches_strongly,
    if_match_and_if_none_match_must_both_hold,
    a_malformed_condition_deletes_nothing,
    authorization_comes_before_conditions,
    delete_all_never_removes_what_the_tag_did_not_cover,
);

async fn a_todo_created_after_the_caller_looked_survives(database: Database) {
    let ada = Ada::on(&database).await;
    ada.app.create("uma", "seen").await;
    let tag = ada.tag().await;
    ada.app.create("ulf", "unseen").await;
    ada.delete_all(&[("if-match", &tag)]).await.assert_problem(412, "precondition_failed");
    assert_eq!(ada.app.names("ada").await, ["seen", "unseen"]);
}

async fn a_todo_added_after_the_first_page_survives(database: Database) {
    let ada = Ada::on(&database).await;
    fill(&database, 150).await;
    let tag = ada.tag().await;
    ada.app.create("uma", "unseen").await;
    ada.delete_all(&[("if-match", &tag)]).await.assert_problem(412, "precondition_failed");
    assert_eq!(ada.todos().await, 151);
    // An admin's own list is the tenant's; the owner's list has another tag.
    let owners = ada.app.send_as("uma", Method::GET, "/todoitems", None).await;
    let owners = owners.header("etag").to_owned();
    ada.app.create("uma", "also unseen").await;
    let again = ada.app.send_as("uma", Method::GET, "/todoitems", None).await;
    assert_ne!(again.header("etag"), owners);
}

async fn a_changed_or_deleted_todo_refuses_delete_all(database: Database) {
    let ada = Ada::on(&database).await;
    for method in [Method::PATCH, Method::DELETE] {
        let path = format!("/todoitems/{}", ada.app.create("uma", "seen").await["id"]);
        let tag = ada.tag().await;
        let body = (method == Method::PATCH).then(|| json!({ "item": { "is_complete": true } }));
        ada.app.send_as("uma", method, &path, body).await;
        ada.delete_all(&[("if-match", &tag)]).await.assert_problem(412, "precondition_failed");
    }
    assert_eq!(ada.todos().await, 1);
}

async fn the_current_tag_lets_delete_all_through(database: Database) {
    let ada = Ada::on(&database).await;
    for todos in [0, 1, 100, 101, 250] {
        fill(&database, todos).await;
        let tag = ada.tag().await;
        let tags = format!("\"another\", {tag}");
        let answer = ada.delete_all(&[("if-match", &tags)]).await;
        assert_eq!((answer.status, answer.body), (StatusCode::NO_CONTENT, Value::Null), "{todos}");
        assert_eq!(ada.todos().await, 0);
        // Nothing is left of what the tag stands for, unless it stands for an empty list.
        let answer = ada.delete_all(&[("if-match", &tag)]).await;
        assert_eq!(answer.status == StatusCode::NO_CONTENT, todos == 0, "{todos}: {answer:?}");
    }
}

async fn if_none_match_refuses_the_current_tag(database: Database) {
    let ada = Ada::on(&database).await;
    ada.app.create("uma", "seen").await;
    let tag = ada.tag().await;
    for value in [tag.clone(), format!("W/{tag}"), format!("\"another\", {tag}")] {
        let answer = ada.delete_all(&[("if-none-match", &value)]).await;
        answer.assert_problem(412, "precondition_failed");
    }
    assert_eq!(ada.todos().await, 1);
    let answer = ada.delete_all(&[("if-none-match", "\"another\"")]).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(ada.todos().await, 0);
}

async fn a_star_matches_every_list(database: Database) {
    let ada = Ada::on(&database).await;
    for todos in [0, 1] {
        fill(&database, todos).await;
        let answer = ada.delete_all(&[("if-none-match", "*")]).await;
        answer.assert_problem(412, "precondition_failed");
        assert_eq!(ada.todos().await, todos);
        let answer = ada.delete_all(&[("if-match", "*")]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{todos}");
        assert_eq!(ada.todos().await, 0);
    }
}

async fn a_weak_tag_never_matches_strongly(database: Database) {
    let ada = Ada::on(&database).await;
    ada.app.create("uma", "seen").await;
    let weak = format!("W/{}", ada.tag().await);
    ada.delete_all(&[("if-match", &weak)]).await.assert_problem(412, "precondition_failed");
    assert_eq!(ada.todos().await, 1);
}

async fn if_match_and_if_none_match_must_both_hold(database: Database) {
    let ada = Ada::on(&database).await;
    ada.app.create("uma", "seen").await;
    let tag = ada.tag().await;
    for (expected, unexpected, status) in [
        (tag.as_str(), tag.as_str(), 412),
        ("\"another\"", "\"another\"", 412),
        ("\"another\"", &tag, 412),
        (&tag, "\"another\"", 204),
    ] {
        let conditions = [("if-match", expected), ("if-none-match", unexpected)];
        let answer = ada.delete_all(&conditions).await;
        assert_eq!(answer.status.as_u16(), status, "{conditions:?}: {answer:?}");
    }
}

async fn a_malformed_condition_deletes_nothing(database: Database) {
    let ada = Ada::on(&database).await;
    ada.app.create("uma", "seen").await;
    for name in ["if-match", "if-none-match"] {
        for value in ["", "1", "\"1", "*, \"1\""] {
            let answer = ada.delete_all(&[(name, value)]).await;
            answer.assert_problem(400, "invalid_request");
            let place = answer.body["errors"][0]["pointer"].as_str().unwrap();
            assert!(place.eq_ignore_ascii_case(&format!("header:{name}")), "{place}");
        }
    }
    assert_eq!(ada.todos().await, 1);
}

async fn authorization_comes_before_conditions(database: Database) {
    let ada = Ada::on(&database).await;
    let uma = ada.app.token("uma").await;
    for value in ["1", "\"another\"", "*"] {
        for name in ["if-match", "if-none-match"] {
            let answer = delete_all(&ada.app, None, &[(name, value)]).await;
            answer.assert_problem(401, "missing_token");
            let answer = delete_all(&ada.app, Some(&uma), &[(name, value)]).await;
            answer.assert_problem(403, "insufficient_role");
        }
    }
}

const ROUNDS: usize = 30;
const WRITERS: usize = 4;

/// What ada saw when she read the list, and whether it was all.
struct Look {
    ids: Vec<i64>,
    all: bool,
    at: u64,
}

struct Creation {
    id: i64,
    /// When the request was sent.
    at: u64,
}

async fn delete_all_never_removes_what_the_tag_did_not_cover(database: Database) {
    let ada = Ada::on(&database).await;
    let uma = ada.app.token("uma").await;
    let clock = AtomicU64::new(0);
    let tick = || clock.fetch_add(1, Ordering::SeqCst);
    let (mut created, mut deleted) = (Vec::<Creation>::new(), Vec::<Look>::new());
    for round in 0..ROUNDS {
        // Every third list has more than a page.
        fill(&database, if round % 3 == 0 { 99 } else { 0 }).await;
        let writing = join_all((0..WRITERS).map(async |_| {
            let mut created = Vec::new();
            for _ in 0..3 {
                let at = tick();
                let body = json!({ "item": { "name": "raced" } });
                let answer = ada.app.send(Some(&uma), Method::POST, "/todoitems", Some(body)).await;
                assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
                created.push(Creation { id: answer.body["item"]["id"].as_i64().unwrap(), at });
            }
            created
        }));
        let deleting = async {
            let mut deleted = Vec::new();
            for _ in 0..6 {
                let (look, tag) = ada.look(&tick).await;
                let answer = ada.delete_all(&[("if-match", &tag)]).await;
                match answer.status {
                    StatusCode::NO_CONTENT => deleted.push(look),
                    _ => answer.assert_problem(412, "precondition_failed"),
                }
            }
            // Now nobody writes, or it is refused once more.
            deleted
        };
        let (new, gone) = tokio::join!(writing, deleting);
        created.extend(new.into_iter().flatten());
        deleted.extend(gone);
        let (look, tag) = ada.look(&tick).await;
        let answer = ada.delete_all(&[("if-match", &tag)]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "nobody writes any more: {answer:?}");
        deleted.push(look);
    }
    // Everything is gone by now, each todo with a list that covered it.
    assert_eq!(ada.todos().await, 0);
    assert_eq!(created.len(), ROUNDS * WRITERS * 3);
    assert!(deleted.len() >= ROUNDS);
    for Creation { id, at } in &created {
        let covers = |look: &Look| look.ids.contains(id) || !look.all && *at < look.at;
        assert!(deleted.iter().any(covers), "{id} was deleted although no tag covered it");
    }
}

mod on_postgres_only {
    //! PostgreSQL takes several changes at once. Each test stops one of them in the middle, with
    //! a lock of its own on a row that the change needs.

    use super::*;

    #[tokio::test]
    async fn a_todo_with_a_lower_id_that_is_committed_later_survives() {
        let name = "a_todo_with_a_lower_id_that_is_committed_later_survives";
        let Some(database) = Database::postgres(name).await else { return };
        let ada = Ada::on(&database).await;
        fill(&database, 150).await;
        let block = Block::begin(&database, KEY).await;
        let creating = create_with_key(&ada.app);
        let looking = async {
            database.wait_for(WAITING, 1).await;
            // With a higher id.
            fill(&database, 1).await;
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

    /// Otherwise the todo, which has a lower id, would be hidden before its creation is answered.
    #[tokio::test]
    async fn delete_all_waits_for_a_creation_under_way() {
        let name = "delete_all_waits_for_a_creation_under_way";
        let Some(database) = Database::postgres(name).await else { return };
        let ada = Ada::on(&database).await;
        let block = Block::begin(&database, KEY).await;
        let creating = create_with_key(&ada.app);
        let deleting = async {
            database.wait_for(WAITING, 1).await;
            // With a higher id.
            fill(&database, 1).await;
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
        let name = "delete_all_waits_for_a_change_under_way";
        let Some(database) = Database::postgres(name).await else { return };
        let ada = Ada::on(&database).await;
        for method in [Method::PATCH, Method::DELETE] {
            let path = format!("/todoitems/{}", ada.app.create("uma", "seen").await["id"]);
            let tag = ada.tag().await;
            let block = Block::begin(&database, "SELECT 1 FROM todos FOR UPDATE").await;
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
        let name = "a_change_that_waited_for_delete_all_finds_nothing";
        let Some(database) = Database::postgres(name).await else { return };
        let ada = Ada::on(&database).await;
        let path = format!("/todoitems/{}", ada.app.create("uma", "seen").await["id"]);
        let block = Block::begin(&database, DELETION).await;
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

    /// A row of Uma's that is in the way of her own idempotency key.
    const KEY: &str = "
        INSERT INTO idempotency_keys
        VALUES ('11111111-1111-4111-8111-111111111111', '0a000000-0000-4000-8000-000000000002',
                'late', 1, sha256('another'), 0)";

    /// A row that is in the way of delete-all when it holds its lock already.
    const DELETION: &str =
        "INSERT INTO deletions VALUES ('11111111-1111-4111-8111-111111111111', 0)";

    /// How many transactions of this database wait for another one.
    const WAITING: &str = "
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";

    async fn create_with_key(app: &App) -> Answer {
        let body = Some(json!({ "item": { "name": "with a lower id" } }));
        let key = [("idempotency-key", "late")];
        app.send_with("uma", Method::POST, "/todoitems", &key, body).await
    }

    /// A transaction that holds a lock until it is rolled back.
    struct Block(PgConnection);

    impl Block {
        async fn begin(database: &Database, sql: &'static str) -> Self {
            let mut connection = PgConnection::connect(&database.url()).await.unwrap();
            sqlx::raw_sql("BEGIN").execute(&mut connection).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            Self(connection)
        }

        async fn end(mut self) {
            sqlx::raw_sql("ROLLBACK").execute(&mut self.0).await.unwrap();
            self.0.close().await.unwrap();
        }
    }
}

/// An admin of Contoso who is signed in.
struct Ada {
    app: App,
    token: String,
}

impl Ada {
    async fn on(database: &Database) -> Self {
        let app = App::on(database.clone()).await;
        let token = app.token("ada").await;
        Self { app, token }
    }

    async fn list(&self) -> Answer {
        let answer = self.app.send(Some(&self.token), Method::GET, "/todoitems", None).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer
    }

    /// The `ETag` of the list.
    async fn tag(&self) -> String {
        self.list().await.header("etag").to_owned()
    }

    async fn look(&self, tick: &impl Fn() -> u64) -> (Look, String) {
        let list = self.list().await;
        let at = tick();
        let items = list.body["items"].as_array().unwrap();
        let ids = items.iter().map(|item| item["id"].as_i64().unwrap()).collect();
        let all = list.body["next"].is_null();
        (Look { ids, all, at }, list.header("etag").to_owned())
    }

    /// How many todos she sees, of which there are fewer than 1,000.
    async fn todos(&self) -> usize {
        let path = "/todoitems?limit=1000";
        let answer = self.app.send(Some(&self.token), Method::GET, path, None).await;
        answer.body["items"].as_array().unwrap().len()
    }

    async fn delete_all(&self, conditions: &[(&str, &str)]) -> Answer {
        delete_all(&self.app, Some(&self.token), conditions).await
    }
}

async fn delete_all(app: &App, token: Option<&str>, conditions: &[(&str, &str)]) -> Answer {
    let mut request = app.client.delete(format!("{}/todoitems", app.url));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    for (name, value) in conditions {
        request = request.header(*name, *value);
    }
    Answer::of(request.send().await.unwrap()).await
}

/// So many todos of Uma's, made at once.
async fn fill(database: &Database, todos: usize) {
    let (tenant, owner) =
        ("11111111-1111-4111-8111-111111111111", "0a000000-0000-4000-8000-000000000002");
    let sql = match database {
        Database::Sqlite(_) => {
            let blob = |id: &str| format!("x'{}'", id.replace('-', ""));
            let (tenant, owner) = (blob(tenant), blob(owner));
            format!(
                "INSERT INTO todos (tenant, owner, name)
                 WITH RECURSIVE numbers (n) AS (
                     SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT {todos}
                 )
                 SELECT {tenant}, {owner}, 'old' FROM numbers WHERE {todos} > 0"
            )
        }
        Database::Postgres(_) => format!(
            "INSERT INTO todos (tenant, owner, name)
             SELECT '{tenant}', '{owner}', 'old' FROM generate_series(1, {todos})"
        ),
    };
    database.execute(sql).await;
}
