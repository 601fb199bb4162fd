//! What the server does with a restored SQLite file: it migrates that of an earlier version, and
//! refuses what it cannot use without changing it.

use std::{fs, path::Path};

use rusqlite::Connection;

use crate::support::{App, Database, Launch, sqlite_migrations};

#[tokio::test]
async fn a_backup_of_each_earlier_schema_is_migrated() {
    let migrations = sqlite_migrations();
    assert!(migrations.len() > 1);
    for applied in 1..migrations.len() {
        let earlier = Database::migrated_by_sqlx(&migrations[..applied]);
        earlier.fill(2).await;
        earlier.execute("DELETE FROM todos WHERE id = 2").await;

        let restored = Database::sqlite_without_file();
        back_up(&earlier, &restored.file());
        let app = App::on(restored.clone()).await;
        assert_eq!(app.names("uma").await, ["old"], "{applied}");
        let new = app.create("uma", "new").await["id"].clone();
        assert_eq!(new, 3, "the id of a deleted todo is used again, {applied}");
        let applied = restored.number("SELECT count(*) FROM _sqlx_migrations").await;
        assert_eq!(applied, i64::try_from(migrations.len()).unwrap());
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_refused_and_stays_as_it_is() {
    let database = Database::sqlite_without_file();
    App::on(database.clone()).await.stop().await;
    database.fill(1_000).await;
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy.db");
    back_up(&database, &copy);
    let complete = fs::read(&copy).unwrap();
    let page = 4_096;
    assert!(complete.len() > 10 * page && complete.len().is_multiple_of(page));

    let other = copies.path().join("other.db");
    let connection = Connection::open(&other).unwrap();
    connection.execute_batch("CREATE TABLE bookmarks (url TEXT); PRAGMA user_version = 3").unwrap();
    drop(connection);
    let newer = copies.path().join("newer.db");
    fs::write(&newer, &complete).unwrap();
    let connection = Connection::open(&newer).unwrap();
    let rename = "UPDATE _sqlx_migrations SET version = 999, description = '0999_x.contract.sql'
                  WHERE version = 7";
    connection.execute_batch(rename).unwrap();
    drop(connection);

    let part = |length: usize| complete[..length].to_vec();
    let text = b"-- A dump of the database.\n".repeat(1_000);
    for (content, problem) in [
        (part(99), "because it is damaged or incomplete: restore a backup"),
        (part(511), "because it is damaged or incomplete: "),
        (part(page), "because it is damaged or incomplete: "),
        (part(complete.len() / 2), "because it is damaged or incomplete: "),
        (part(complete.len() - page), "because it is damaged or incomplete: "),
        (part(complete.len() - 1), "because its end is missing: "),
        (text, "because it is not a SQLite database: "),
        (fs::read(&other).unwrap(), "because it is the database of another program: "),
        (fs::read(&newer).unwrap(), "a later version has applied 0999_x.contract.sql: run that"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("todo.db");
        fs::write(&file, &content).unwrap();
        let url = format!("sqlite://{}", file.display());
        let launch = Launch::serve("http://127.0.0.1:9").with("DATABASE_URL", &url);
        let launch = launch.with("PORT", "0");
        let shown = launch.refusal(folder.path());
        assert!(shown.contains(problem) && shown.contains("todo.db"), "{problem:?}: {shown}");
        assert!(fs::read(&file).unwrap() == content, "the file has changed: {problem}");
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap()).collect();
        assert_eq!(files.len(), 1, "{files:?}");

        let doctor = launch.run(folder.path(), &["doctor"]);
        let shown = String::from_utf8(doctor.stdout).unwrap();
        assert!(shown.contains(problem.split(':').next().unwrap()), "{problem:?}: {shown}");
        assert!(fs::read(&file).unwrap() == content, "the file has changed: {problem}");
    }
}

/// Runs `todo-api backup`.
fn back_up(database: &Database, copy: &Path) {
    let launch = Launch::default().with("DATABASE_URL", database.url());
    let output = launch.run(copy.parent().unwrap(), &["backup", copy.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
}
