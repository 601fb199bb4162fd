//! Schema migrations: the first server to start runs them, and the schema is never downgraded.

use std::sync::Arc;

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

async fn open(database: Database) -> Result<(), OpenError> {
    store::open(&config(&database).database, Arc::new(|| 0)).await.map(drop)
}
