//! The files of SQLite, which somebody may remove or replace while they are in use: what is
//! written to them from then on is gone with the last process that has them open.

use std::{
    ffi::OsString,
    fs, io, mem,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::Mutex;

/// The database, its write-ahead log, and the index of the log, through which processes know of
/// each other's changes; as they were when they were opened.
pub(super) struct Files {
    places: [Place; 3],
    /// Does nothing but stay: the last connection to close removes the log, and others come and go.
    anchor: Mutex<Option<SqliteConnection>>,
}

impl Files {
    /// Those that the connection has open.
    pub(super) fn of(database: &Path, connection: SqliteConnection) -> io::Result<Self> {
        // SQLite makes the others beside the file itself, not beside a link to it.
        let file = fs::canonicalize(database)?;
        let beside = |suffix| {
            let mut name = OsString::from(&file);
            name.push(suffix);
            Place::of(name.into())
        };
        let places = [Place::of(database.to_owned())?, beside("-wal")?, beside("-shm")?];
        Ok(Self { places, anchor: Mutex::new(Some(connection)) })
    }

    /// Whether they are where they were. Nothing is opened for that: to close a file takes away
    /// the locks that SQLite has on it (<https://sqlite.org/howtocorrupt.html>, section 2.2).
    pub(super) fn verify(&self) -> io::Result<()> {
        self.places.iter().try_for_each(Place::verify)
    }

    /// Moves the log into the database, where all other connections are closed; where that fails,
    /// the next start does it.
    pub(super) async fn close(&self) {
        if self.verify().is_ok()
            && let Some(anchor) = self.anchor.lock().await.take()
        {
            let _ = anchor.close().await;
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        if self.verify().is_err() {
            // SQLite would remove whatever log is at the path, with what another process has
            // written: this connection is never closed.
            mem::forget(self.anchor.get_mut().take());
        }
    }
}

/// The folder of a file, which for a bare name is the working directory.
pub(super) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Which file is at a path.
struct Place {
    path: PathBuf,
    device_and_inode: (u64, u64),
}

impl Place {
    fn of(path: PathBuf) -> io::Result<Self> {
        let device_and_inode = device_and_inode(&path)?;
        Ok(Self { path, device_and_inode })
    }

    fn verify(&self) -> io::Result<()> {
        let happened = match device_and_inode(&self.path) {
            Ok(found) if found == self.device_and_inode => return Ok(()),
            Ok(_) => "replaced",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "removed",
            Err(error) => return Err(error),
        };
        let path = self.path.display();
        Err(io::Error::other(format!("{path} was {happened} while it was in use")))
    }
}

fn device_and_inode(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}
