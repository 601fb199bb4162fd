//! Where todos are kept. Only this folder knows SQL; every query carries the caller's [`Access`]
//! or tenant, so that no row of another tenant can come back.

mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    config::Database,
    todo::{Access, Change, Owner, Tenant, Todo, TodoId, TodoName},
};

pub use sqlite::SqliteStore;

/// The store as the API holds it.
pub type Store = Arc<dyn TodoStore>;

/// Opens the configured store and brings its schema up to date.
///
/// # Errors
///
/// [`OpenError`] names the database and what failed.
pub async fn open(database: &Database) -> Result<Store, OpenError> {
    match database {
        Database::Sqlite(path) => Ok(Arc::new(SqliteStore::open(path).await?)),
    }
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

    /// How many todos the tenant had; it has none any more.
    async fn delete_all(&self, tenant: Tenant) -> Result<u64, StoreError>;

    /// Whether the store answers.
    async fn check(&self) -> Result<(), StoreError>;

    /// Ends the store's connections in good order.
    async fn close(&self);
}

/// Why the store did not do as asked. The causes are for the log, not for the client.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Too many at once; it may work in a moment.
    #[error("the database is busy")]
    Overloaded(#[source] sqlx::Error),
    /// The environment's fault: a full disk, a missing file, a database that is gone.
    #[error("the database cannot be used")]
    Unavailable(#[source] sqlx::Error),
    /// Ours.
    #[error("the database refused a query")]
    Internal(#[source] sqlx::Error),
}

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of the file is not there and cannot be made.
    #[error("failed to create the folder {folder}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the file system says.
        #[source]
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[error("failed to open the database {database}")]
    Connect {
        /// The file or the server, without a password.
        database: String,
        /// What the driver says.
        #[source]
        source: sqlx::Error,
    },
    /// The schema cannot be brought to this version.
    #[error("failed to bring the schema of {database} up to date")]
    Migrate {
        /// The file or the server, without a password.
        database: String,
        /// What is wrong, such as a schema newer than this program.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
}
