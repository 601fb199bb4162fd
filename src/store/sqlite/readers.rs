//! The connections that read from SQLite.

use std::{array, time::Duration};

use deadpool::unmanaged::Pool;
use sqlx::{Error, SqliteConnection};

use crate::store::StoreError;

use super::connection::Connection;

/// A pool of connections for reading. The driver's own pool pings every connection after each use.
/// This costs as much as a query, because the connection runs on another thread. Here, a failed
/// query closes its connection instead.
pub(super) struct Readers {
    idle: Pool<Connection>,
    timeout: Duration,
}

const READERS: usize = 4;

impl Readers {
    /// Opens all connections now, so that reading still works after the file is removed. A query
    /// waits up to `timeout` for a connection.
    pub(super) async fn open(
        connection: impl Fn() -> Connection,
        timeout: Duration,
    ) -> sqlx::Result<Self> {
        let mut connections: [_; READERS] = array::from_fn(|_| connection());
        for connection in &mut connections {
            connection.get().await?;
        }
        Ok(Self { idle: Pool::from(connections), timeout })
    }

    /// Runs the query on an idle connection and returns its result.
    ///
    /// # Errors
    ///
    /// [`StoreError::Overloaded`] if no connection becomes idle in time, otherwise the error of the
    /// query.
    pub(super) async fn run<T>(
        &self,
        query: impl AsyncFnOnce(&mut SqliteConnection) -> sqlx::Result<T>,
    ) -> Result<T, StoreError> {
        let turn = tokio::time::timeout(self.timeout, self.idle.get()).await;
        let turn = turn.map_err(|_| Error::PoolTimedOut)?;
        let mut connection = turn.map_err(|_| Error::PoolClosed)?;
        let result = query(connection.get().await?).await;
        if result.is_err() {
            connection.fail();
        }
        Ok(result?)
    }

    /// Closes the idle connections. The others are closed when their query ends.
    pub(super) async fn close(&self) {
        while let Ok(connection) = self.idle.try_remove() {
            connection.close().await;
        }
        self.idle.close();
    }
}
