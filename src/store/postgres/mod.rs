//! The store on PostgreSQL: for several servers, or for a database on a separate machine.

mod connector;
mod error;
mod inspect;
mod migrations;
mod queries;
mod readers;
mod session;
mod tls;

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Timeouts,
    tokio_postgres::{Client, Error},
};
use tokio::task::JoinHandle;

use crate::{
    list::Listing,
    todo::{Access, Change, IdempotencyKey, NewTodo, Owner, Tenant, Todo, TodoId, Version},
};

use super::{
    Creation, ListCondition, Now, OpenError, Options, PostgresUrl, StoreError, TodoStore,
    load_shedding::Queue, migrating, seconds, sweeper::Sweeper,
};

use connector::Connector;
use error::{PostgresError, is_read_only};
use queries::CHANGE_NOTHING;
use readers::Readers;
use session::Session;

pub(super) use inspect::inspect;

/// Stores the todos in PostgreSQL, which groups the commits of concurrent writers itself.
pub struct PostgresStore {
    readers: Readers,
    /// The queries that wait for their answers.
    reads: Arc<Queue>,
    /// The connections that change something. A change has its connection to itself.
    writers: Pool,
    /// The changes that wait for a connection.
    changes: Arc<Queue>,
    sweeper: Sweeper,
    now: Now,
    todo_limit: u32,
    /// Whether a change failed, and [`PROBE`] has not succeeded since.
    failing: AtomicBool,
}

/// Writes as much data as a change to a todo, to find out whether the disk has space again.
const PROBE: &str = "UPDATE probe SET room = repeat(' ', 32768)";

/// Delete-all holds this lock of its tenant until it commits. It first waits for all running
/// changes to the tenant's todos, and later changes wait for it. So it sees every change that a
/// client knows to be successful. Changes of another tenant wait only if the hashes collide, which
/// is harmless.
const LOCK: &str = "SELECT pg_advisory_xact_lock(uuid_hash_extended($1, 0))";

/// Every other change to a todo shares this lock of its tenant, so these changes do not wait for
/// each other. The lock must be held before the statement starts. Otherwise the statement's
/// snapshot could be older than a delete-all that it has waited for. An insert does not read
/// `deletions`, so its statement takes the lock itself.
const LOCK_SHARED: &str = "SELECT pg_advisory_xact_lock_shared(uuid_hash_extended($1, 0))";

/// For each connection that reads, this many make changes. On two processors, two connections that
/// read were faster than one or four.
const WRITERS_PER_READER: usize = 3;

impl PostgresStore {
    /// Connects to the server and migrates the schema. Servers that start at the same time use an
    /// advisory lock, so only one of them migrates.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the server cannot be reached, or the schema cannot be migrated. It names
    /// the server without the password.
    pub async fn open(url: &PostgresUrl, options: &Options, now: Now) -> Result<Self, OpenError> {
        let database = url.without_password();
        check_files(url)?;
        let connector = Connector::new(url, options.timeout, &database)?;
        migrate(&connector, options.timeout, &database).await?;
        let reading = (options.connections / (1 + WRITERS_PER_READER)).max(1);
        let writers = pool(&connector, options.connections - reading, options.timeout)
            .map_err(|error| OpenError::Connect { database, source: error.into() })?;
        let readers = Readers::new(connector, reading, options.timeout);
        let (sweeping, clock) = (writers.clone(), Arc::clone(&now));
        let sweeper = Sweeper::start(move || {
            let (writers, now) = (sweeping.clone(), seconds(&clock));
            Box::pin(async move {
                let client = writers.get().await?;
                Ok(queries::sweep(&Session::from(&*client), now).await?)
            })
        });
        let (reads, changes) = (Queue::new(options.timeout), Queue::new(options.timeout));
        let (todo_limit, failing) = (options.todo_limit, AtomicBool::new(false));
        Ok(Self { readers, reads, writers, changes, sweeper, now, todo_limit, failing })
    }

