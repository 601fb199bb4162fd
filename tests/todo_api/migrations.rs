//! The schema: brought up to date by whichever server comes first, never taken back.

use std::{fs::File, sync::Arc};

use sqlx::{Connection, PgConnection};
use todo_api::store::{self, OpenError};

use crate::{
    databases::{Database, on_both},
    program::{Launch, Program},
    support::{App, config},
};

on_both!(
    servers_that_start_at_once_migrate_once,
    a_schema_that_is_newer_than_the_program_is_refused,
    a_server_that_waits_for_the_migration_of_another_one_says_so_and_can_be_stopped,
);

async fn servers_that_start_at_once_migrate_once(database: Database) {
    let starting: Vec<_> = (0..8).map(|_| tokio::spawn(open(database.clone()))).collect();
    for started in starting {
        started.await.unwrap().unwrap();
    }
    let applied = database.number("SELECT count(*) FROM _sqlx_migrations").await;
    assert_eq!(applied, database.number("SELECT max(version) FROM _sqlx_migrations").await);
    App::on(database).await.create("uma", "Walk the dog").await;
}

async fn a_schema_that_is_newer_than_the_program_is_refused(database: Database) {
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
    assert!(shown.contains("version 999, which is newer than this program knows"), "{shown}");
}

async fn a_server_that_waits_for_the_migration_of_another_one_says_so_and_can_be_stopped(
    database: Database,
) {
    let launch = Launch::dev().with("DATABASE_URL", database.url());
    let mut program = Program::launch(launch).await;
    assert!(program.stop("TERM").await.success());
    let migration = Migration::begin(&database).await;
    program.spawn();
    program.wait_for("waiting for the schema to be up to date").await;
    assert!(program.stop("TERM").await.success());
    program.spawn();
    migration.end().await;
    program.wait_until_ready().await;
}

/// What another server holds while it brings the schema up to date.
enum Migration {
    Folder(File),
    Table(PgConnection),
}

impl Migration {
    async fn begin(database: &Database) -> Self {
        match database {
            Database::Sqlite(_) => {
                let folder = File::open(database.file().parent().unwrap()).unwrap();
                folder.lock().unwrap();
                Self::Folder(folder)
            }
            Database::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let lock = "BEGIN; LOCK TABLE _sqlx_migrations IN ACCESS EXCLUSIVE MODE";
                sqlx::raw_sql(lock).execute(&mut connection).await.unwrap();
                Self::Table(connection)
            }
        }
    }

    async fn end(self) {
        match self {
            Self::Folder(folder) => folder.unlock().unwrap(),
            Self::Table(connection) => connection.close().await.unwrap(),
        }
    }
}

async fn open(database: Database) -> Result<(), OpenError> {
    store::open(&config(&database).database, Arc::new(|| 0)).await.map(drop)
}
