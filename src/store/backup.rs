//! A copy of the todos in a file, made while servers go on writing.

use std::{fs::File, io, path::Path};

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::config::Database;

/// Copies the database to a new file, as it is at one moment. Nobody waits for it: it reads what
/// was committed before it began.
///
/// # Errors
///
/// [`BackupError`] says what failed. A copy that was begun is then not complete.
pub async fn back_up(database: &Database, copy: &Path) -> Result<(), BackupError> {
    let Database::Sqlite(file) = database else { return Err(BackupError::NotSqlite) };
    if copy.exists() {
        return Err(BackupError::Exists(copy.display().to_string()));
    }
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await?;
    let name = copy.to_string_lossy();
    sqlx::query("VACUUM INTO $1").bind(name.as_ref()).execute(&mut connection).await?;
    connection.close().await?;
    // SQLite leaves it to the system when the copy reaches the disk.
    Ok(File::open(copy)?.sync_all()?)
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// PostgreSQL has its own programs for that.
    #[error("DATABASE_URL is not sqlite://PATH; for PostgreSQL use pg_dump (docs/DEPLOY.md)")]
    NotSqlite,
    /// Nothing is overwritten.
    #[error("{0} is there already")]
    Exists(String),
    /// The file cannot be read, or the copy cannot be written.
    #[error("failed to copy the database")]
    Copy(#[from] sqlx::Error),
    /// The copy may not be on the disk.
    #[error("failed to make sure that the copy is on the disk")]
    Sync(#[from] io::Error),
}
