//! Holds SQLite's lock for reading between commits.

use super::{connection::Connection, queries};

/// A connection with an open transaction that reads the newest snapshot.
///
/// In WAL mode, a query locks the snapshot that it reads and releases it afterwards: two system
/// calls, a tenth of the time of a request. While another connection of the process holds the same
/// lock, SQLite only counts the holders. So this connection makes queries cheaper and changes
/// nothing else. If it fails, they lock the snapshot themselves.
pub(super) struct Anchor(Connection);

impl Anchor {
    pub(super) fn new(connection: Connection) -> Self {
        Self(connection)
    }

    /// Holds the newest snapshot, until it is released.
    pub(super) fn hold(&mut self) {
        self.change(|connection| {
            connection.execute_batch("BEGIN")?;
            // The transaction takes its snapshot when it reads for the first time.
            queries::read_something(connection)
        });
    }

    /// Releases the snapshot. It must be released before each change: SQLite writes to the start of
    /// the log again only if nobody reads an older snapshot, and otherwise the log would grow
    /// without limit.
    pub(super) fn release(&mut self) {
        self.change(|connection| match connection.is_autocommit() {
            true => Ok(()),
            false => connection.execute_batch("COMMIT"),
        });
    }

    fn change(&mut self, change: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<()>) {
        let changed = self.0.get().and_then(|connection| Ok(change(connection)?));
        if changed.is_err() {
            self.0.fail();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::super::{connection::open, files::Files};
    use super::*;

    #[test]
    fn the_snapshot_is_held_until_it_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("numbers.db");
        let first = open(&file, true, Duration::ZERO).unwrap();
        first.execute_batch("CREATE TABLE numbers (number INTEGER) STRICT").unwrap();
        let other = open(&file, false, Duration::ZERO).unwrap();
        let files = Arc::new(Files::of(&file, first).unwrap());
        let mut anchor = Anchor::new(Connection::new(&file, Duration::ZERO, files));
        // The log can be emptied only if nobody reads a snapshot in it.
        let is_held = || {
            other.execute_batch("INSERT INTO numbers VALUES (1)").unwrap();
            let empty = "PRAGMA wal_checkpoint(TRUNCATE)";
            other.query_row(empty, [], |row| row.get::<_, bool>("busy")).unwrap()
        };
        assert!(!is_held());
        for _ in 0..2 {
            other.execute_batch("INSERT INTO numbers VALUES (1)").unwrap();
            anchor.hold();
            assert!(is_held());
            anchor.release();
            assert!(!is_held());
            anchor.release();
        }
    }
}
