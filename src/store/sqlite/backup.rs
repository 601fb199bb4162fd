//! Copies the SQLite database while servers use it.

use std::{
    error::Error,
    fs::{self, File},
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rusqlite::{Connection, OpenFlags};
use tempfile::PersistError;

use crate::store::Location;

use super::{error::SqliteError, files::folder_of};

/// Copies the database to the new file `copy`. The copy has every change that was committed before
/// it began. Servers can read and write in the meantime. The file gets its name only when it is
/// complete and on disk. Another thread may set `cancelled` at any time.
///
/// # Errors
///
/// [`BackupError`] if the database cannot be read or the copy cannot be written, or if the backup is
/// cancelled. An incomplete copy is removed.
pub fn back_up(
    location: &Location,
    copy: &Path,
    cancelled: &Arc<AtomicBool>,
) -> Result<(), BackupError> {
    let Location::Sqlite(file) = location else { return Err(BackupError::NotSqlite) };
    let failed = |error: rusqlite::Error| match cancelled.load(Ordering::Relaxed) {
        true => BackupError::Cancelled,
        false => BackupError::Copy {
            database: file.display().to_string(),
            source: SqliteError::from(error).into(),
        },
    };
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let mut connection = connection.map_err(failed)?;
    let handler = Arc::clone(cancelled);
    let interrupt = move || handler.load(Ordering::Relaxed);
    connection.progress_handler(PROGRESS_INTERVAL, Some(interrupt)).map_err(failed)?;
    let folder = folder_of(copy);
    // Otherwise the error would name the temporary file.
    fs::metadata(folder)
        .map_err(|source| BackupError::Folder { folder: folder.display().to_string(), source })?;
    let not_written = |source| BackupError::File { file: copy.display().to_string(), source };
    let unfinished = tempfile::Builder::new().prefix(".todo-api-backup-").tempfile_in(folder);
    let unfinished = unfinished.map_err(not_written)?;
    let name = unfinished.path().to_string_lossy().into_owned();
    // SQLite accepts an existing file only if it is empty.
    connection.execute("VACUUM INTO ?1", [name]).map_err(failed)?;
    connection.close().map_err(|(_, error)| failed(error))?;
    // SQLite does not sync the copy to disk.
    unfinished.as_file().sync_all().map_err(not_written)?;
    if cancelled.load(Ordering::Relaxed) {
        return Err(BackupError::Cancelled);
    }
    unfinished.persist_noclobber(copy).map_err(|PersistError { error, .. }| not_written(error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(not_written)
}

/// How many instructions of its virtual machine SQLite executes until it checks whether the backup
/// was cancelled. Copying a row takes a few.
const PROGRESS_INTERVAL: i32 = 100;

/// Why the database was not copied.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is not SQLite. PostgreSQL has its own backup programs.
    #[error("only a SQLite database can be copied; for PostgreSQL, use pg_dump (docs/DEPLOY.md)")]
    NotSqlite,
    /// The backup was cancelled.
    #[error("the backup was cancelled, and there is no copy")]
    Cancelled,
    /// The database cannot be read, or there is no space for the copy.
    #[error("failed to copy the database {database}")]
    Copy {
        /// The file of the database.
        database: String,
        /// The error of SQLite.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The folder of the copy does not exist or cannot be accessed.
    #[error("failed to use the folder {folder}")]
    Folder {
        /// The folder.
        folder: String,
        /// The error of the file system.
        #[source]
        source: io::Error,
    },
    /// The file of the copy cannot be written, or exists already. It is never overwritten.
    #[error("failed to write {file}")]
    File {
        /// The file of the copy.
        file: String,
        /// The error of the file system.
        #[source]
        source: io::Error,
    },
}
