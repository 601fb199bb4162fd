//! The store on SQLite: one file. The file, its folder and the schema are created at start-up.

mod backup;
mod change;
mod connection;
mod files;
mod readers;
mod writer;

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use sqlx::{
    ConnectOptions, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    list::Listing,
    todo::{Access, Change, IdempotencyKey, NewTodo, Owner, Tenant, Todo, TodoId, Version},
};

use super::{
    Creation, ListCondition, Now, OpenError, StoreError, TodoStore,
    error::is_read_only,
    migrating,
    queries::{CHANGE_NOTHING, sqlite as queries},
    seconds,
    sweeper::Sweeper,
};

use connection::Connection;
use files::{Files, folder_of};
use readers::Readers;
use writer::Writer;

pub use backup::{BackupError, back_up};

/// Stores the todos in a SQLite file, which allows one writer at a time. Changes wait in a queue
/// for the one connection that writes, and share commits. If they competed for the lock of the file
/// instead, some of them could wait forever.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    files: Arc<Files>,
    sweeper: Sweeper,
    now: Now,
}

impl SqliteStore {
    /// Opens the file and migrates the schema. An operation waits up to `timeout` for its turn, and
    /// a statement waits up to `timeout` for a lock of another process.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the file cannot be opened or the schema cannot be migrated.
    pub async fn open(path: &Path, timeout: Duration, now: Now) -> Result<Self, OpenError> {
        let database = path.display().to_string();
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A change that was reported as successful must survive a power failure.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(timeout);
        let connect = |source| OpenError::Connect { database: database.clone(), source };
        let first = migrating(&database, async {
            let _lock = lock_folder(path).await?;
            let mut first = options.connect().await.map_err(connect)?;
            // With a borrowed connection, the future of `run` is not `Send`.
            sqlx::migrate!("migrations/sqlite")
                .run_direct(None, &mut first, false)
                .await
                .map_err(|source| OpenError::migrate(database.clone(), source))?;
            check_writable(&mut first).await.map_err(connect)?;
            Ok(first)
        })
        .await?;
        let files = Files::of(path, first).map_err(|error| connect(error.into()))?;
        let files = Arc::new(files);
        let connection = || Connection::new(options.clone(), Arc::clone(&files));
        let writer = Writer::start(connection(), timeout);
        let readers = Readers::open(connection, timeout).await.map_err(connect)?;
        let (sweeping, clock) = (writer.clone(), Arc::clone(&now));
        let sweeper = Sweeper::start(move || {
            let (writer, now) = (sweeping.clone(), seconds(&clock));
            Box::pin(async move {
                writer.run(move |connection| Box::pin(queries::sweep(connection, now))).await
            })
        });
        Ok(Self { writer, readers, files, sweeper, now })
    }
}

const BETWEEN_LOCK_ATTEMPTS: Duration = Duration::from_millis(10);

