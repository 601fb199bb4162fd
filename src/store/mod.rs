//! Where todos are kept. Only this folder knows SQL; every query carries the caller's [`Access`]
//! or tenant, so that no row of another tenant can come back.

mod error;
mod postgres;
mod queries;
mod sqlite;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    config::{Database, DatabaseConfig},
    todo::{Access, Change, Owner, Tenant, Todo, TodoId, TodoName},
};

pub use error::{OpenError, StoreError};
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;

/// The store as the API holds it.
pub type Store = Arc<dyn TodoStore>;

/// Opens the configured store and brings its schema up to date.
///
/// # Errors
///
/// [`OpenError`] names the database and what failed.
pub async fn open(config: &DatabaseConfig) -> Result<Store, OpenError> {
    Ok(match &config.database {
        Database::Sqlite(path) => Arc::new(SqliteStore::open(path, config.timeout).await?),
        Database::Postgres(url) => Arc::new(PostgresStore::open(url, config).await?),
    })
}

/// What the API does with todos. An answer means that the change is on disk.
#[async_trait]
pub trait TodoStore: Send + Sync {
    /// Todos within reach in order of id, from behind `after`, at most `limit` of them.
    async fn list(
        &self,
        access: &Access,
        after: Option<TodoId>,
        limit: u16,
    ) -> Result<Vec<Todo>, StoreError>;

    /// A new todo of this owner.
    async fn create(&self, owner: &Owner, name: &TodoName) -> Result<Todo, StoreError>;

    /// The tenant's todo with this id, whoever owns it.
    async fn find(&self, tenant: Tenant, id: TodoId) -> Result<Option<Todo>, StoreError>;

    /// The changed todo; `None` when none within reach has this id (any more).
    async fn update(
        &self,
        access: &Access,
        id: TodoId,
        change: &Change,
    ) -> Result<Option<Todo>, StoreError>;

    /// Whether there was such a todo within reach.
    async fn delete(&self, access: &Access, id: TodoId) -> Result<bool, StoreError>;

    /// Leaves the tenant without todos.
    async fn delete_all(&self, tenant: Tenant) -> Result<(), StoreError>;

    /// Whether the store answers.
    async fn check(&self) -> Result<(), StoreError>;

    /// Ends the store's connections in good order.
    async fn close(&self);
}