    /// Runs a query, unless too many others are waiting. The queries on a connection run one after
    /// another, so its answer is also its turn.
    async fn read<T>(
        &self,
        query: impl AsyncFnOnce(&Session<'_>) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let waiting = self.reads.wait()?;
        let answer = self.readers.read(query).await?;
        waiting.take_turn();
        Ok(answer)
    }

    /// Returns a connection for a change, unless too many others are waiting for one.
    async fn connection(&self) -> Result<Object, StoreError> {
        let waiting = self.changes.wait()?;
        let connection = self.writers.get().await?;
        waiting.take_turn();
        Ok(connection)
    }

    /// Makes a change to the tenant's todos in a transaction that holds this lock. Returns the
    /// result of the change.
    async fn change<T>(
        &self,
        tenant: Tenant,
        lock: &'static str,
        change: impl AsyncFnOnce(&Session<'_>) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let mut client = self.connection().await?;
        let changed = locked(&mut client, tenant, lock, change).await;
        self.changed(client, changed)
    }

    /// Returns the result of a change, and records whether it failed. A connection that turned out
    /// to be read-only is closed: its server may now be a standby, or the connection may have been
    /// opened while the server was set to read-only.
    fn changed<T>(&self, client: Object, outcome: Result<T, Error>) -> Result<T, StoreError> {
        if outcome.as_ref().is_err_and(is_read_only) {
            drop(Object::take(client));
        }
        let outcome = outcome.map_err(StoreError::from);
        if matches!(outcome, Err(StoreError::Unavailable(_))) {
            self.failing.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

async fn locked<T>(
    client: &mut Object,
    tenant: Tenant,
    lock: &'static str,
    change: impl AsyncFnOnce(&Session<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let transaction = client.transaction().await?;
    let session = Session::from(&transaction);
    session.rows(lock, &[&tenant.0]).await?;
    let changed = change(&session).await?;
    transaction.commit().await?;
    Ok(changed)
}

/// The pool of the connections that change something.
fn pool(
    connector: &Connector,
    connections: usize,
    timeout: Duration,
) -> Result<Pool, impl std::error::Error + Send + Sync + use<>> {
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_connect(connector.config(), connector.clone(), config);
    let timeout = Some(timeout);
    Pool::builder(manager)
        .max_size(connections)
        .timeouts(Timeouts { wait: timeout, create: timeout, recycle: timeout })
        .runtime(Runtime::Tokio1)
        .build()
}

/// Fails if a file for TLS cannot be read. The driver's error would not name it.
fn check_files(url: &PostgresUrl) -> Result<(), OpenError> {
    url.files().try_for_each(|(parameter, file)| {
        let failed = |source| {
            let file = file.display().to_string();
            OpenError::Certificate { parameter, file, source }
        };
        File::open(&file).map(drop).map_err(failed)
    })
}

/// Opens a connection without a statement timeout. The task runs until the client is dropped.
async fn connect(
    connector: &Connector,
    timeout: Duration,
    database: &str,
) -> Result<(Client, JoinHandle<()>), OpenError> {
    let failed = |source| OpenError::Connect { database: database.to_owned(), source };
    tokio::time::timeout(timeout, connector.connect())
        .await
        .map_err(|_| failed(io::Error::from(io::ErrorKind::TimedOut).into()))?
        .map_err(|error| failed(PostgresError::from(error).into()))
}

/// Migrates the schema on a separate connection, which has no statement timeout.
async fn migrate(
    connector: &Connector,
    timeout: Duration,
    database: &str,
) -> Result<(), OpenError> {
    let (mut client, connection) = connect(connector, timeout, database).await?;
    let migrated = migrating(database, migrations::migrate(&mut client, database)).await;
    drop(client);
    // The migration is committed, so an error while closing does not matter.
    let _ = connection.await;
    migrated
}

#[async_trait]
impl TodoStore for PostgresStore {
    async fn list(
        &self,
        access: &Access,
        after: Option<TodoId>,
        limit: u16,
    ) -> Result<Listing, StoreError> {
        self.read(async |session| queries::list(session, access, after, limit).await).await
    }

    async fn create(
        &self,
        owner: &Owner,
        new: &NewTodo,
        key: Option<&IdempotencyKey>,
    ) -> Result<Creation, StoreError> {
        let mut client = self.connection().await?;
        let made = match key {
            Some(key) => {
                let now = seconds(&self.now);
                queries::create_once(&mut client, owner, new, self.todo_limit, key, now).await
            }
            None => {
                let session = Session::from(&*client);
                queries::create(&session, owner, new, self.todo_limit).await.map(Creation::from)
            }
        };
        self.changed(client, made)
    }

    async fn find(&self, tenant: Tenant, id: TodoId) -> Result<Option<Todo>, StoreError> {
        self.read(async |session| queries::find(session, tenant, id).await).await
    }

    async fn update(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
        change: &Change,
    ) -> Result<Option<Todo>, StoreError> {
        self.change(access.tenant(), LOCK_SHARED, async |session| {
            queries::update(session, access, id, expected, change).await
        })
        .await
    }

    async fn delete(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<bool, StoreError> {
        self.change(access.tenant(), LOCK_SHARED, async |session| {
            queries::delete(session, access, id, expected).await
        })
        .await
    }

    async fn delete_all(
        &self,
        tenant: Tenant,
        condition: Option<ListCondition>,
    ) -> Result<Option<u64>, StoreError> {
        let deleted = self
            .change(tenant, LOCK, async |session| {
                queries::delete_all(session, tenant, condition).await
            })
            .await?;
        self.sweeper.wake();
        Ok(deleted)
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.readers.read(async |session| queries::check(session).await).await?;
        let client = self.writers.get().await?;
        let failing = self.failing.load(Ordering::Relaxed);
        let change = if failing { PROBE } else { CHANGE_NOTHING };
        let changed = client.execute(change, &[]).await;
        self.changed(client, changed)?;
        // Only the probe proves that there is space: a smaller change may succeed on a full disk.
        if failing {
            self.failing.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn close(&self) {
        self.sweeper.stop();
        self.readers.close();
        self.writers.close();
    }
}
