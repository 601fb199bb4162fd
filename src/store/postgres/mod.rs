//! The store on PostgreSQL: for several servers, or for a database on a separate machine.

mod error;
mod queries;

use std::{
    fs::File,
    io,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    list::Listing,
    todo::{Access, Change, IdempotencyKey, NewTodo, Owner, Tenant, Todo, TodoId, Version},
};

use super::{
    Creation, ListCondition, Now, OpenError, Options, PostgresUrl, StoreError, TodoStore,
    migrating, seconds, sweeper::Sweeper,
};

use error::is_read_only;
use queries::CHANGE_NOTHING;

/// Stores the todos in PostgreSQL, which groups the commits of concurrent writers itself.
pub struct PostgresStore {
    pool: PgPool,
    sweeper: Sweeper,
    now: Now,
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

/// A connection that was idle for longer than this is pinged before it is used.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);

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
        let connect = |source: sqlx::Error| OpenError::Connect {
            database: database.clone(),
            source: source.into(),
        };
        // The driver's error would not name the file.
        for (parameter, file) in url.files() {
            File::open(&file).map_err(|source| OpenError::Certificate {
                parameter,
                file: file.display().to_string(),
                source,
            })?;
        }
        let connect_options =
            PgConnectOptions::from_str(url.as_str()).map_err(connect)?.application_name("todo-api");
        migrate(&connect_options, options.timeout, &database).await?;
        let milliseconds = options.timeout.as_millis().to_string();
        let pool = PgPoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(options.timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > PING_AFTER_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(move |connection, _| {
                let session = session(&milliseconds);
                Box::pin(async move {
                    sqlx::raw_sql(AssertSqlSafe(session)).execute(connection).await.map(drop)
                })
            })
            .connect_lazy_with(connect_options);
        let (sweeping, clock) = (pool.clone(), Arc::clone(&now));
        let sweeper = Sweeper::start(move || {
            let (pool, now) = (sweeping.clone(), seconds(&clock));
            Box::pin(async move {
                let mut connection = pool.acquire().await?;
                Ok(queries::sweep(&mut connection, now).await?)
            })
        });
        Ok(Self { pool, sweeper, now, failing: AtomicBool::new(false) })
    }

    /// Makes a change to the tenant's todos in a transaction that holds this lock. Returns the
    /// result of the change.
    async fn change<T>(
        &self,
        tenant: Tenant,
        lock: &'static str,
        change: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
    ) -> Result<T, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let changed = locked(&mut connection, tenant, lock, change).await;
        self.changed(connection, changed)
    }

    /// Returns the result of a change, and records whether it failed. A connection that turned out
    /// to be read-only is closed: its server may now be a standby, or the connection may have been
    /// opened while the server was set to read-only.
    fn changed<T>(
        &self,
        mut connection: PoolConnection<Postgres>,
        outcome: sqlx::Result<T>,
    ) -> Result<T, StoreError> {
        if outcome.as_ref().is_err_and(is_read_only) {
            connection.close_on_drop();
        }
        let outcome = outcome.map_err(StoreError::from);
        if matches!(outcome, Err(StoreError::Unavailable(_))) {
            self.failing.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

/// The settings of a session, whatever the defaults of the server, the database and the role are:
///
/// - A lock is held before the snapshot of the next statement is taken, which is only true at this
///   isolation level.
/// - No statement takes longer than a request may wait, and a server that stops in the middle of a
///   transaction does not keep its lock.
fn session(milliseconds: &str) -> String {
    format!(
        "SET default_transaction_isolation = 'read committed';
         SET statement_timeout = {milliseconds};
         SET idle_in_transaction_session_timeout = {milliseconds}"
    )
}

async fn locked<T>(
    connection: &mut PgConnection,
    tenant: Tenant,
    lock: &'static str,
    change: impl AsyncFnOnce(&mut PgConnection) -> sqlx::Result<T>,
) -> sqlx::Result<T> {
    let mut transaction = connection.begin().await?;
    sqlx::query(lock).bind(tenant.0).execute(&mut *transaction).await?;
    let changed = change(&mut transaction).await?;
    transaction.commit().await?;
    Ok(changed)
}

/// Migrates the schema on a separate connection, which has no statement timeout. If connecting
/// fails, the error contains the cause, which the pool would not report.
async fn migrate(
    options: &PgConnectOptions,
    timeout: Duration,
    database: &str,
) -> Result<(), OpenError> {
    let connected = tokio::time::timeout(timeout, options.connect()).await;
    let connected =
        connected.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
    let mut connection = connected.map_err(|source| OpenError::Connect {
        database: database.to_owned(),
        source: source.into(),
    })?;
    // With a borrowed connection, the future of `run` is not `Send`.
    let migrator = sqlx::migrate!("migrations/postgres");
    migrating(database, migrator.run_direct(None, &mut connection, false))
        .await
        .map_err(|source| error::migration(database.to_owned(), source))?;
    // The migration is committed, so an error while closing does not matter.
    let _ = connection.close().await;
    Ok(())
}

#[async_trait]
impl TodoStore for PostgresStore {
    async fn list(
        &self,
        access: &Access,
        after: Option<TodoId>,
        limit: u16,
    ) -> Result<Listing, StoreError> {
        let mut connection = self.pool.acquire().await?;
        Ok(queries::list(&mut connection, access, after, limit).await?)
    }

    async fn create(
        &self,
        owner: &Owner,
        new: &NewTodo,
        key: Option<&IdempotencyKey>,
    ) -> Result<Creation, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let made = match key {
            Some(key) => {
                let now = seconds(&self.now);
                queries::create_once(&mut connection, owner, new, key, now).await
            }
            None => queries::create(&mut connection, owner, new).await.map(Creation::Made),
        };
        self.changed(connection, made)
    }

    async fn find(&self, tenant: Tenant, id: TodoId) -> Result<Option<Todo>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        Ok(queries::find(&mut connection, tenant, id).await?)
    }

    async fn update(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
        change: &Change,
    ) -> Result<Option<Todo>, StoreError> {
        self.change(access.tenant(), LOCK_SHARED, async |connection| {
            queries::update(connection, access, id, expected, change).await
        })
        .await
    }

    async fn delete(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<bool, StoreError> {
        self.change(access.tenant(), LOCK_SHARED, async |connection| {
            queries::delete(connection, access, id, expected).await
        })
        .await
    }

    async fn delete_all(
        &self,
        tenant: Tenant,
        condition: Option<ListCondition>,
    ) -> Result<Option<u64>, StoreError> {
        let deleted = self
            .change(tenant, LOCK, async |connection| {
                queries::delete_all(connection, tenant, condition).await
            })
            .await?;
        self.sweeper.wake();
        Ok(deleted)
    }

    async fn check(&self) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        queries::check(&mut connection).await?;
        let failing = self.failing.load(Ordering::Relaxed);
        let change = if failing { PROBE } else { CHANGE_NOTHING };
        let changed = sqlx::query(change).execute(&mut *connection).await;
        self.changed(connection, changed)?;
        // Only the probe proves that there is space: a smaller change may succeed on a full disk.
        if failing {
            self.failing.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn close(&self) {
        self.sweeper.stop();
        self.pool.close().await;
    }
}
