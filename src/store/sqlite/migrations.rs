//! Brings the schema up to date. sqlx ran the migrations in an earlier version of this program, so
//! the table of applied migrations has the columns that sqlx gave it.

use std::collections::HashMap;

use rusqlite::{Connection, Row, TransactionBehavior, params};

use crate::store::{
    OpenError,
    migrations::{Applied, Migration},
};

use super::error::SqliteError;

const CREATE_TABLE: &str = "
    CREATE TABLE IF NOT EXISTS _sqlx_migrations (
        version BIGINT PRIMARY KEY,
        description TEXT NOT NULL,
        installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
        success BOOLEAN NOT NULL,
        checksum BLOB NOT NULL,
        execution_time BIGINT NOT NULL
    )";

/// The execution time is not used.
const RECORD: &str = "
    INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
    VALUES (?1, ?2, TRUE, ?3, -1)";

/// Applies the missing migrations, each in a transaction. `database` is the name for errors.
///
/// # Errors
///
/// [`OpenError`] if SQLite fails.
pub(super) fn migrate(
    connection: &mut Connection,
    missing: Vec<(i64, &Migration)>,
    database: &str,
) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| OpenError::Migrate {
        database: database.to_owned(),
        source: SqliteError::from(error).into(),
    };
    connection.execute_batch(CREATE_TABLE).map_err(failed)?;
    for (version, migration) in missing {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        transaction.execute_batch(migration.sql).map_err(failed)?;
        let record = params![version, migration.file, migration.checksum()];
        transaction.execute(RECORD, record).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(())
}

/// Returns the applied migrations by version.
pub(super) fn applied(connection: &Connection) -> rusqlite::Result<HashMap<i64, Applied>> {
    let query = "SELECT version, description, checksum FROM _sqlx_migrations";
    let mut statement = connection.prepare(query)?;
    let read = |row: &Row| {
        let checksum = row.get_ref(2)?.as_bytes()?.to_owned();
        Ok((row.get(0)?, Applied { file: row.get(1)?, checksum }))
    };
    statement.query_map([], read)?.collect()
}
