//! A connection to SQLite that outlives its faults.

use std::sync::Arc;

use sqlx::{ConnectOptions, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::files::Files;

/// Opened when it is first needed, and anew after it has failed: where the disk was full or the
/// file was gone, SQLite and its driver may not agree on the state that they are in.
pub(super) struct Connection {
    options: SqliteConnectOptions,
    files: Arc<Files>,
    current: Option<SqliteConnection>,
}

impl Connection {
    pub(super) fn new(options: SqliteConnectOptions, files: Arc<Files>) -> Self {
        // Who removes the file does not want an empty one.
        Self { options: options.create_if_missing(false), files, current: None }
    }

    pub(super) async fn get(&mut self) -> sqlx::Result<&mut SqliteConnection> {
        let connection = match self.current.take() {
            Some(connection) => connection,
            None => {
                self.files.verify()?;
                self.options.connect().await?
            }
        };
        Ok(self.current.insert(connection))
    }

    /// Whether the files are those that will be opened next time, and that other processes use.
    /// Three system calls.
    pub(super) fn verify(&self) -> sqlx::Result<()> {
        Ok(self.files.verify()?)
    }

    /// Gives up what is open.
    pub(super) fn fail(&mut self) {
        self.current = None;
    }

    /// Closes what is open. What goes wrong then has been committed before.
    pub(super) async fn close(self) {
        if let Some(connection) = self.current {
            let _ = connection.close().await;
        }
    }
}
