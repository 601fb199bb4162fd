//! Faults of a SQLite file: a full or slow disk, and a file that is locked, damaged or read-only.
//! Each causes a clear response or a clear error at start, the server recovers by itself, and no
//! acknowledged todo is lost.

use std::{
    fs::{self, Permissions},
    io::{Seek, SeekFrom, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    process::Command,
};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, App, Launch, Program, SlowDisk, client};

#[tokio::test]
async fn a_locked_file_can_be_read_and_accepts_writes_once_unlocked() {
    let app = App::start().await;
    app.create("uma", "before").await;
    let other = app.database().open();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    create(&app, "meanwhile").await.assert_unavailable("overloaded");
    assert_eq!(app.names("uma").await, ["before"]);
    app.assert_not_ready("overloaded").await;
    other.execute_batch("ROLLBACK").unwrap();
    app.assert_ready().await;
    app.create("uma", "after").await;
    assert_eq!(app.names("uma").await, ["before", "after"]);
}

#[tokio::test]
async fn a_replaced_file_accepts_no_writes_until_it_is_back() {
    let mut app = App::start().await;
    let mut acknowledged = vec!["before"];
    app.create("uma", "before").await;
    let file = app.database().file();
    let [log, index] = ["db-wal", "db-shm"].map(|extension| file.with_extension(extension));
    for (path, after) in [(&file, "after the first"), (&log, "the second"), (&index, "the third")] {
        let aside = path.with_extension("aside");
        fs::rename(path, &aside).unwrap();
        app.assert_not_ready("internal").await;
        for _ in 0..2 {
            create(&app, "in doubt").await.assert_unavailable("internal");
        }
        assert!(!path.exists(), "the server created an empty file");
        fs::write(path, "another file").unwrap();
        create(&app, "in doubt").await.assert_problem(503, "internal");
        app.assert_not_ready("internal").await;
        let names = app.names("uma").await;
        assert!(acknowledged.iter().all(|name| names.contains(&(*name).to_owned())), "{names:?}");

        fs::rename(&aside, path).unwrap();
        app.assert_ready().await;
        app.create("uma", after).await;
        acknowledged.push(after);
    }
    app.stop().await;
    let names = app.another().await.names("uma").await;
    assert!(acknowledged.iter().all(|name| names.contains(&(*name).to_owned())), "{names:?}");
}

#[tokio::test]
async fn a_server_stops_writing_when_another_replaces_its_shm_file() {
    let mut first = Program::start().await;
    let file = first.folder.path().join("data/todo.db");
    let client = client();
    let create = async |program: &Program, name: &str| {
        let request = client.post(format!("{}/todoitems", program.url));
        let request = request.bearer_auth(program.token("uma"));
        let body = json!({ "item": { "name": name } });
        Answer::of(request.json(&body).send().await.unwrap()).await
    };
    assert_eq!(create(&first, "before").await.status, StatusCode::CREATED);
    fs::remove_file(file.with_extension("db-shm")).unwrap();
    let database = format!("sqlite://{}", file.display());
    let mut second = Program::launch(Launch::dev().with("DATABASE_URL", database)).await;
    // The second server writes more than the first one has written, so a write of the first one
    // would overwrite these todos.
    let mut acknowledged = vec!["before".to_owned()];
    for number in 0..40 {
        let name = format!("item {number}");
        assert_eq!(create(&second, &name).await.status, StatusCode::CREATED);
        acknowledged.push(name);
    }
    create(&first, "lost").await.assert_problem(503, "internal");
    assert_eq!(create(&second, "after").await.status, StatusCode::CREATED);
    acknowledged.push("after".to_owned());
    // The next start reads the todos from the write-ahead log. The first server must not delete the
    // log, although it is the last process that has the log open.
    second.kill();
    assert!(first.stop("TERM").await.success());
    second.restart().await;
    let request = client.get(format!("{}/todoitems?limit=1000", second.url));
    let request = request.bearer_auth(second.token("uma"));
    let page = Answer::of(request.send().await.unwrap()).await.body;
    let names = page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), acknowledged);
}

#[tokio::test]
async fn a_damaged_page_causes_503_until_it_is_repaired() {
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
        answer.assert_unavailable("internal");
    }
    app.assert_not_ready("internal").await;
    app.stop().await;
    fs::write(database.file(), whole).unwrap();
    assert_eq!(app.another().await.names("uma").await, ["Walk the dog"]);
}

