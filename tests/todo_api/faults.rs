//! What an operator meets: a disk that is full, a file that is held, damaged or not to be written,
//! a server that is gone. Each gives a clear answer, or a clear reason not to start; the server
//! recovers by itself; and what was acknowledged is there.

use std::{
    fs::{self, Permissions},
    io::{Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use reqwest::{Client, Method, StatusCode};
use serde_json::json;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::{
    databases::Database,
    postgres::Postgres,
    program::{Launch, Program},
    support::{Answer, App, TestClock},
    tools::{Tool, require},
};

#[tokio::test]
async fn a_file_that_another_process_holds_can_be_read_and_takes_changes_again_later() {
    let app = impatient(Database::sqlite()).await;
    app.create("uma", "before").await;
    let mut other = SqliteConnection::connect(&app.database().url()).await.unwrap();
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    assert_overloaded(&create(&app, "meanwhile").await);
    assert_eq!(app.names("uma").await, ["before"]);
    assert_not_ready(&app, "overloaded").await;
    held.rollback().await.unwrap();
    let answer = app.send(None, Method::GET, "/health/ready", None).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    app.create("uma", "after").await;
    assert_eq!(app.names("uma").await, ["before", "after"]);
}

#[tokio::test]
async fn a_damaged_page_is_503_until_it_is_whole_again() {
    let mut app = App::start().await;
    app.create("uma", "Walk the dog").await;
    app.stop().await;
    let database = app.database();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'todos'";
    let page = u64::try_from(database.number(root).await).unwrap();
    let whole = fs::read(database.file()).unwrap();
    let mut file = fs::File::options().write(true).open(database.file()).unwrap();
    file.seek(SeekFrom::Start((page - 1) * 4_096)).unwrap();
    file.write_all(&[0xff; 4_096]).unwrap();

    let mut app = app.another().await;
    let found = app.send_as("uma", Method::GET, "/todoitems/1", None).await;
    for answer in [create(&app, "Rest").await, found] {
        answer.assert_problem(503, "internal");
        assert_eq!(answer.header("retry-after"), "1");
    }
    assert_not_ready(&app, "internal").await;
    app.stop().await;
    fs::write(database.file(), whole).unwrap();
    assert_eq!(app.another().await.names("uma").await, ["Walk the dog"]);
}

#[tokio::test]
async fn a_full_disk_is_503_and_loses_nothing_that_was_acknowledged() {
    // A limit on the size of files stands for the disk. Past it the system sends a signal, which
    // the shell has told it not to.
    let through = ["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""];
    let mut program = Program::launch(Launch::dev().through(&through)).await;
    let token = program.todo_api(&["token", "--as", "uma"]);
    let client = Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/todoitems", program.url);
    let create = async |name: String| {
        let request = client.post(&url).bearer_auth(token.trim());
        let body = json!({ "item": { "name": name } });
        Answer::of(request.json(&body).send().await.unwrap()).await
    };
    let journal = program.folder.path().join("data/todo.db-wal");
    let size = fs::metadata(&journal).unwrap().size();
    limit_files(&program, &(size + 50_000).to_string());
    let mut acknowledged = 0;
    let refused = loop {
        let answer = create(format!("item {acknowledged}")).await;
        if answer.status != StatusCode::CREATED {
            break answer;
        }
        acknowledged += 1;
        assert!(acknowledged < 1_000, "the disk is never full");
    };
    refused.assert_problem(503, "internal");
    assert_eq!(refused.header("retry-after"), "1");
    let ready = client.get(format!("{}/health/ready", program.url)).send().await.unwrap();
    let ready = Answer::of(ready).await;
    ready.assert_problem(503, "internal");
    assert_eq!(ready.body["database"], "unavailable");
    let count = async || {
        let request = client.get(format!("{url}?limit=1000")).bearer_auth(token.trim());
        Answer::of(request.send().await.unwrap()).await.body["items"].as_array().unwrap().len()
    };
    assert_eq!(count().await, acknowledged, "it can still be read");

    // Room for a page of the file, which is not enough for a change.
    let size = fs::metadata(&journal).unwrap().size();
    limit_files(&program, &(size + 4_200).to_string());
    let ready = client.get(format!("{}/health/ready", program.url)).send().await.unwrap();
    Answer::of(ready).await.assert_problem(503, "internal");

    limit_files(&program, "unlimited");
    program.wait_until_ready().await;
    let answer = create("one more".into()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    program.kill();
    program.restart().await;
    assert_eq!(count().await, acknowledged + 1);
}

#[test]
fn a_file_or_a_folder_that_may_not_be_used_is_named_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = data.join("todo.db");
    fs::create_dir(&data).unwrap();
    let launch = launch_without_privileges(folder.path());
    for (path, mode, reason) in [
        // Nobody may make a file in it.
        (&data, 0o555, "unable to open database file"),
        (&data, 0o000, "Permission denied"),
    ] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let shown = launch.refusal(folder.path());
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        assert!(shown.contains("data") && shown.contains(reason), "{shown}");
    }
    for (content, mode, reason) in
        [(&b""[..], 0o444, "readonly database"), (&[b'x'; 8_192], 0o644, "file is not a database")]
    {
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let shown = launch.refusal(folder.path());
        fs::remove_file(&file).unwrap();
        assert!(shown.contains("failed to open the database data/todo.db"), "{shown}");
        assert!(shown.contains(reason), "{shown}");
    }
    fs::remove_dir(&data).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
    let shown = launch.refusal(folder.path());
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    assert!(shown.contains("failed to use the folder data: Permission denied"), "{shown}");
}

#[tokio::test]
async fn a_postgres_that_is_not_there_is_named_at_start_without_the_password() {
    let name = "faults::a_postgres_that_is_not_there_is_named_at_start_without_the_password";
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
    let name = "faults::a_postgres_that_is_gone_is_503_and_loses_nothing_once_it_is_back";
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
    let name = "faults::a_statement_that_takes_too_long_and_a_pool_that_is_empty_are_503";
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

/// A server that waits for the database for one second only.
async fn impatient(database: Database) -> App {
    let change =
        |environment: todo_api::config::Environment| environment.with("DATABASE_TIMEOUT", "1");
    App::start_on(database, TestClock::default(), change).await
}

async fn create(app: &App, name: &str) -> Answer {
    create_as(app, &app.token("uma").await, name).await
}

async fn create_as(app: &App, token: &str, name: &str) -> Answer {
    let body = Some(json!({ "item": { "name": name } }));
    app.send(Some(token), Method::POST, "/todoitems", body).await
}

async fn list(app: &App) -> Answer {
    app.send_as("uma", Method::GET, "/todoitems", None).await
}

#[track_caller]
fn assert_overloaded(answer: &Answer) {
    answer.assert_problem(503, "overloaded");
    assert_eq!(answer.header("retry-after"), "1");
}

/// The connection broke, or none could be had in time.
#[track_caller]
fn assert_unavailable(answer: &Answer) {
    let code = if answer.body["code"] == "overloaded" { "overloaded" } else { "internal" };
    answer.assert_problem(503, code);
    assert_eq!(answer.header("retry-after"), "1");
}

async fn assert_not_ready(app: &App, code: &str) {
    let answer = app.send(None, Method::GET, "/health/ready", None).await;
    answer.assert_problem(503, code);
    assert_eq!(answer.body["database"], "unavailable");
    assert_eq!(answer.body["keys"], "ready");
    assert_eq!(answer.header("retry-after"), "1");
}

/// Bytes, or `unlimited`.
fn limit_files(program: &Program, size: &str) {
    let process = program.id().to_string();
    let limit = format!("--fsize={size}:unlimited");
    assert!(Command::new("prlimit").args(["--pid", &process, &limit]).status().unwrap().success());
}

/// Root may do everything to every file, until it is told not to.
fn launch_without_privileges(own: &Path) -> Launch {
    let root = fs::metadata(own).unwrap().uid() == 0;
    let through = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"];
    let launch = Launch::serve("http://localhost:1").with("PORT", "0");
    if root { launch.through(&through) } else { launch }
}
