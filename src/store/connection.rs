//! A connection to SQLite that outlives its faults.

use sqlx::{ConnectOptions, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

/// Opened when it is first needed, and anew after it has failed: where the disk was full or the
/// file was gone, SQLite and its driver may not agree on the state that they are in.
pub(super) struct Connection {
    options: SqliteConnectOptions,
    current: Option<SqliteConnection>,
}

impl Connection {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        Self { options, current: None }
    }

    pub(super) async fn get(&mut self) -> sqlx::Result<&mut SqliteConnection> {
        let connection = match self.current.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(self.current.insert(connection))
    }

    /// Gives up what is open.
    pub(super) fn fail(&mut self) {
        self.current = None;
    }

    /// The last one to close moves the write-ahead log into the file; where that fails, the next
    /// start does it.
    pub(super) async fn close(self) {
        if let Some(connection) = self.current {
            let _ = connection.close().await;
        }
    }
}
