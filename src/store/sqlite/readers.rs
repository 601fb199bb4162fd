//! The connections that read from SQLite.

use std::{array, time::Duration};

use deadpool::unmanaged::Pool;
use sqlx::{Error, SqliteConnection};

use crate::store::StoreError;

use super::connection::Connection;

/// The driver's own pool asks each connection after its use whether it is still there. Across
/// threads that costs as much as a query; here a query that fails tells.
pub(super) struct Readers {
    idle: Pool<Connection>,
    timeout: Duration,
}

const READERS: usize = 4;

impl Readers {
    /// Opens them, so that they can read on when the file is gone. `timeout`: how long a query
    /// waits for its turn.
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

    /// What the query gives.
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

    /// Closes those that nobody reads from; the others are closed when their query ends.
    pub(super) async fn close(&self) {
        while let Ok(connection) = self.idle.try_remove() {
            connection.close().await;
        }
        self.idle.close();
    }
}