/// Creates the folder and locks it, because SQLite would let two processes migrate at once. Waits
/// while another process holds the lock. The lock is held until the returned file is dropped.
async fn lock_folder(database: &Path) -> Result<File, OpenError> {
    let folder = folder_of(database);
    let failed = |source| OpenError::Folder { folder: folder.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let opened = File::open(folder).map_err(failed)?;
    // A blocking wait for the lock could not be cancelled, so this polls.
    loop {
        match opened.try_lock() {
            Ok(()) => return Ok(opened),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(BETWEEN_LOCK_ATTEMPTS).await,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

/// Fails if the file is read-only. If the schema was up to date already, nothing has been written
/// so far.
async fn check_writable(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    // On a read-only file, `BEGIN IMMEDIATE` succeeds and starts a transaction that only reads.
    match sqlx::query(CHANGE_NOTHING).execute(connection).await {
        Err(error) if is_read_only(&error) => Err(error),
        // Other errors, such as a lock of another process, may be temporary. Reading still works.
        _ => Ok(()),
    }
}

/// Writes as much data as a change to a todo, to find out whether the file can be written again.
async fn probe(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("UPDATE probe SET room = randomblob(32768)").execute(connection).await.map(drop)
}

#[async_trait]
impl TodoStore for SqliteStore {
    async fn list(
        &self,
        access: &Access,
        after: Option<TodoId>,
        limit: u16,
    ) -> Result<Listing, StoreError> {
        self.readers.run(async |reader| queries::list(reader, access, after, limit).await).await
    }

    async fn create(
        &self,
        owner: &Owner,
        new: &NewTodo,
        key: Option<&IdempotencyKey>,
    ) -> Result<Creation, StoreError> {
        let (owner, new, key) = (*owner, new.clone(), key.cloned());
        let now = seconds(&self.now);
        self.writer
            .run(move |connection| {
                Box::pin(async move {
                    match &key {
                        Some(key) => queries::create_once(connection, &owner, &new, key, now).await,
                        None => queries::create(connection, &owner, &new).await.map(Creation::Made),
                    }
                })
            })
            .await
    }

    async fn find(&self, tenant: Tenant, id: TodoId) -> Result<Option<Todo>, StoreError> {
        self.readers.run(async |reader| queries::find(reader, tenant, id).await).await
    }

    async fn update(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
        change: &Change,
    ) -> Result<Option<Todo>, StoreError> {
        let (access, change) = (*access, change.clone());
        self.writer
            .run(move |connection| {
                Box::pin(async move {
                    queries::update(connection, &access, id, expected, &change).await
                })
            })
            .await
    }

    async fn delete(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<bool, StoreError> {
        let access = *access;
        self.writer
            .run(move |connection| {
                Box::pin(async move { queries::delete(connection, &access, id, expected).await })
            })
            .await
    }

    async fn delete_all(
        &self,
        tenant: Tenant,
        condition: Option<ListCondition>,
    ) -> Result<Option<u64>, StoreError> {
        let deleted = self
            .writer
            .run(move |connection| Box::pin(queries::delete_all(connection, tenant, condition)))
            .await?;
        self.sweeper.wake();
        Ok(deleted)
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.files.verify().map_err(sqlx::Error::from)?;
        if self.writer.is_failing() {
            self.writer.run(|connection| Box::pin(probe(connection))).await?;
        }
        self.readers.run(async |reader| queries::check(reader).await).await
    }

    async fn close(&self) {
        self.sweeper.stop();
        self.readers.close().await;
        self.writer.close().await;
        self.files.close().await;
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::{super::queries::LIST_OWN, *};

    #[tokio::test]
    async fn every_commit_is_synced_to_disk() {
        let folder = tempfile::tempdir().unwrap();
        let now: Now = Arc::new(|| 0);
        let file = folder.path().join("todo.db");
        let store = SqliteStore::open(&file, Duration::from_secs(5), now).await.unwrap();
        let setting = |pragma: &'static str| {
            store.writer.run(move |connection| {
                Box::pin(sqlx::query_scalar::<_, String>(pragma).fetch_one(connection))
            })
        };
        // 2 is FULL: in WAL mode, the log is synced at each commit
        // (<https://sqlite.org/pragma.html#pragma_synchronous>).
        let synchronous = "SELECT CAST(synchronous AS TEXT) FROM pragma_synchronous";
        assert_eq!(setting(synchronous).await.unwrap(), "2");
        assert_eq!(setting("PRAGMA journal_mode").await.unwrap(), "wal");
        store.close().await;
    }
    #[tokio::test]
    async fn a_page_of_own_todos_is_read_from_the_index_alone() {
        let folder = tempfile::tempdir().unwrap();
        let now: Now = Arc::new(|| 0);
        let file = folder.path().join("todo.db");
        let store = SqliteStore::open(&file, Duration::from_secs(5), now).await.unwrap();
        let plan = format!("EXPLAIN QUERY PLAN {LIST_OWN}");
        let plan = store
            .writer
            .run(move |connection| {
                Box::pin(async move {
                    let steps = sqlx::query(AssertSqlSafe(plan)).fetch_all(connection).await?;
                    steps.iter().map(|step| step.try_get("detail")).collect()
                })
            })
            .await;
        let plan: Vec<String> = plan.unwrap();
        let page =
            "SEARCH todos USING COVERING INDEX todos_by_owner (tenant=? AND owner=? AND id>?)";
        assert!(plan.iter().any(|step| step == page), "{plan:#?}");
        store.close().await;
    }
}
