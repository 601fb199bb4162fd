//! What an operator meets with PostgreSQL: a server that is gone, busy, full or only to be read.
//! Each gives a clear answer, or a clear reason not to start; the server recovers by itself; and
//! what was acknowledged is there.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::{
    databases::Database,
    faults::{assert_not_ready, assert_overloaded, create, create_as, impatient},
    postgres::Postgres,
    program::Launch,
    support::{Answer, App, TestClock},
    tools::{Tool, require},
};

#[tokio::test]
async fn a_postgres_that_is_not_there_is_named_at_start_without_the_password() {
    let name =
        "postgres_faults::a_postgres_that_is_not_there_is_named_at_start_without_the_password";
    let Some(Database::Postgres(url)) = Database::postgres(name).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let nobody_listens = "postgres://todo:secret@127.0.0.1:1/todo";
    let no_database = url.replace("todo@", "todo:secret@") + "_of_another_name";
    for (url, reason) in [(nobody_listens, "refused"), (&no_database, "does not exist")] {
        let shown = Launch::dev().with("DATABASE_URL", url).refusal(folder.path());
        assert!(shown.contains("failed to open the database postgres://127.0.0.1:"), "{shown}");
        assert!(shown.contains(reason), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[tokio::test]
async fn a_postgres_that_is_gone_is_503_and_loses_nothing_once_it_is_back() {
    let name = "postgres_faults::a_postgres_that_is_gone_is_503_and_loses_nothing_once_it_is_back";
    let Some([programs]) = require(name, [Tool::Postgres]) else { return };
    let mut postgres = Postgres::start(&programs);
    let url = postgres.create_database().await;
    let app = impatient(Database::Postgres(url)).await;
    let token = app.token("uma").await;
    let mut acknowledged = Vec::new();
    // Twice, so that connections which were made after the first time go stale too.
    for round in 0..2 {
        let mut load = async |postgres: &mut Postgres| {
            for number in 0.. {
                // In the middle of the load.
                if number == 20 {
                    postgres.pause();
                }
                let names = (0..8).map(|writer| format!("round {round}, {writer}, {number}"));
                let sent: Vec<_> = names.collect();
                let answers = sent.iter().map(|name| create_as(&app, &token, name));
                let answers = join_all(answers).await;
                for (name, answer) in sent.into_iter().zip(&answers) {
                    match answer.status {
                        StatusCode::CREATED => acknowledged.push(name),
                        _ => assert_unavailable(answer),
                    }
                }
                if answers.iter().all(|answer| answer.status != StatusCode::CREATED) {
                    return;
                }
            }
        };
        load(&mut postgres).await;
        assert_unavailable(&list(&app).await);
        let ready = app.send(None, Method::GET, "/health/ready", None).await;
        assert_eq!((ready.status.as_u16(), &ready.body["database"]), (503, &"unavailable".into()));
        postgres.resume();
        wait_until_ready(&app).await;
        app.create("uma", "it is back").await;
    }
    let path = "/todoitems?limit=1000";
    let page = app.send(Some(&token), Method::GET, path, None).await;
    let names: Vec<_> = page.body["items"].as_array().unwrap().iter().collect();
    let names: Vec<_> = names.iter().map(|item| item["name"].as_str().unwrap()).collect();
    for name in &acknowledged {
        assert!(names.contains(&name.as_str()), "{name} is lost");
    }
    assert!(acknowledged.len() > 200, "{}", acknowledged.len());
}

#[tokio::test]
async fn a_postgres_that_can_only_be_read_is_not_ready_until_it_takes_changes_again() {
    let name = "postgres_faults::\
                a_postgres_that_can_only_be_read_is_not_ready_until_it_takes_changes_again";
    let Some(database) = Database::postgres(name).await else { return };
    let app = App::start_on(database.clone(), TestClock::default(), |environment| {
        environment.with("DATABASE_CONNECTIONS", "1")
    })
    .await;
    let item = app.create("uma", "before").await;
    let path = format!("/todoitems/{}", item["id"]);

    // The setting counts for connections that are made from now on, as it does with a server that
    // has become a standby.
    only_to_be_read(&database, "on").await;
    let others = "
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    database.number(others).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while list(&app).await.status != StatusCode::OK {
        assert!(Instant::now() < deadline, "there is no new connection");
    }
    assert_not_ready(&app, "internal").await;
    let name = Some(json!({ "item": { "name": "meanwhile" } }));
    for (person, method, path, body) in [
        ("uma", Method::POST, "/todoitems", name.clone()),
        ("uma", Method::PATCH, &path, name),
        ("uma", Method::DELETE, &path, None),
        ("ada", Method::DELETE, "/todoitems", None),
    ] {
        assert_cannot_be_used(&app.send_as(person, method, path, body).await);
    }
    assert_not_ready(&app, "internal").await;
    let folder = tempfile::tempdir().unwrap();
    let shown = Launch::dev().with("DATABASE_URL", database.url()).refusal(folder.path());
    assert!(shown.contains("failed to bring the schema of postgres://127.0.0.1:"), "{shown}");
    assert!(shown.contains("in a read-only transaction"), "{shown}");
    assert_eq!(app.names("uma").await, ["before"]);

    // The connection that has just read was made in the meantime, and is still to read only.
    only_to_be_read(&database, "off").await;
    wait_until_ready(&app).await;
    app.create("uma", "after").await;
    assert_eq!(app.names("uma").await, ["before", "after"]);
}

#[tokio::test]
async fn a_postgres_whose_disk_is_full_is_503_until_there_is_room_for_more_than_a_little() {
    let name = "postgres_faults::\
                a_postgres_whose_disk_is_full_is_503_until_there_is_room_for_more_than_a_little";
    let Some(database) = Database::postgres(name).await else { return };
    let app = App::on(database.clone()).await;
    app.create("uma", "before").await;
    // PostgreSQL's own error, without its disk.
    let full = "
        CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON todos EXECUTE FUNCTION full_disk();
        CREATE TRIGGER full_disk BEFORE UPDATE ON probe EXECUTE FUNCTION full_disk();";
    database.execute(full).await;
    assert_cannot_be_used(&create(&app, "meanwhile").await);
    assert_not_ready(&app, "internal").await;
    assert_eq!(app.names("uma").await, ["before"]);

    // Room for a small change, and not for a larger one.
    database.execute("DROP TRIGGER full_disk ON todos").await;
    app.create("uma", "small").await;
    assert_not_ready(&app, "internal").await;

    database.execute("DROP TRIGGER full_disk ON probe").await;
    wait_until_ready(&app).await;
    app.create("uma", "after").await;
    assert_eq!(app.names("uma").await, ["before", "small", "after"]);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_and_a_pool_that_is_empty_are_503() {
    let name = "postgres_faults::a_statement_that_takes_too_long_and_a_pool_that_is_empty_are_503";
    let Some(database) = Database::postgres(name).await else { return };
    let app = App::start_on(database.clone(), TestClock::default(), |environment| {
        environment.with("DATABASE_TIMEOUT", "1").with("DATABASE_CONNECTIONS", "1")
    })
    .await;
    app.create("uma", "before").await;
    let token = app.token("uma").await;
    let mut other = PgConnection::connect(&database.url()).await.unwrap();
    let mut held = other.begin().await.unwrap();
    let lock = "LOCK TABLE todos IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut *held).await.unwrap();
    // One of them has the connection and waits for the table, the others wait for the connection.
    let reads = (0..4).map(|_| app.send(Some(&token), Method::GET, "/todoitems", None));
    let changes = (0..4).map(|_| create_as(&app, &token, "meanwhile"));
    let (reads, changes) = tokio::join!(join_all(reads), join_all(changes));
    for answer in reads.iter().chain(&changes) {
        assert_overloaded(answer);
    }
    assert_not_ready(&app, "overloaded").await;
    held.rollback().await.unwrap();
    assert_eq!(app.names("uma").await, ["before"]);
    app.create("uma", "after").await;
}

/// Whether connections that are made from now on may change something: `off`, or not: `on`.
async fn only_to_be_read(database: &Database, value: &str) {
    let url = database.url();
    let (_, name) = url.rsplit_once('/').unwrap();
    // Not of the database itself, where this would not be allowed either.
    let maintenance = Database::Postgres(url.replace(name, "postgres"));
    let alter = format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}");
    maintenance.execute(alter).await;
}

async fn wait_until_ready(app: &App) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let answer = app.send(None, Method::GET, "/health/ready", None).await;
        if answer.status == StatusCode::OK {
            return;
        }
        assert!(Instant::now() < deadline, "{answer:?}");
    }
}

async fn list(app: &App) -> Answer {
    app.send_as("uma", Method::GET, "/todoitems", None).await
}

#[track_caller]
fn assert_cannot_be_used(answer: &Answer) {
    answer.assert_problem(503, "internal");
    assert_eq!(answer.header("retry-after"), "1");
}

/// The connection broke, or none could be had in time.
#[track_caller]
fn assert_unavailable(answer: &Answer) {
    let code = if answer.body["code"] == "overloaded" { "overloaded" } else { "internal" };
    answer.assert_problem(503, code);
    assert_eq!(answer.header("retry-after"), "1");
}
