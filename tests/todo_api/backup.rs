//! A copy of the SQLite file, made while the server writes, is a database to start from.

use std::fs;

use futures_util::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::program::{Launch, Program};

#[tokio::test]
async fn a_copy_made_under_load_has_all_that_was_there_when_it_began() {
    let mut program = Program::start().await;
    let token = program.todo_api(&["token", "--as", "uma"]);
    let client = Client::builder().no_proxy().build().unwrap();
    let list = format!("{}/todoitems", program.url);
    let create = async |name: String| {
        let body = json!({ "item": { "name": name } });
        let request = client.post(&list).bearer_auth(token.trim()).json(&body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json::<Value>().await.unwrap()["item"]["id"].as_i64().unwrap()
    };
    let before = join_all((0..100).map(|number| create(format!("before {number}")))).await;
    let copy = program.folder.path().join("copy.db");
    let launch = program.launch.clone();
    let folder = program.folder.path().to_owned();
    let copying = tokio::task::spawn_blocking(move || launch.run(&folder, &["backup", "copy.db"]));
    let meanwhile = join_all((0..100).map(|number| create(format!("meanwhile {number}")))).await;
    let output = copying.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    // As docs/DEPLOY.md says: stop, put the copy in the place of the file, start.
    assert!(program.stop("TERM").await.success());
    let file = program.folder.path().join("data/todo.db");
    for leftover in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{leftover}", file.display()));
    }
    fs::rename(copy, file).unwrap();
    program.restart().await;
    let request = client.get(format!("{list}?limit=1000")).bearer_auth(token.trim());
    let page: Value = request.send().await.unwrap().json().await.unwrap();
    let ids: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
    let ids: Vec<_> = ids.iter().map(|id| id.as_i64().unwrap()).collect();
    assert!(before.iter().all(|id| ids.contains(id)), "{ids:?} lacks some of {before:?}");
    // Of the rest, those up to some moment: ids are given out in order.
    let expected: Vec<_> = (1..=ids.len() as i64).collect();
    assert_eq!(ids, expected);
    assert!(ids.len() <= before.len() + meanwhile.len());
}

#[test]
fn nothing_is_overwritten_and_for_postgres_another_program_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("copy.db"), "precious").unwrap();
    let backup = |launch: Launch| {
        let output = launch.run(folder.path(), &["backup", "copy.db"]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let shown = backup(Launch::default());
    assert!(shown.contains("copy.db is there already"), "{shown}");
    let postgres = "postgres://todo:secret@127.0.0.1/todo";
    let shown = backup(Launch::default().with("DATABASE_URL", postgres));
    assert!(shown.contains("pg_dump") && !shown.contains("secret"), "{shown}");
    fs::remove_file(folder.path().join("copy.db")).unwrap();
    let shown = backup(Launch::default());
    assert!(shown.contains("failed to copy the database"), "there is none: {shown}");
    assert!(!folder.path().join("data/todo.db").exists());
}
