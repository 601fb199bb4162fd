//! A connection to SQLite that is reopened after a failure.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::{OpenFlags, config::DbConfig, hooks::Wal};

use crate::store::StoreError;

use super::files::Files;

/// Opens a connection and configures it. A statement waits up to `timeout` for a lock of another
/// process.
pub(super) fn open(
    path: &Path,
    create: bool,
    timeout: Duration,
) -> rusqlite::Result<rusqlite::Connection> {
    let connection = connect(path, create, timeout)?;
    configure(&connection)?;
    Ok(connection)
}

/// Opens a connection that has not changed anything in the file yet.
pub(super) fn connect(
    path: &Path,
    create: bool,
    timeout: Duration,
) -> rusqlite::Result<rusqlite::Connection> {
    // Each connection is used by one thread at a time, so SQLite needs no mutex for it.
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
    let connection = rusqlite::Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(timeout)?;
    Ok(connection)
}

/// Configures a connection, and changes the file to WAL mode.
pub(super) fn configure(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    // Otherwise a plan may depend on the bound values, and SQLite plans a cached statement again at
    // each use, which takes longer than reading a page.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A change that was reported as successful must survive a power failure.
    connection.pragma_update(None, "synchronous", "full")
}

/// A connection that is opened on first use, and reopened after a failure. After a full disk or a
/// missing file, the state of a connection is uncertain.
pub(super) struct Connection {
    path: PathBuf,
    timeout: Duration,
    files: Arc<Files>,
    current: Option<rusqlite::Connection>,
    created: Instant,
    /// When to interrupt the current statement, in nanoseconds after `created`.
    deadline: Arc<AtomicU64>,
    /// The number of pages in the log after the last commit on this connection.
    log_pages: Arc<AtomicI32>,
}

/// The number of pages from which the log is copied to the database. Pages that changed several
/// times are copied once, so a longer log means less work; but changes wait for a copy that takes
/// longer.
pub(super) const CHECKPOINT: i32 = 2_000;

/// SQLite compares the time with the deadline after this many steps of a statement. Reading a row
/// of a page takes about 15 steps.
const STEPS: i32 = 1_000;

impl Connection {
    /// See [`open`] for `timeout`.
    pub(super) fn new(path: &Path, timeout: Duration, files: Arc<Files>) -> Self {
        Self {
            path: path.to_owned(),
            timeout,
            files,
            current: None,
            created: Instant::now(),
            deadline: Arc::new(AtomicU64::new(u64::MAX)),
            log_pages: Arc::new(AtomicI32::new(0)),
        }
    }

    /// Returns the open connection. Opens it first if necessary.
    pub(super) fn get(&mut self) -> Result<&mut rusqlite::Connection, StoreError> {
        let connection = match self.current.take() {
            Some(connection) => connection,
            None => {
                self.files.verify()?;
                // If somebody removes the file, an empty one must not take its place.
                let mut connection = open(&self.path, false, self.timeout)?;
                let (created, deadline) = (self.created, Arc::clone(&self.deadline));
                let is_over =
                    move || nanoseconds(created.elapsed()) > deadline.load(Ordering::Relaxed);
                connection.progress_handler(STEPS, Some(is_over))?;
                // This hook replaces SQLite's own, which copies the log during a commit.
                let log_pages = Arc::clone(&self.log_pages);
                let note_pages = move |_: &mut Wal, pages| {
                    log_pages.store(pages, Ordering::Relaxed);
                    Ok(())
                };
                connection.wal_hook(Some(note_pages))?;
                connection
            }
        };
        Ok(self.current.insert(connection))
    }

    /// Copies the log to the database if it is long, so that SQLite writes to its start again. This
    /// may take some milliseconds. If it fails, the next call tries again.
    pub(super) fn checkpoint(&self) {
        if self.log_pages.load(Ordering::Relaxed) >= CHECKPOINT
            && let Some(connection) = &self.current
        {
            // A failure loses nothing, because the changes are still in the log.
            let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        }
    }

    /// Interrupts all later statements at this time.
    pub(super) fn interrupt_at(&self, deadline: Instant) {
        let deadline = nanoseconds(deadline.duration_since(self.created));
        self.deadline.store(deadline, Ordering::Relaxed);
    }

    /// Fails if a file was removed or replaced, so that other processes, and the next connection,
    /// would use another one. This takes three system calls.
    pub(super) fn verify(&self) -> Result<(), StoreError> {
        Ok(self.files.verify()?)
    }

    /// Closes the connection after a failure.
    pub(super) fn fail(&mut self) {
        self.current = None;
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_long_log_is_copied_by_the_checkpoint_and_not_by_the_commit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("blobs.db");
        let first = open(&file, true, Duration::ZERO).unwrap();
        first.execute_batch("CREATE TABLE blobs (data BLOB) STRICT").unwrap();
        let files = Arc::new(Files::of(&file, first).unwrap());
        let mut connection = Connection::new(&file, Duration::ZERO, files);
        let mut insert = |pages: i32| {
            let insert = format!("INSERT INTO blobs VALUES (zeroblob({pages} * 4096))");
            let before = fs::metadata(&file).unwrap().len();
            connection.get().unwrap().execute_batch(&insert).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().len(), before);
            connection.checkpoint();
            (fs::metadata(&file).unwrap().len() - before) / 4_096
        };
        assert_eq!(insert(10), 0);
        assert!(insert(CHECKPOINT) >= CHECKPOINT.unsigned_abs().into());
        // The log is short again.
        assert_eq!(insert(10), 0);
    }
}
