//! Looks at a file without changing it.

use std::{
    collections::HashMap,
    error::Error,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode};
use tokio::task;

use crate::store::{
    OpenError, Schema,
    migrations::{Applied, SQLITE, missing},
};

use super::{
    check_writable, connection,
    error::SqliteError,
    files::{folder_of, is_cut_off},
    migrations,
};

/// Whether there are tables or other objects, and whether the table of this program is among them.
const OBJECTS: &str = "
    SELECT count(*) > 0, coalesce(sum(name = '_sqlx_migrations'), 0) > 0 FROM sqlite_schema";

const LENGTH: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";

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
    let sqlite = |error: rusqlite::Error| connect(SqliteError::from(error).into());
    let connection = connection::connect(path, false, timeout).map_err(sqlite)?;
    let Some(applied) = applied(&connection, path)? else { return Ok(Schema::Missing) };
    check_writable(&connection).map_err(sqlite)?;
    Ok(Schema::with(missing(SQLITE, &applied, &database)?.len()))
}

/// Returns the applied migrations by version; `None` if there are none yet. Changes nothing.
///
/// # Errors
///
/// [`OpenError`] if the file is not a database, is incomplete, or belongs to another program.
pub(super) fn applied(
    connection: &Connection,
    path: &Path,
) -> Result<Option<HashMap<i64, Applied>>, OpenError> {
    let unusable = |problem| OpenError::Unusable { database: path.display().to_string(), problem };
    let connect = |source: Box<dyn Error + Send + Sync>| OpenError::Connect {
        database: path.display().to_string(),
        source,
    };
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => unusable("it is not a SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => unusable("it is damaged or incomplete"),
        _ => connect(SqliteError::from(error).into()),
    };
    // All queries read the same snapshot.
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let objects = snapshot.query_row(OBJECTS, [], |row| Ok((row.get(0)?, row.get(1)?)));
    let (has_objects, has_migrations): (bool, bool) = objects.map_err(failed)?;
    // SQLite does not notice that a part of the last page is missing.
    let length: i64 = snapshot.query_row(LENGTH, [], |row| row.get(0)).map_err(failed)?;
    if is_cut_off(path, length.cast_unsigned()).map_err(|error| connect(error.into()))? {
        return Err(unusable("its end is missing"));
    }
    match (has_objects, has_migrations) {
        (_, true) => migrations::applied(&snapshot).map(Some).map_err(failed),
        (true, false) => Err(unusable("it is the database of another program")),
        (false, false) => Ok(None),
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
