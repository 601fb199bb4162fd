//! Schema migrations: the first server to start runs them, servers of the previous version can use
//! an expanded schema, and the schema is never downgraded.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use todo_api::store::{self, OpenError};

use crate::support::{
    App, Database, Launch, MigrationLock, Program, config, on_both, sqlite_migrations,
};

on_both!(
    servers_that_start_at_the_same_time_migrate_once,
    two_versions_use_the_same_database_during_an_update,
    a_schema_that_was_contracted_by_a_later_version_is_refused,
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

/// The later version adds a column, as docs/CONTRIBUTING.md describes it, and a table. Its requests
/// are SQL statements here.
async fn two_versions_use_the_same_database_during_an_update(database: Database) {
    let running = App::on(database.clone()).await;
    running.create("uma", "Walk the dog").await;
    let index = match &database {
        Database::Sqlite(_) => {
            "DROP INDEX todos_by_owner;
             CREATE INDEX todos_by_owner ON todos (tenant, owner, id, name, is_complete, version, due);"
        }
        Database::Postgres(_) => "",
    };
    let expansion = format!(
        "ALTER TABLE todos ADD COLUMN due TEXT NOT NULL DEFAULT '';
         {index}
         CREATE TABLE labels (todo BIGINT NOT NULL, label TEXT NOT NULL)"
    );
    database.execute(expansion).await;
    record(&database, 999, "0999_due.expand.sql").await;
    database.execute("UPDATE todos SET due = '2027-01-31'").await;

    // A server of the previous version that was running, and one that is started again.
    let restarted = running.another().await;
    for (app, name) in [(&running, "running"), (&restarted, "restarted")] {
        let token = app.token("uma").await;
        let key = [("idempotency-key", name)];
        let body = serde_json::json!({ "item": { "name": name } });
        let create = async || {
            let body = Some(body.clone());
            app.send_all(Some(&token), Method::POST, "/todoitems", &key, body).await
        };
        let created = create().await;
        assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
        assert_eq!(create().await.body, created.body);
        assert_eq!(app.names("uma").await, ["Walk the dog", name]);
        let path = format!("/todoitems/{}", created.body["item"]["id"]);
        let send = async |method, path: &str, body| {
            app.send(Some(&token), method, path, body).await.status
        };
        let complete = serde_json::json!({ "item": { "is_complete": true } });
        assert_eq!(send(Method::PATCH, &path, Some(complete.clone())).await, StatusCode::OK);
        assert_eq!(send(Method::PATCH, "/todoitems/1", Some(complete)).await, StatusCode::OK);
        assert_eq!(send(Method::GET, &path, None).await, StatusCode::OK);
        assert_eq!(send(Method::DELETE, &path, None).await, StatusCode::NO_CONTENT);
        app.assert_ready().await;
    }
    // The value that only the later version knows is still there.
    let dated = "SELECT count(*) FROM todos WHERE id = 1 AND is_complete AND due = '2027-01-31'";
    assert_eq!(database.number(dated).await, 1);
    let answer = restarted.send_as("ada", Method::DELETE, "/todoitems", None).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(running.names("uma").await, [""; 0]);
}

async fn a_schema_that_was_contracted_by_a_later_version_is_refused(database: Database) {
    open(database.clone()).await.unwrap();
    record(&database, 997, "0997_due.expand.sql").await;
    open(database.clone()).await.unwrap();
    for (version, name) in [(998, "0998_due.contract.sql"), (999, "an unknown change")] {
        record(&database, version, name).await;
        let error = open(database.clone()).await.unwrap_err();
        let OpenError::Newer { migration, .. } = &error else { panic!("{error:?}") };
        assert!(migration.ends_with(name), "{migration}");
        let shown = error.to_string();
        let explained = format!("a later version has applied {migration}: run that version");
        assert!(shown.contains(&explained), "{shown}");
        database.execute(format!("DELETE FROM _sqlx_migrations WHERE version = {version}")).await;
    }
    open(database).await.unwrap();
}

/// Records that a later version has applied this migration.
async fn record(database: &Database, version: i64, name: &str) {
    let folder = match database {
        Database::Sqlite(_) => "sqlite",
        Database::Postgres(_) => "postgres",
    };
    let insert = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES ({version}, '{folder}/{name}', true, 'abc', 1)"
    );
    database.execute(insert).await;
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

#[tokio::test]
async fn a_sqlite_file_that_sqlx_has_migrated_can_be_opened() {
    let migrations = sqlite_migrations();
    let database = Database::migrated_by_sqlx(&migrations);
    database.fill(1).await;
    assert_eq!(App::on(database.clone()).await.names("uma").await, ["old"]);
    let applied = i64::try_from(migrations.len()).unwrap();
    assert_eq!(database.number("SELECT count(*) FROM _sqlx_migrations").await, applied);

    // A migration that was edited after it was applied.
    database.execute("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await;
    let error = open(database).await.unwrap_err();
    assert!(matches!(error, OpenError::Migrate { .. }), "{error:?}");
}

async fn open(database: Database) -> Result<(), OpenError> {
    store::open(&config(&database).database, 1, Arc::new(|| 0)).await.map(drop)
}