#[tokio::test]
async fn a_full_disk_causes_503_and_loses_no_acknowledged_todo() {
    // A limit on the size of files simulates a full disk. The system also sends a signal at this
    // limit, which the shell makes the program ignore.
    let through = ["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""];
    let mut program = Program::launch(Launch::dev().through(&through)).await;
    let token = program.token("uma");
    let client = client();
    let url = format!("{}/todoitems", program.url);
    let create = async |name: String| {
        let request = client.post(&url).bearer_auth(&token);
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
        assert!(acknowledged < 1_000, "the disk never became full");
    };
    refused.assert_unavailable("internal");
    let ready = client.get(format!("{}/health/ready", program.url)).send().await.unwrap();
    let ready = Answer::of(ready).await;
    ready.assert_problem(503, "internal");
    assert_eq!(ready.body["database"], "unavailable");
    let count = async || {
        let request = client.get(format!("{url}?limit=1000")).bearer_auth(&token);
        Answer::of(request.send().await.unwrap()).await.body["items"].as_array().unwrap().len()
    };
    assert_eq!(count().await, acknowledged, "the todos can still be read");

    // Enough room for a page of the file, but not for a change.
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

#[tokio::test]
async fn a_slow_disk_delays_only_the_requests_that_read_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let disk = SlowDisk::new(folder.path());
    let launch = disk.under(Launch::dev().with("DATABASE_TIMEOUT", "60"));
    let program = Program::launch(launch).await;
    let token = program.token("uma");
    let (client, url) = (client(), format!("{}/todoitems", program.url));
    let body = json!({ "item": { "name": "Walk the dog" } });
    // Each round changes the file, so that its pages must be read again. In the first round, the
    // server finds out that the disk is slow.
    for round in 1..=2 {
        let request = client.post(&url).bearer_auth(&token).json(&body);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
        disk.turn_on();
        let requests: Vec<_> =
            (0..8).map(|_| tokio::spawn(client.get(&url).bearer_auth(&token).send())).collect();
        while disk.reads() < 2 {
            tokio::task::yield_now().await;
        }
        let health = client.get(format!("{}/health", program.url)).send().await.unwrap();
        assert_eq!(health.status(), StatusCode::OK);
        let waiting = requests.iter().filter(|request| !request.is_finished()).count();
        assert!(round == 1 || waiting == requests.len(), "{waiting}");
        for request in requests {
            let page = Answer::of(request.await.unwrap().unwrap()).await;
            assert_eq!(page.body["items"].as_array().unwrap().len(), round);
        }
        disk.turn_off();
    }
}

#[tokio::test]
async fn an_inaccessible_file_or_folder_is_reported_at_start() {
    let mut app = App::start().await;
    app.stop().await;
    let up_to_date = fs::read(app.database().file()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = data.join("todo.db");
    fs::create_dir(&data).unwrap();
    let launch = launch_without_privileges(folder.path());
    for (path, mode, reason) in [
        // A folder in which no file can be created.
        (&data, 0o555, "unable to open database file"),
        (&data, 0o000, "Permission denied"),
    ] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let shown = launch.refusal(folder.path());
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
        assert!(shown.contains("data") && shown.contains(reason), "{shown}");
    }
    for (content, mode, reason) in [
        (&b""[..], 0o444, "failed to open the database data/todo.db: attempt to write a readonly"),
        (&[b'x'; 8_192], 0o644, "data/todo.db cannot be used, because it is not a SQLite database"),
        (
            &up_to_date,
            0o444,
            "failed to open the database data/todo.db: attempt to write a readonly",
        ),
    ] {
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        let shown = launch.refusal(folder.path());
        fs::remove_file(&file).unwrap();
        assert!(shown.contains(reason), "{shown}");
    }
    fs::remove_dir_all(&data).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
    let shown = launch.refusal(folder.path());
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    assert!(
        shown
            .contains("failed to create or use the folder data of DATABASE_URL: Permission denied"),
        "{shown}"
    );
}

async fn create(app: &App, name: &str) -> Answer {
    app.try_create(&app.token("uma").await, name).await
}

/// Limits the size of files that the program writes: bytes, or `unlimited`.
fn limit_files(program: &Program, size: &str) {
    let process = program.id().to_string();
    let limit = format!("--fsize={size}:unlimited");
    assert!(Command::new("prlimit").args(["--pid", &process, &limit]).status().unwrap().success());
}

/// A launch with file permissions enforced. Root ignores them unless these capabilities are
/// dropped.
fn launch_without_privileges(own: &Path) -> Launch {
    let root = fs::metadata(own).unwrap().uid() == 0;
    let through = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"];
    let launch = Launch::serve("http://localhost:1").with("PORT", "0");
    if root { launch.through(&through) } else { launch }
}
