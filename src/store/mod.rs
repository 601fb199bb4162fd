//! Stores the todos. Only this folder contains SQL. Every query for a caller is limited to the
//! caller's [`Access`] or tenant, so it cannot return a row of another tenant.

mod error;
mod load_shedding;
mod migrations;
mod options;
mod postgres;
mod sqlite;
mod sweeper;

use std::{pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    list::Listing,
    todo::{Access, Change, IdempotencyKey, NewTodo, Owner, Tenant, Todo, TodoId, Version},
};

pub use error::{OpenError, StoreError};
pub use options::{Location, Options, PostgresUrl};
pub use postgres::PostgresStore;
pub use sqlite::{BackupError, SqliteStore, back_up};

/// A shared handle to the store.
pub type Store = Arc<dyn TodoStore>;

/// Returns the time of the server's clock, in seconds since 1970.
pub type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Returns the time as the databases store it, in seconds since 1970.
fn seconds(now: &Now) -> i64 {
    i64::try_from(now()).unwrap_or(i64::MAX)
}

/// The maximum number of rows of each table that the sweeper removes at once, so that other changes
/// do not wait long.
const SWEEP_LIMIT: i64 = 500;

/// The time until an idempotency key expires, in seconds.
const KEY_LIFETIME: i64 = 24 * 60 * 60;

/// A migration that takes longer than this is logged.
const LOG_MIGRATION_AFTER: Duration = Duration::from_secs(1);

/// Waits for the migration and returns its result. Migrating a large table takes a long time, and
/// another server may be migrating the same database. For this reason
/// the wait has no timeout, but it is logged if it takes long.
async fn migrating<T>(database: &str, migration: impl Future<Output = T>) -> T {
    let mut migration = pin!(migration);
    if let Ok(migrated) = tokio::time::timeout(LOG_MIGRATION_AFTER, &mut migration).await {
        return migrated;
    }
    tracing::warn!(
        database,
        "waiting for the schema to be up to date; is another server migrating it?"
    );
    migration.await
}

/// Opens the database and migrates its schema. Returns the store, which is ready to use by this
/// many threads at the same time. More may use it, but some of them may wait for each other.
///
/// # Errors
///
/// [`OpenError`] if the database cannot be opened or migrated.
pub async fn open(options: &Options, threads: usize, now: Now) -> Result<Store, OpenError> {
    Ok(match &options.location {
        Location::Sqlite(path) => Arc::new(SqliteStore::open(path, options, threads, now).await?),
        Location::Postgres(url) => Arc::new(PostgresStore::open(url, options, now).await?),
    })
}

/// What the schema of a database needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// There is no schema yet, and perhaps no file. The server creates both.
    Missing,
    /// The server can use it as it is.
    UpToDate,
    /// The server will apply this number of migrations.
    Behind(usize),
}

impl Schema {
    /// The schema of a database that lacks this number of migrations.
    fn with(missing: usize) -> Self {
        match missing {
            0 => Self::UpToDate,
            missing => Self::Behind(missing),
        }
    }
}

/// Looks at the database and its schema, and changes nothing.
///
/// # Errors
///
/// [`OpenError`] if the database cannot be used, for the same reasons as in [`open`].
pub async fn inspect(options: &Options) -> Result<Schema, OpenError> {
    match &options.location {
        Location::Sqlite(path) => sqlite::inspect(path.clone(), options.timeout).await,
        Location::Postgres(url) => postgres::inspect(url, options.timeout).await,
    }
}

/// The operations on stored todos. A method that changes something returns after the change is on
/// disk.
///
/// # Errors
///
/// Every method but `close` returns [`StoreError`] if the database fails, or if the operation waits
/// longer than [`Options::timeout`]. Every method but `check` and `close` also returns it if so
/// many operations are waiting that this one would be late.
#[async_trait]
pub trait TodoStore: Send + Sync {
    /// Returns a page of the todos that `access` covers, in ascending order of id: at most `limit`
    /// todos, starting after the id `after`.
    async fn list(
        &self,
        access: &Access,
        after: Option<TodoId>,
        limit: u16,
    ) -> Result<Listing, StoreError>;

    /// Creates a todo and returns it. If the owner has used the key for the same request within the
    /// last 24 hours, creates nothing and returns the todo of that request as it was created, even
    /// if the owner has as many todos as [`Options::todo_limit`] allows.
    async fn create(
        &self,
        owner: &Owner,
        new: &NewTodo,
        key: Option<&IdempotencyKey>,
    ) -> Result<Creation, StoreError>;

    /// Returns the tenant's todo with this id, regardless of its owner. `None` if there is none.
    async fn find(&self, tenant: Tenant, id: TodoId) -> Result<Option<Todo>, StoreError>;

    /// Changes a todo and returns it. `None` if `access` covers no todo with this id, or if its
    /// version is not the expected one. If all values stay the same, so does the version.
    async fn update(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
        change: &Change,
    ) -> Result<Option<Todo>, StoreError>;

    /// Deletes a todo. Returns `false` if `access` covers no todo with this id, or if its version
    /// is not the expected one.
    async fn delete(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<bool, StoreError>;

    /// Deletes all todos of the tenant and returns their number. They are invisible at once; their
    /// rows are removed later in small batches. Returns `None` and deletes nothing if the condition
    /// is false. No other change to the tenant's todos happens between the check and the deletion.
    async fn delete_all(
        &self,
        tenant: Tenant,
        condition: Option<ListCondition>,
    ) -> Result<Option<u64>, StoreError>;

    /// Checks whether the store can be read and, after a failed change, whether it can be written
    /// again. Also fails if PostgreSQL is read-only.
    async fn check(&self) -> Result<(), StoreError>;

    /// Finishes the changes that are queued, and closes all connections. Errors are ignored,
    /// because every change that was reported as successful is on disk already.
    async fn close(&self);
}

/// Decides whether all todos of a tenant may be deleted. The argument is the first page of the
/// tenant's list, with the [default page size](crate::list::DEFAULT_LIMIT).
pub type ListCondition = Box<dyn FnOnce(&Listing) -> bool + Send>;

/// The result of creating a todo.
#[derive(Debug)]
pub enum Creation {
    /// The todo was created by this request, or by an earlier one with the same key.
    Made(Todo),
    /// The key was used for a different todo, so none was created.
    KeyReused,
    /// The owner has as many todos as [`Options::todo_limit`] allows, so none was created.
    LimitReached,
}

/// The result of a statement that creates a todo unless the owner has too many.
impl From<Option<Todo>> for Creation {
    fn from(created: Option<Todo>) -> Self {
        created.map_or(Self::LimitReached, Self::Made)
    }
}
