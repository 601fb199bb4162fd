//! A connection to SQLite that is reopened after a failure.

use std::sync::Arc;

use sqlx::{ConnectOptions, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::files::Files;

/// A connection that is opened on first use, and reopened after a failure. After a full disk or a
/// missing file, SQLite and its driver may disagree about the state of the connection.
pub(super) struct Connection {
    options: SqliteConnectOptions,
    files: Arc<Files>,
    current: Option<SqliteConnection>,
}

impl Connection {
    pub(super) fn new(options: SqliteConnectOptions, files: Arc<Files>) -> Self {
        // If somebody removes the file, an empty one must not take its place.
        Self { options: options.create_if_missing(false), files, current: None }
    }

    /// Returns the open connection. Opens it first if necessary.
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

    /// Fails if a file was removed or replaced, so that other processes, and the next connection,
    /// would use another one. This takes three system calls.
    pub(super) fn verify(&self) -> sqlx::Result<()> {
        Ok(self.files.verify()?)
    }

    /// Drops the connection after a failure.
    pub(super) fn fail(&mut self) {
        self.current = None;
    }

    /// Closes the connection. Errors do not matter, because every change is committed already.
    pub(super) async fn close(self) {
        if let Some(connection) = self.current {
            let _ = connection.close().await;
        }
    }
}
