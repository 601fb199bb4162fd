//! The connections that read. Requests share them: a query is sent at once, although earlier
//! queries on its connection have no answer yet ("pipelining"). So a few connections serve many
//! requests, and PostgreSQL always has a next query.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use deadpool_postgres::ClientWrapper;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout_at},
};
use tokio_postgres::Error;

use crate::store::StoreError;

use super::{connector::Connector, session::Session};

pub(super) struct Readers {
    connector: Connector,
    readers: Box<[Reader]>,
    /// The number of queries so far. They take turns on the connections.
    queries: AtomicUsize,
    timeout: Duration,
}

/// A place for a connection.
#[derive(Default)]
struct Reader {
    /// `None` before the first query, and after a query had no answer in time.
    client: ArcSwapOption<ClientWrapper>,
    /// Held while connecting, so that only one request connects.
    connecting: Mutex<()>,
}

impl Readers {
    /// Connects when there are queries, with up to `connections` connections.
    pub(super) fn new(connector: Connector, connections: usize, timeout: Duration) -> Self {
        let readers = (0..connections).map(|_| Reader::default()).collect();
        Self { connector, readers, queries: AtomicUsize::new(0), timeout }
    }

    /// Runs a query. It must be short, because later queries on the same connection wait for it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Overloaded`] after the timeout, and the error of the query or of connecting.
    pub(super) async fn read<T>(
        &self,
        query: impl AsyncFnOnce(&Session<'_>) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let turn = self.queries.fetch_add(1, Ordering::Relaxed);
        let reader = &self.readers[turn % self.readers.len()];
        let deadline = Instant::now() + self.timeout;
        let connected = timeout_at(deadline, reader.client(&self.connector)).await;
        let client = connected.map_err(|_| StoreError::no_turn())??;
        let answered = timeout_at(deadline, query(&Session::from(&*client))).await;
        Ok(answered.map_err(|_| {
            reader.give_up(client);
            StoreError::no_turn()
        })??)
    }

    /// Closes all connections, after the queries that run.
    pub(super) fn close(&self) {
        for reader in &self.readers {
            reader.client.store(None);
        }
    }
}

impl Reader {
    /// Lets later queries use a new connection, because the server may be gone without a trace.
    fn give_up(&self, client: Arc<ClientWrapper>) {
        // Another request may have connected again already.
        self.client.compare_and_swap(&Some(client), None);
    }

    async fn client(&self, connector: &Connector) -> Result<Arc<ClientWrapper>, Error> {
        let connected = || self.client.load_full().filter(|client| !client.is_closed());
        if let Some(client) = connected() {
            return Ok(client);
        }
        let _connecting = self.connecting.lock().await;
        // Another request may have connected in the meantime.
        if let Some(client) = connected() {
            return Ok(client);
        }
        let (client, task) = connector.start_session().await?;
        let client = Arc::new(ClientWrapper::new(client, task));
        self.client.store(Some(Arc::clone(&client)));
        Ok(client)
    }
}
