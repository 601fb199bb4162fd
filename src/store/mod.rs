//! Where todos are kept. Only this folder knows SQL; every query carries the caller's [`Access`]
//! or tenant, so that no row of another tenant can come back.

mod error;
mod options;
mod postgres;
mod queries;
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

/// The store as the API holds it.
pub type Store = Arc<dyn TodoStore>;

/// Seconds since 1970, from the server's clock.
pub type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The time as the databases keep it.
fn seconds(now: &Now) -> i64 {
    i64::try_from(now()).unwrap_or(i64::MAX)
}

/// How long a start may take before the log says what it waits for.
const SWIFT_START: Duration = Duration::from_secs(1);

/// What bringing the schema up to date gives. There is no limit to the time, since a change to a
/// large table needs its own, and so does another server that is at it; but it is no secret.
async fn migrating<T>(database: &str, migration: impl Future<Output = T>) -> T {
    let mut migration = pin!(migration);
    if let Ok(migrated) = tokio::time::timeout(SWIFT_START, &mut migration).await {
        return migrated;
    }
    tracing::warn!(database, "waiting for the schema to be up to date; is another server at it?");
    migration.await
}

/// Opens the configured store and brings its schema up to date.
///
/// # Errors
///
/// [`OpenError`] names the database and what failed.
pub async fn open(options: &Options, now: Now) -> Result<Store, OpenError> {
    Ok(match &options.location {
        Location::Sqlite(path) => Arc::new(SqliteStore::open(path, options.timeout, now).await?),
        Location::Postgres(url) => Arc::new(PostgresStore::open(url, options, now).await?),
    })
}

/// What the API does with todos. An answer means that the change is on disk.
#[async_trait]
pub trait TodoStore: Send + Sync {
    /// A page of the todos within reach: those after `after`, at most `limit` of them.
    async fn list(
        &self,
        access: &Access,
        after: Option<TodoId>,
        limit: u16,
    ) -> Result<Listing, StoreError>;

    /// A new todo of this owner. With a key that the owner has used within the last 24 hours, the
    /// todo that was made then, as it was then.
    async fn create(
        &self,
        owner: &Owner,
        new: &NewTodo,
        key: Option<&IdempotencyKey>,
    ) -> Result<Creation, StoreError>;

    /// The tenant's todo with this id, whoever owns it.
    async fn find(&self, tenant: Tenant, id: TodoId) -> Result<Option<Todo>, StoreError>;

    /// The changed todo; `None` when none within reach has this id and, where one is expected,
    /// this version (any more).
    async fn update(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
        change: &Change,
    ) -> Result<Option<Todo>, StoreError>;

    /// Whether there was such a todo within reach, of the version that is expected.
    async fn delete(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<bool, StoreError>;

    /// Deletes all todos of the tenant at once, and says how many there were; the rows are removed
    /// afterwards, little by little. `None` if the condition does not hold; no other change comes
    /// between its check and the deletion.
    async fn delete_all(
        &self,
        tenant: Tenant,
        condition: Option<ListCondition>,
    ) -> Result<Option<u64>, StoreError>;

    /// Whether the store answers and, after a change that failed, whether it takes changes again.
    async fn check(&self) -> Result<(), StoreError>;

    /// Ends the store's connections in good order.
    async fn close(&self);
}

/// Decides on the first page of the tenant's list, of [`DEFAULT_LIMIT`](crate::list::DEFAULT_LIMIT)
/// todos, whether all of them may be deleted.
pub type ListCondition = Box<dyn FnOnce(&Listing) -> bool + Send>;

/// What became of a new todo.
#[derive(Debug)]
pub enum Creation {
    /// It is there, now or since the same request came before.
    Made(Todo),
    /// The key was used for a different todo, so none was created.
    KeyReused,
}
