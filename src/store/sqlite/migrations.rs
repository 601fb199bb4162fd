//! Brings the schema up to date. The table of applied migrations is that of sqlx, as in PostgreSQL.

use std::collections::HashMap;

use rusqlite::{Connection, TransactionBehavior, params};
use sqlx::migrate::MigrateError;

use crate::store::OpenError;

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
/// [`OpenError`] if the schema is newer than this program, if a migration has been edited since it
/// was applied, or if SQLite fails.
pub(super) fn migrate(connection: &mut Connection, database: &str) -> Result<(), OpenError> {
    let failed = |source| OpenError::Migrate { database: database.to_owned(), source };
    let sqlite = |error: rusqlite::Error| failed(SqliteError::from(error).into());
    let migrator = sqlx::migrate!("migrations/sqlite");
    connection.execute_batch(CREATE_TABLE).map_err(sqlite)?;
    let applied = applied(connection).map_err(sqlite)?;
    if let Some(&version) = applied.keys().find(|version| !migrator.version_exists(**version)) {
        return Err(OpenError::Newer { database: database.to_owned(), version });
    }
    for migration in migrator.iter() {
        match applied.get(&migration.version) {
            Some(checksum) if *checksum == *migration.checksum => {}
            Some(_) => {
                return Err(failed(MigrateError::VersionMismatch(migration.version).into()));
            }
            None => {
                let transaction = connection
                    .transaction_with_behavior(TransactionBehavior::Immediate)
                    .map_err(sqlite)?;
                transaction.execute_batch(migration.sql.as_str()).map_err(sqlite)?;
                let record = params![migration.version, migration.description, migration.checksum];
                transaction.execute(RECORD, record).map_err(sqlite)?;
                transaction.commit().map_err(sqlite)?;
            }
        }
    }
    Ok(())
}

/// Returns the checksums of the applied migrations by version.
fn applied(connection: &Connection) -> rusqlite::Result<HashMap<i64, Vec<u8>>> {
    let mut statement = connection.prepare("SELECT version, checksum FROM _sqlx_migrations")?;
    statement
        .query_map([], |row| Ok((row.get(0)?, row.get_ref(1)?.as_bytes()?.to_owned())))?
        .collect()
}
