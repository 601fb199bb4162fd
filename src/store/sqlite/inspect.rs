//! Looks at a file without changing it.

use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};
use tokio::task;

use crate::store::{
    OpenError, Schema,
    migrations::{SQLITE, missing},
};

use super::{check_writable, error::SqliteError, files::folder_of, migrations};

const HAS_SCHEMA: &str =
    "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')";

/// Returns what the schema of this file needs.
///
/// # Errors
///
/// [`OpenError`] if the file cannot be used or created, or if its schema is newer than this program
/// can use.
pub(in crate::store) async fn inspect(
    path: PathBuf,
    timeout: Duration,
) -> Result<Schema, OpenError> {
    let database = path.display().to_string();
    let inspected = task::spawn_blocking(move || blocking(&path, timeout)).await;
    inspected.unwrap_or_else(|error| Err(OpenError::Connect { database, source: error.into() }))
}

fn blocking(path: &Path, timeout: Duration) -> Result<Schema, OpenError> {
    let database = path.display().to_string();
    let connect = |source: Box<dyn Error + Send + Sync>| OpenError::Connect {
        database: database.clone(),
        source,
    };
    if !path.try_exists().map_err(|error| connect(error.into()))? {
        return check_folder(folder_of(path)).map(|()| Schema::Missing);
    }
    let read = || -> rusqlite::Result<_> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(timeout)?;
        if !connection.query_row(HAS_SCHEMA, [], |row| row.get(0))? {
            return Ok(None);
        }
        check_writable(&connection)?;
        migrations::applied(&connection).map(Some)
    };
    match read().map_err(|error| connect(SqliteError::from(error).into()))? {
        Some(applied) => Ok(Schema::with(missing(SQLITE, &applied, &database)?.len())),
        None => Ok(Schema::Missing),
    }
}

/// Fails if the file could not be created in this folder, which may not exist yet.
fn check_folder(folder: &Path) -> Result<(), OpenError> {
    let existing = folder.ancestors().find(|folder| folder.exists());
    let existing = existing.filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let failed =
        |source: io::Error| OpenError::Folder { folder: folder.display().to_string(), source };
    // The file has no name, so it disappears when it is closed.
    tempfile::tempfile_in(existing).map(drop).map_err(failed)
}
