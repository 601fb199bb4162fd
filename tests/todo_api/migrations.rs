//! The schema: brought up to date by whichever server comes first, never taken back.

use std::sync::Arc;

use todo_api::store::{self, OpenError};

use crate::{
    databases::{Database, on_both},
    support::{App, config},
};

on_both!(
    servers_that_start_at_once_migrate_once,
    a_schema_that_is_newer_than_the_program_is_refused,
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

async fn open(database: Database) -> Result<(), OpenError> {
    store::open(&config(&database).database, Arc::new(|| 0)).await.map(drop)
}
