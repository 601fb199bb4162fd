//! Backups that are made while the server writes, and how to restore them.

use std::{fs, process::Command};

use futures_util::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    App, Database, Launch, Postgres, Program, SlowDisk, Tool, client, require, send_signal,
    test_name, wait_until,
};

#[tokio::test]
async fn a_backup_under_load_has_every_todo_from_before_it_began() {
    let mut program = Program::start().await;
    let todos = Todos::of(&program);
    let before = todos.create_many("before").await;
    let copy = program.folder.path().join("copy.db");
    let launch = program.launch.clone();
    let folder = program.folder.path().to_owned();
    let copying = tokio::task::spawn_blocking(move || launch.run(&folder, &["backup", "copy.db"]));
    let meanwhile = todos.create_many("meanwhile").await;
    let output = copying.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let size = fs::metadata(&copy).unwrap().len();
    let output = program.launch.run(program.folder.path(), &["backup", "copy.db"]);
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("failed to write copy.db: File exists"), "{shown}");
    assert_eq!(fs::metadata(&copy).unwrap().len(), size);

    // As docs/DEPLOY.md says: stop the server, replace the file with the copy, start the server.
    assert!(program.stop("TERM").await.success());
    let deploy = fs::read_to_string("docs/DEPLOY.md").unwrap();
    let (_, restore) = deploy.split_once("To restore, stop the server, then:").unwrap();
    let commands = restore.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let commands = commands.replace("/backups/todo-2026-01-31.db", "copy.db");
    assert_eq!(commands.matches("copy.db").count(), 1, "{commands}");
    let mut restore = Command::new("sh");
    restore.args(["-ec", &commands]).current_dir(program.folder.path());
    assert!(restore.status().unwrap().success());
    program.restart().await;
    let ids = todos.ids().await;
    assert!(before.iter().all(|id| ids.contains(id)), "{ids:?} lacks some of {before:?}");
    // The other todos are those up to some moment, because ids are assigned in order.
    let expected: Vec<_> = (1..=ids.len() as i64).collect();
    assert_eq!(ids, expected);
    assert!(ids.len() <= before.len() + meanwhile.len());
}

#[tokio::test]
async fn a_restored_postgres_dump_never_reuses_an_id() {
    let Some([programs]) = require(test_name!(), [Tool::Postgres]) else { return };
    let postgres = Postgres::shared(&programs);
    let [url, restored] = [postgres.create_database().await, postgres.create_database().await];
    let mut program = Program::launch(Launch::dev().with("DATABASE_URL", &url)).await;
    let todos = Todos::of(&program);
    let mut before = todos.create_many("before").await;
    // The last todo is deleted before the dump, so only the sequence still has its id.
    let last = before.pop().unwrap();
    todos.delete(last).await;

    // The commands of docs/DEPLOY.md.
    let dump = program.folder.path().join("todo.dump");
    let mut dumping = Command::new(programs.join("pg_dump"));
    dumping.arg("--format=custom").arg(format!("--file={}", dump.display())).arg(&url);
    let dumping = tokio::task::spawn_blocking(move || dumping.output().unwrap());
    let meanwhile = todos.create_many("meanwhile").await;
    let dumped = dumping.await.unwrap();
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    let mut restoring = Command::new(programs.join("pg_restore"));
    let output =
        restoring.arg("--no-owner").arg(format!("--dbname={restored}")).arg(&dump).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    assert!(program.stop("TERM").await.success());
    program.launch = program.launch.clone().with("DATABASE_URL", restored);
    program.restart().await;
    let ids = todos.ids().await;
    let rest: Vec<_> = ids.iter().filter(|id| !before.contains(id)).collect();
    assert_eq!(ids.len(), before.len() + rest.len(), "{ids:?} lacks some of {before:?}");
    assert!(rest.iter().all(|id| meanwhile.contains(id)), "{ids:?}");
    let next = todos.create("after").await;
    assert!(next > last && ids.iter().all(|id| next > *id), "{next} after {last} and {ids:?}");
}

