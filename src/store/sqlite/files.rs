//! Detects whether SQLite's files were removed or replaced while they are open. What is written to
//! such a file is lost when the last process closes it.

use std::{
    ffi::OsString,
    fs, io, mem,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rusqlite::Connection;

/// The database, its write-ahead log, and the index of the log, as they were when they were opened.
/// Processes learn about each other's changes through the index.
pub(super) struct Files {
    opened: [OpenedFile; 3],
    /// An unused connection that stays open until shutdown. SQLite removes the log when the last
    /// connection is closed, and the other connections may be closed and reopened earlier.
    last: Mutex<Option<Connection>>,
}

impl Files {
    /// Returns the files that the connection has open. Takes ownership of the connection.
    ///
    /// # Errors
    ///
    /// If a file does not exist or cannot be accessed.
    pub(super) fn of(database: &Path, connection: Connection) -> io::Result<Self> {
        // If the path is a symbolic link, SQLite puts the other files next to its target.
        let file = fs::canonicalize(database)?;
        let beside = |suffix| OpenedFile::at(beside(&file, suffix));
        let opened = [OpenedFile::at(database.to_owned())?, beside("-wal")?, beside("-shm")?];
        Ok(Self { opened, last: Mutex::new(Some(connection)) })
    }

    /// Fails if a path no longer leads to the file that was opened. This opens no file, because
    /// closing it would release SQLite's locks on it (<https://sqlite.org/howtocorrupt.html>,
    /// section 2.2).
    pub(super) fn verify(&self) -> io::Result<()> {
        self.opened.iter().try_for_each(OpenedFile::verify)
    }

    /// Closes the last connection, so that SQLite merges the log into the database. All others must
    /// already be closed. If merging fails, the next start does it.
    pub(super) fn close(&self) {
        if self.verify().is_ok() {
            drop(self.last.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if self.verify().is_err() {
            // This connection is never closed. Otherwise SQLite would remove the log at this path,
            // with the changes that another process has written to it.
            mem::forget(self.last.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

/// Returns the folder of a file. For a bare file name, this is the working directory.
pub(super) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Returns whether a database of this length in bytes lacks its end. Pages may be in the
/// write-ahead log instead, until it is merged.
///
/// # Errors
///
/// If a file cannot be accessed.
pub(super) fn is_cut_off(database: &Path, length: u64) -> io::Result<bool> {
    let file = fs::canonicalize(database)?;
    let log = fs::metadata(beside(&file, "-wal"));
    let has_log = log.is_ok_and(|log| log.len() > 0);
    Ok(!has_log && fs::metadata(file)?.len() < length)
}

/// The path of another file of the database.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}

/// The file that was at a path when it was opened.
struct OpenedFile {
    path: PathBuf,
    device_and_inode: (u64, u64),
}

impl OpenedFile {
    fn at(path: PathBuf) -> io::Result<Self> {
        let device_and_inode = device_and_inode(&path)?;
        Ok(Self { path, device_and_inode })
    }

    fn verify(&self) -> io::Result<()> {
        let change = match device_and_inode(&self.path) {
            Ok(found) if found == self.device_and_inode => return Ok(()),
            Ok(_) => "replaced",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "removed",
            Err(error) => return Err(error),
        };
        let path = self.path.display();
        Err(io::Error::other(format!("{path} was {change} while it was in use")))
    }
}

fn device_and_inode(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}
