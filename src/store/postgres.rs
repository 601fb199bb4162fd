//! PostgreSQL: for more than one server, or when the database is on a machine of its own.

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
    ConnectOptions, Connection, PgConnection, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    list::Listing,
    todo::{Access, Change, IdempotencyKey, NewTodo, Owner, Tenant, Todo, TodoId, Version},
};

use super::{
    Creation, ListCondition, Now, OpenError, Options, PostgresUrl, StoreError, TodoStore,
    error::is_read_only,
    migrating,
    queries::{CHANGE_NOTHING, postgres as queries},
    seconds,
    sweeper::Sweeper,
};

/// A pool of connections; PostgreSQL itself lets concurrent writers share their commits.
pub struct PostgresStore {
    pool: PgPool,
    sweeper: Sweeper,
    now: Now,
    /// Whether a change failed, and none of the size of [`PROBE`] was made since.
    failing: AtomicBool,
}

/// Writes as much as a change, to learn whether there is room again.
const PROBE: &str = "UPDATE probe SET room = repeat(' ', 32768)";

/// Taken by delete-all until its commit, for one tenant. It waits until all changes to the tenant's
/// todos that are under way are committed, and later ones wait for it. So it sees every todo whose
/// creation was answered, and no change to a todo is answered that it deletes unseen. Another
/// tenant's changes wait only if the hashes are equal, which does no harm.
const LOCK: &str = "SELECT pg_advisory_xact_lock(uuid_hash_extended($1, 0))";

/// Taken by every other change to a todo, which do not wait for each other. The lock must be held
/// before the statement begins, which otherwise would not see that all todos were just deleted. An
/// insert does not look at what was deleted, and takes the lock itself.
const LOCK_SHARED: &str = "SELECT pg_advisory_xact_lock_shared(uuid_hash_extended($1, 0))";

/// A connection that was idle for longer is asked whether it still stands before it is used.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

impl PostgresStore {
    /// Connects, and brings the schema up to date; servers that start at the same time wait for
    /// each other at an advisory lock.
    ///
    /// # Errors
    ///
    /// [`OpenError`] names the server, without the password, and what failed.
    pub async fn open(url: &PostgresUrl, options: &Options, now: Now) -> Result<Self, OpenError> {
        let database = url.without_password();
        let connect = |source| OpenError::Connect { database: database.clone(), source };
        // The driver would say that there is no such file, and not which.
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
                    if meta.idle_for > TRUSTED_FOR {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(connect_options.options([("statement_timeout", milliseconds)]));
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

    /// Makes a change to the tenant's todos in a transaction that holds this lock.
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

    /// What became of a change on this connection, which is not kept where it cannot be made: the
    /// server may be a standby by now, or the connection from a time when all were to read only.
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

/// On a connection of its own, whose statements may take as long as they need, and which says why
/// there is none.
async fn migrate(
    options: &PgConnectOptions,
    timeout: Duration,
    database: &str,
) -> Result<(), OpenError> {
    let connected = tokio::time::timeout(timeout, options.connect()).await;
    let connected =
        connected.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
    let mut connection =
        connected.map_err(|source| OpenError::Connect { database: database.to_owned(), source })?;
    // `run` makes a future that is not `Send` of a borrowed connection.
    let migrator = sqlx::migrate!("migrations/postgres");
    migrating(database, migrator.run_direct(None, &mut connection, false))
        .await
        .map_err(|source| OpenError::migrate(database.to_owned(), source))?;
    // It has done its work, whatever comes of the farewell.
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
        // A small change may still find room where the next one does not.
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