#[test]
fn backup_refuses_a_missing_database_and_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let backup = |launch: Launch| {
        let output = launch.run(folder.path(), &["backup", "copy.db"]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let postgres = "postgres://todo:secret@127.0.0.1/todo";
    let shown = backup(Launch::default().with("DATABASE_URL", postgres));
    assert!(shown.contains("pg_dump") && !shown.contains("secret"), "{shown}");
    let shown = backup(Launch::default());
    let unable = "unable to open database file";
    assert!(shown.contains("failed to copy the database data/todo.db: "), "{shown}");
    assert_eq!(shown.matches(unable).count(), 1, "{shown}");
    assert!(!folder.path().join("data/todo.db").exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_backup_to_a_full_disk_leaves_no_file() {
    let program = Program::start().await;
    Todos::of(&program).create_many("item").await;
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy.db").display().to_string();
    // Files of at most 64 blocks of 512 bytes, which is less than the tables need.
    let little_room = ["sh", "-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\""];
    let launch = program.launch.clone().through(&little_room);
    let output = launch.run(program.folder.path(), &["backup", &copy]);
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("failed to copy the database"), "{shown}");
    assert_eq!(fs::read_dir(copies.path()).unwrap().count(), 0);
    program.todo_api(&["backup", &copy]);
    assert_eq!(fs::read_dir(copies.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_backup_that_gets_a_signal_leaves_no_file() {
    let database = Database::sqlite();
    App::on(database.clone()).await.stop().await;
    // With this many todos, a copy takes longer than a minute.
    database.fill(20_000).await;
    for signal in ["TERM", "INT", "HUP"] {
        let folder = tempfile::tempdir().unwrap();
        let disk = SlowDisk::new(folder.path());
        let launch = disk.under(Launch::default().with("DATABASE_URL", database.url()));
        // The tests themselves may have been started with nohup.
        let launch = launch.through(&["env", "--default-signal=HUP"]);
        let copies = tempfile::tempdir().unwrap();
        let files = || fs::read_dir(copies.path()).unwrap().count();
        disk.turn_on();
        let copy = copies.path().join("copy.db");
        let backup = launch.begin(folder.path(), &["backup", copy.to_str().unwrap()]);
        let process = backup.id();
        wait_until("the backup is in progress", async || files() > 0 && disk.reads() > 10).await;
        send_signal(process, signal);
        let output = tokio::task::spawn_blocking(|| backup.wait_with_output().unwrap());
        let output = output.await.unwrap();
        assert_eq!(output.status.code(), Some(1), "{signal}: {output:?}");
        let shown = String::from_utf8(output.stderr).unwrap();
        assert_eq!(shown, "Error: the backup was cancelled, and there is no copy\n");
        assert_eq!(files(), 0, "{signal}");
        assert!(disk.reads() < 100, "it was not cancelled at once: {} reads", disk.reads());
    }
}

#[tokio::test]
async fn a_backup_with_nohup_is_completed_after_sighup() {
    let database = Database::sqlite();
    App::on(database.clone()).await.stop().await;
    database.fill(20_000).await;
    let folder = tempfile::tempdir().unwrap();
    let disk = SlowDisk::new(folder.path());
    let launch = Launch::default().with("DATABASE_URL", database.url()).through(&["nohup"]);
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy.db");
    disk.turn_on();
    let backup = disk.under(launch).begin(folder.path(), &["backup", copy.to_str().unwrap()]);
    let begun = async || fs::read_dir(copies.path()).unwrap().count() > 0 && disk.reads() > 10;
    wait_until("the backup is in progress", begun).await;
    send_signal(backup.id(), "HUP");
    assert!(!copy.exists(), "the backup was complete before the signal");
    disk.turn_off();
    let output = tokio::task::spawn_blocking(|| backup.wait_with_output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(copy.exists());
}

/// The todos of Uma, by id.
struct Todos {
    list: String,
    token: String,
    client: Client,
}

impl Todos {
    fn of(program: &Program) -> Self {
        let list = format!("{}/todoitems", program.url);
        Self { list, token: program.token("uma"), client: client() }
    }

    /// Creates a hundred todos at once and returns their ids.
    async fn create_many(&self, name: &str) -> Vec<i64> {
        let mut ids = join_all((0..100).map(|_| self.create(name))).await;
        ids.sort_unstable();
        ids
    }

    async fn create(&self, name: &str) -> i64 {
        let body = json!({ "item": { "name": name } });
        let request = self.client.post(&self.list).bearer_auth(&self.token).json(&body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.json::<Value>().await.unwrap()["item"]["id"].as_i64().unwrap()
    }

    async fn delete(&self, id: i64) {
        let request = self.client.delete(format!("{}/{id}", self.list)).bearer_auth(&self.token);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    }

    async fn ids(&self) -> Vec<i64> {
        let request = self.client.get(format!("{}?limit=1000", self.list));
        let answer = request.bearer_auth(&self.token).send().await.unwrap();
        let page: Value = answer.json().await.unwrap();
        let items = page["items"].as_array().unwrap();
        items.iter().map(|item| item["id"].as_i64().unwrap()).collect()
    }
}
