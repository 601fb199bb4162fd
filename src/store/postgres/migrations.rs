//! Brings the schema up to date. sqlx ran the migrations in an earlier version of this program, so
//! the table of applied migrations has the columns that sqlx gave it.

use std::collections::HashMap;

use tokio_postgres::{Client, Error, Row};

use crate::store::{
    OpenError,
    migrations::{Applied, POSTGRES, missing},
};

use super::error::PostgresError;

/// Only one server migrates at a time. The number is arbitrary. The connection holds the lock until
/// it is closed.
const LOCK: &str = "SELECT pg_advisory_lock(7241606352940418)";

const CREATE_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS _sqlx_migrations (
        version BIGINT PRIMARY KEY,
        description TEXT NOT NULL,
        installed_on TIMESTAMPTZ NOT NULL DEFAULT now(),
        success BOOLEAN NOT NULL,
        checksum BYTEA NOT NULL,
        execution_time BIGINT NOT NULL
    )";

/// The execution time is not used.
const RECORD: &str = "
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
    VALUES ($1, $2, TRUE, $3, -1)";

/// Applies the missing migrations, each in a transaction. `database` is the name for errors.
///
/// # Errors
///
/// [`OpenError`] if the schema is newer than this program can use, if a migration has been edited since it
/// was applied, or if the server fails.
pub(super) async fn migrate(client: &mut Client, database: &str) -> Result<(), OpenError> {
    let failed = |error: Error| OpenError::Migrate {
        database: database.to_owned(),
        source: PostgresError::from(error).into(),
    };
    client.batch_execute(LOCK).await.map_err(failed)?;
    client.batch_execute(CREATE_TABLE).await.map_err(failed)?;
    let applied = applied(client).await.map_err(failed)?;
    for (version, migration) in missing(POSTGRES, &applied, database)? {
        let transaction = client.transaction().await.map_err(failed)?;
        transaction.batch_execute(migration.sql).await.map_err(failed)?;
        transaction
            .execute(RECORD, &[&version, &migration.file, &migration.checksum()])
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
    }
    Ok(())
}

/// Returns the applied migrations by version.
pub(super) async fn applied(client: &Client) -> Result<HashMap<i64, Applied>, Error> {
    let query = "SELECT version, description, checksum FROM _sqlx_migrations";
    let rows = client.query(query, &[]).await?;
    let read = |row: &Row| {
        let migration = Applied { file: row.try_get(1)?, checksum: row.try_get(2)? };
        Ok((row.try_get(0)?, migration))
    };
    rows.iter().map(read).collect()
}
