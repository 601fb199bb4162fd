//! A copy of the todos in a file, made while servers go on writing.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tempfile::PersistError;

use crate::store::Location;

use super::files::folder_of;

/// Copies the database to a new file, as it is at one moment. Nobody waits for it: it reads what
/// was committed before it began. The file gets its name when it is complete and on the disk.
///
/// # Errors
///
/// [`BackupError`] says what failed. There is no copy then.
pub async fn back_up(location: &Location, copy: &Path) -> Result<(), BackupError> {
    let Location::Sqlite(file) = location else { return Err(BackupError::NotSqlite) };
    let failed = |source| BackupError::Copy { database: file.display().to_string(), source };
    let mut connection =
        SqliteConnectOptions::new().filename(file).connect().await.map_err(failed)?;
    let folder = folder_of(copy);
    // Otherwise the error would name a file that nobody has asked for.
    fs::metadata(folder)
        .map_err(|source| BackupError::Folder { folder: folder.display().to_string(), source })?;
    let named = |source| BackupError::File { file: copy.display().to_string(), source };
    let unfinished = tempfile::Builder::new().prefix(".todo-api-backup-").tempfile_in(folder);
    let unfinished = unfinished.map_err(named)?;
    let name = unfinished.path().to_string_lossy().into_owned();
    // SQLite takes a file that is there only if it is empty.
    sqlx::query("VACUUM INTO $1").bind(name).execute(&mut connection).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    // SQLite leaves it to the system when the copy reaches the disk.
    unfinished.as_file().sync_all().map_err(named)?;
    unfinished.persist_noclobber(copy).map_err(|PersistError { error, .. }| named(error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(named)
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// PostgreSQL has its own programs for that.
    #[error("only a SQLite database can be copied; for PostgreSQL, use pg_dump (docs/DEPLOY.md)")]
    NotSqlite,
    /// The database cannot be read, or there is no room for the copy.
    #[error("failed to copy the database {database}")]
    Copy {
        /// The file.
        database: String,
        /// What SQLite says.
        #[source]
        source: sqlx::Error,
    },
    /// The folder of the copy is not there, or cannot be entered.
    #[error("failed to use the folder {folder}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the file system says.
        #[source]
        source: io::Error,
    },
    /// The file cannot be made, or is there already: nothing is overwritten.
    #[error("failed to write {file}")]
    File {
        /// The copy.
        file: String,
        /// What the file system says.
        #[source]
        source: io::Error,
    },
}
