//! SQLite: one file, created with its folder and schema by itself.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    Error, FromRow, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use uuid::Uuid;

use crate::todo::{Access, Change, Owner, Tenant, Todo, TodoId, TodoName};

use super::{OpenError, StoreError, TodoStore};

/// SQLite has one writer at a time. Ours queue for one connection, in order, instead of competing
/// for the file's lock, where one of many may starve.
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
}

const READERS: u32 = 4;
/// How long a request waits for its turn.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a statement waits for another process, such as a backup, to let go of the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl SqliteStore {
    /// Opens the file.
    ///
    /// # Errors
    ///
    /// [`OpenError`] names the file and what failed.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let database = path.display().to_string();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| OpenError::Folder {
                folder: folder.display().to_string(),
                source,
            })?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An answer means that the change is on disk, also when the power goes.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool = |connections, options| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .min_connections(1)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                // A connection to a file does not go stale; asking it each time costs as much as
                // the query itself.
                .test_before_acquire(false)
                .connect_with(options)
        };
        let connect = |source| OpenError::Connect { database: database.clone(), source };
        let writer = pool(1, options.clone()).await.map_err(connect)?;
        sqlx::migrate!("migrations/sqlite")
            .run(&writer)
            .await
            .map_err(|source| OpenError::Migrate { database: database.clone(), source })?;
        let readers = pool(READERS, options).await.map_err(connect)?;
        Ok(Self { writer, readers })
    }
}

#[async_trait]
impl TodoStore for SqliteStore {
    async fn list(
        &self,
        access: &Access,
        after: Option<TodoId>,
        limit: u16,
    ) -> Result<Vec<Todo>, StoreError> {
        let after = after.map_or(0, TodoId::get);
        let rows: Vec<Row> = match access {
            Access::Own(owner) => {
                sqlx::query_as(
                    "SELECT id, tenant, owner, name, is_complete FROM todos
                     WHERE tenant = $1 AND owner = $2 AND id > $3 ORDER BY id LIMIT $4",
                )
                .bind(owner.tenant.0)
                .bind(owner.object_id)
                .bind(after)
                .bind(limit)
                .fetch_all(&self.readers)
                .await?
            }
            Access::Tenant(tenant) => {
                sqlx::query_as(
                    "SELECT id, tenant, owner, name, is_complete FROM todos
                     WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3",
                )
                .bind(tenant.0)
                .bind(after)
                .bind(limit)
                .fetch_all(&self.readers)
                .await?
            }
        };
        Ok(rows.into_iter().map(Todo::from).collect())
    }

    async fn create(&self, owner: &Owner, name: &TodoName) -> Result<Todo, StoreError> {
        let row: Row = sqlx::query_as(
            "INSERT INTO todos (tenant, owner, name) VALUES ($1, $2, $3)
             RETURNING id, tenant, owner, name, is_complete",
        )
        .bind(owner.tenant.0)
        .bind(owner.object_id)
        .bind(name.as_str())
        .fetch_one(&self.writer)
        .await?;
        Ok(row.into())
    }

    async fn find(&self, tenant: Tenant, id: TodoId) -> Result<Option<Todo>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, tenant, owner, name, is_complete FROM todos WHERE tenant = $1 AND id = $2",
        )
        .bind(tenant.0)
        .bind(id.get())
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.map(Todo::from))
    }

    async fn update(
        &self,
        access: &Access,
        id: TodoId,
        change: &Change,
    ) -> Result<Option<Todo>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "UPDATE todos SET name = coalesce($4, name), is_complete = coalesce($5, is_complete)
             WHERE id = $1 AND tenant = $2 AND ($3 IS NULL OR owner = $3)
             RETURNING id, tenant, owner, name, is_complete",
        )
        .bind(id.get())
        .bind(access.tenant().0)
        .bind(only_owner(access))
        .bind(change.name.as_ref().map(TodoName::as_str))
        .bind(change.is_complete)
        .fetch_optional(&self.writer)
        .await?;
        Ok(row.map(Todo::from))
    }

    async fn delete(&self, access: &Access, id: TodoId) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "DELETE FROM todos WHERE id = $1 AND tenant = $2 AND ($3 IS NULL OR owner = $3)",
        )
        .bind(id.get())
        .bind(access.tenant().0)
        .bind(only_owner(access))
        .execute(&self.writer)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn delete_all(&self, tenant: Tenant) -> Result<u64, StoreError> {
        let done = sqlx::query("DELETE FROM todos WHERE tenant = $1")
            .bind(tenant.0)
            .execute(&self.writer)
            .await?;
        Ok(done.rows_affected())
    }

    async fn check(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1 FROM todos LIMIT 1").fetch_optional(&self.readers).await?;
        Ok(())
    }

    async fn close(&self) {
        self.readers.close().await;
        // The last connection to close moves the write-ahead log into the file.
        self.writer.close().await;
    }
}

/// The owner a query is limited to; `None` for all of the tenant.
fn only_owner(access: &Access) -> Option<Uuid> {
    match access {
        Access::Own(owner) => Some(owner.object_id),
        Access::Tenant(_) => None,
    }
}

#[derive(FromRow)]
struct Row {
    id: i64,
    tenant: Uuid,
    owner: Uuid,
    name: String,
    is_complete: bool,
}

impl From<Row> for Todo {
    fn from(row: Row) -> Self {
        Self {
            id: TodoId::from_stored(row.id),
            name: TodoName::from_stored(row.name),
            owner: Owner { tenant: Tenant(row.tenant), object_id: row.owner },
            is_complete: row.is_complete,
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        // The primary result code is the low byte (<https://sqlite.org/rescode.html>).
        let code = error
            .as_database_error()
            .and_then(|database| database.code())
            .and_then(|code| code.parse::<u32>().ok())
            .map(|code| code & 0xff);
        match (&error, code) {
            // BUSY, LOCKED
            (Error::PoolTimedOut, _) | (_, Some(5 | 6)) => Self::Overloaded(error),
            // PERM, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB
            (Error::Io(_) | Error::PoolClosed | Error::WorkerCrashed, _)
            | (_, Some(3 | 7 | 8 | 10 | 11 | 13 | 14 | 26)) => Self::Unavailable(error),
            _ => Self::Internal(error),
        }
    }
}
