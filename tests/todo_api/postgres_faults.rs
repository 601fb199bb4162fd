//! What an operator meets with PostgreSQL: a server that is gone, busy, full or only to be read.
//! Each gives a clear answer, or a clear reason not to start; the server recovers by itself; and
//! what was acknowledged is there.

use std::time::{Duration, Instant};

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
                let answers = futures_util::future::join_all(answers).await;
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
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut ready = StatusCode::SERVICE_UNAVAILABLE;
        while ready != StatusCode::OK {
            assert!(Instant::now() < deadline, "{ready}");
            ready = app.send(None, Method::GET, "/health/ready", None).await.status;
        }
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
    let requests = (0..8).map(|_| app.send(Some(&token), Method::GET, "/todoitems", None));
    for answer in futures_util::future::join_all(requests).await {
        assert_overloaded(&answer);
    }
    assert_not_ready(&app, "overloaded").await;
    held.rollback().await.unwrap();
    assert_eq!(app.names("uma").await, ["before"]);
    app.create("uma", "after").await;
}

async fn list(app: &App) -> Answer {
    app.send_as("uma", Method::GET, "/todoitems", None).await
}

/// The connection broke, or none could be had in time.
#[track_caller]
fn assert_unavailable(answer: &Answer) {
    let code = if answer.body["code"] == "overloaded" { "overloaded" } else { "internal" };
    answer.assert_problem(503, code);
    assert_eq!(answer.header("retry-after"), "1");
}
