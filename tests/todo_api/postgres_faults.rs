//! Faults of PostgreSQL: a server that is down, busy, full or read-only. Each causes a clear
//! response or a clear error at start, the server recovers by itself, and no acknowledged todo is
//! lost.

use std::process::Command;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{
    Answer, App, Database, Launch, Postgres, TestClock, Tool, Transaction, require, test_name,
    wait_until,
};

#[tokio::test]
async fn a_missing_postgres_is_reported_at_start_without_the_password() {
    let Some(Database::Postgres(url)) = Database::postgres(test_name!()).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let unused_port = "postgres://todo:secret@127.0.0.1:1/todo";
    let no_database = url.replace("todo@", "todo:secret@") + "_of_another_name";
    for (url, reason) in [(unused_port, "refused"), (&no_database, "does not exist")] {
        let shown = Launch::dev().with("DATABASE_URL", url).refusal(folder.path());
        assert!(shown.contains("failed to open the database postgres://127.0.0.1:"), "{shown}");
        assert!(shown.contains(reason), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}

#[tokio::test]
async fn a_postgres_crash_causes_503_and_loses_no_acknowledged_todo() {
    let Some([programs]) = require(test_name!(), [Tool::Postgres]) else { return };
    let mut postgres = Postgres::start(&programs);
    let url = postgres.create_database().await;
    let app = App::on(Database::Postgres(url)).await;
    let token = app.token("uma").await;
    let mut acknowledged = Vec::new();
    // Twice, so that connections from after the first crash break too.
    for round in 0..2 {
        let mut load = async |postgres: &mut Postgres| {
            for number in 0.. {
                // A crash under load.
                if number == 20 {
                    postgres.pause();
                }
                let names = (0..8).map(|writer| format!("round {round}, {writer}, {number}"));
                let sent: Vec<_> = names.collect();
                let answers = sent.iter().map(|name| app.try_create(&token, name));
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
        let ready = app.readiness().await;
        assert_eq!((ready.status.as_u16(), &ready.body["database"]), (503, &"unavailable".into()));
        postgres.resume();
        app.wait_until_ready().await;
        app.create("uma", "after the crash").await;
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
async fn a_read_only_postgres_is_not_ready_until_it_accepts_writes() {
    let Some(database) = Database::postgres(test_name!()).await else { return };
    let app = App::start_on(database.clone(), TestClock::default(), |environment| {
        environment.with("DATABASE_CONNECTIONS", "2")
    })
    .await;
    let item = app.create("uma", "before").await;
    let path = format!("/todoitems/{}", item["id"]);

    // The setting applies to new connections only, as with a server that has become a standby.
    set_read_only(&database, "on").await;
    let others = "
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    database.number(others).await;
    let reads = async || list(&app).await.status == StatusCode::OK;
    wait_until("the server has a new connection", reads).await;
    app.assert_not_ready("internal").await;
    let name = Some(json!({ "item": { "name": "meanwhile" } }));
    for (person, method, path, body) in [
        ("uma", Method::POST, "/todoitems", name.clone()),
        ("uma", Method::PATCH, &path, name),
        ("uma", Method::DELETE, &path, None),
        ("ada", Method::DELETE, "/todoitems", None),
    ] {
        app.send_as(person, method, path, body).await.assert_unavailable("internal");
    }
    app.assert_not_ready("internal").await;
    let folder = tempfile::tempdir().unwrap();
    let shown = Launch::dev().with("DATABASE_URL", database.url()).refusal(folder.path());
    assert!(shown.contains("failed to bring the schema of postgres://127.0.0.1:"), "{shown}");
    assert!(shown.contains("in a read-only transaction"), "{shown}");
    assert_eq!(app.names("uma").await, ["before"]);

    // The connection of the last read is still read-only.
    set_read_only(&database, "off").await;
    app.wait_until_ready().await;
    app.create("uma", "after").await;
    assert_eq!(app.names("uma").await, ["before", "after"]);
}

#[tokio::test]
async fn a_full_postgres_disk_causes_503_until_there_is_enough_room() {
    let Some(database) = Database::postgres(test_name!()).await else { return };
    let app = App::on(database.clone()).await;
    app.create("uma", "before").await;
    // Triggers raise the error that PostgreSQL raises when the disk is full.
    let full = "
        CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON todos EXECUTE FUNCTION full_disk();
        CREATE TRIGGER full_disk BEFORE UPDATE ON probe EXECUTE FUNCTION full_disk();";
    database.execute(full).await;
    let token = app.token("uma").await;
    app.try_create(&token, "meanwhile").await.assert_unavailable("internal");
    app.assert_not_ready("internal").await;
    assert_eq!(app.names("uma").await, ["before"]);

    // Enough room for a small change, but not for a larger one.
    database.execute("DROP TRIGGER full_disk ON todos").await;
    app.create("uma", "small").await;
    app.assert_not_ready("internal").await;

    database.execute("DROP TRIGGER full_disk ON probe").await;
    app.wait_until_ready().await;
    app.create("uma", "after").await;
    assert_eq!(app.names("uma").await, ["before", "small", "after"]);
}

#[tokio::test]
async fn a_slow_statement_and_an_exhausted_pool_cause_503() {
    let Some(database) = Database::postgres(test_name!()).await else { return };
    let app = App::start_on(database.clone(), TestClock::default(), |environment| {
        environment.with("DATABASE_CONNECTIONS", "2")
    })
    .await;
    app.create("uma", "before").await;
    let token = app.token("uma").await;
    let lock = "LOCK TABLE todos IN ACCESS EXCLUSIVE MODE";
    let lock = Transaction::begin(&database, lock).await;
    // One request has the connection and waits for the table; the others wait for the connection.
    let reads = (0..4).map(|_| app.send(Some(&token), Method::GET, "/todoitems", None));
    let changes = (0..4).map(|_| app.try_create(&token, "meanwhile"));
    let (reads, changes) = tokio::join!(join_all(reads), join_all(changes));
    for answer in reads.iter().chain(&changes) {
        answer.assert_unavailable("overloaded");
    }
    app.assert_not_ready("overloaded").await;
    lock.end().await;
    assert_eq!(app.names("uma").await, ["before"]);
    app.create("uma", "after").await;
}

#[tokio::test]
async fn a_connection_that_never_answers_is_replaced() {
    let Some(database) = Database::postgres(test_name!()).await else { return };
    let app = App::on(database.clone()).await;
    app.create("uma", "before").await;
    let processes = "
        SELECT string_agg(pid::text, ' ') FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'todo-api'";
    // Reads take turns on the connections that read.
    for _ in 0..4 {
        assert_eq!(list(&app).await.status, StatusCode::OK);
    }
    let processes = database.text(processes).await;
    signal("STOP", &processes);
    for _ in 0..2 {
        list(&app).await.assert_unavailable("overloaded");
    }
    assert_eq!(app.names("uma").await, ["before"]);
    signal("CONT", &processes);
    assert_eq!(app.names("uma").await, ["before"]);
}

/// Sends a signal to these processes.
fn signal(name: &str, processes: &str) {
    // `kill` is built into the shell; not every machine has a program with this name.
    let kill = format!("kill -{name} {processes}");
    let status = Command::new("sh").args(["-c", &kill]).status();
    assert!(status.unwrap().success(), "{processes}");
}

/// Makes new connections to this database read-only: `on` or `off`.
async fn set_read_only(database: &Database, value: &str) {
    let url = database.url();
    let (_, name) = url.rsplit_once('/').unwrap();
    // A read-only connection to the database itself could not change the setting.
    let maintenance = Database::Postgres(url.replace(name, "postgres"));
    let alter = format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}");
    maintenance.execute(alter).await;
}

async fn list(app: &App) -> Answer {
    app.send_as("uma", Method::GET, "/todoitems", None).await
}

/// Asserts that the connection broke, or that there was none within the timeout.
#[track_caller]
fn assert_unavailable(answer: &Answer) {
    let code = if answer.body["code"] == "overloaded" { "overloaded" } else { "internal" };
    answer.assert_unavailable(code);
}
