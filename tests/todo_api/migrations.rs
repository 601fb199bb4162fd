//! Schema migrations: the first server to start runs them, and the schema is never downgraded.

use std::{fs, sync::Arc};

use aws_lc_rs::digest::{SHA384, digest};
use todo_api::store::{self, OpenError};

use crate::support::{App, Database, Launch, MigrationLock, Program, config, on_both};

on_both!(
    servers_that_start_at_the_same_time_migrate_once,
    a_schema_newer_than_the_program_is_refused,
    a_server_waiting_for_a_migration_reports_it_and_can_stop,
);

async fn servers_that_start_at_the_same_time_migrate_once(database: Database) {
    let starting: Vec<_> = (0..8).map(|_| tokio::spawn(open(database.clone()))).collect();
    for started in starting {
        started.await.unwrap().unwrap();
    }
    let applied = database.number("SELECT count(*) FROM _sqlx_migrations").await;
    assert_eq!(applied, database.number("SELECT max(version) FROM _sqlx_migrations").await);
    App::on(database).await.create("uma", "Walk the dog").await;
}

async fn a_schema_newer_than_the_program_is_refused(database: Database) {
    open(database.clone()).await.unwrap();
    let newer = "
        INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (999, 'from the future', true, 'abc', 1)";
    database.execute(newer).await;
    let error = open(database).await.unwrap_err();
    let OpenError::Newer { version: 999, .. } = &error else {
        panic!("{error:?}");
    };
    let shown = error.to_string();
    assert!(shown.contains("version 999, which is newer than this program supports"), "{shown}");
}

async fn a_server_waiting_for_a_migration_reports_it_and_can_stop(database: Database) {
    let launch = Launch::dev().with("DATABASE_URL", database.url());
    let mut program = Program::launch(launch).await;
    assert!(program.stop("TERM").await.success());
    let migration = MigrationLock::acquire(&database).await;
    program.spawn();
    program.wait_for("waiting for the schema to be up to date").await;
    assert!(program.stop("TERM").await.success());
    program.spawn();
    migration.release().await;
    program.wait_until_ready().await;
}

/// Until the store had its own migrations for SQLite, sqlx ran them. It created this table and
/// stored the SHA-384 digests of the files.
#[tokio::test]
async fn a_sqlite_file_that_sqlx_has_migrated_can_be_opened() {
    let database = Database::sqlite();
    fs::create_dir_all(database.file().parent().unwrap()).unwrap();
    let file = rusqlite::Connection::open(database.file()).unwrap();
    let table = "
        CREATE TABLE _sqlx_migrations (
            version BIGINT PRIMARY KEY,
            description TEXT NOT NULL,
            installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
            success BOOLEAN NOT NULL,
            checksum BLOB NOT NULL,
            execution_time BIGINT NOT NULL
        );";
    file.execute_batch(table).unwrap();
    let mut paths: Vec<_> =
        fs::read_dir("migrations/sqlite").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for (path, version) in paths.iter().zip(1..) {
        let sql = fs::read_to_string(path).unwrap();
        file.execute_batch(&sql).unwrap();
        let insert =
            "INSERT INTO _sqlx_migrations VALUES (?1, 'x', CURRENT_TIMESTAMP, TRUE, ?2, 9)";
        let checksum = digest(&SHA384, sql.as_bytes());
        file.execute(insert, (version, checksum.as_ref())).unwrap();
    }
    drop(file);
    database.fill(1).await;
    assert_eq!(App::on(database.clone()).await.names("uma").await, ["old"]);
    let applied = i64::try_from(paths.len()).unwrap();
    assert_eq!(database.number("SELECT count(*) FROM _sqlx_migrations").await, applied);

    // A migration that was edited after it was applied.
    database.execute("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await;
    let error = open(database).await.unwrap_err();
    assert!(matches!(error, OpenError::Migrate { .. }), "{error:?}");
}

async fn open(database: Database) -> Result<(), OpenError> {
    store::open(&config(&database).database, Arc::new(|| 0)).await.map(drop)
}
