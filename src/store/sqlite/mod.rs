//! The store on SQLite: one file. The file, its folder and the schema are created at start-up.

mod anchor;
mod backup;
mod connection;
mod error;
mod files;
mod inspect;
mod migrations;
mod queries;
mod readers;
mod writer;

use std::{
    error::Error,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use async_trait::async_trait;
use rusqlite::Transaction;
use tokio::{sync::oneshot, task};

use crate::{
    list::Listing,
    todo::{Access, Change, IdempotencyKey, NewTodo, Owner, Tenant, Todo, TodoId, Version},
};

use super::{
    Creation, ListCondition, Now, OpenError, Options, StoreError, TodoStore,
    load_shedding::Queue,
    migrating,
    migrations::{SQLITE, missing},
    seconds,
    sweeper::Sweeper,
};

use anchor::Anchor;
use connection::Connection;
use error::{SqliteError, is_read_only};
use files::{Files, folder_of};
use readers::Readers;
use writer::Writer;

pub use backup::{BackupError, back_up};
pub(super) use inspect::inspect;

/// Stores the todos in a SQLite file, which allows one writer at a time. Changes wait in a queue
/// for the one connection that writes, and share commits. If they competed for the lock of the file
/// instead, some of them could wait forever.
pub struct SqliteStore {
    writer: Writer,
    /// The changes that wait for the writer.
    changes: Arc<Queue>,
    readers: Arc<Readers>,
    files: Arc<Files>,
    sweeper: Sweeper,
    now: Now,
    todo_limit: u32,
}

impl SqliteStore {
    /// Opens the file and migrates the schema. This many threads can read at the same time. An
    /// operation waits up to [`Options::timeout`] for its turn, and a statement waits as long for a
    /// lock of another process.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the file cannot be opened or the schema cannot be migrated.
    pub async fn open(
        path: &Path,
        options: &Options,
        threads: usize,
        now: Now,
    ) -> Result<Self, OpenError> {
        let &Options { timeout, todo_limit, .. } = options;
        let database = path.display().to_string();
        let files = migrating(&database, async {
            let lock = lock_folder(path).await?;
            migrate(path.to_owned(), timeout, lock).await
        })
        .await?;
        let connect = |source| OpenError::Connect { database: database.clone(), source };
        let files = Arc::new(files);
        let connection = || Connection::new(path, timeout, Arc::clone(&files));
        let (connection, anchor) = (connection(), Anchor::new(connection()));
        let writer =
            Writer::start(connection, anchor, timeout).map_err(|error| connect(error.into()))?;
        let readers =
            Readers::open(path, &files, threads, timeout).map_err(|error| connect(error.into()))?;
        let (sweeping, clock) = (writer.clone(), Arc::clone(&now));
        let sweeper = Sweeper::start(move || {
            let (writer, now) = (sweeping.clone(), seconds(&clock));
            Box::pin(async move {
                writer.run(move |transaction| queries::sweep(transaction, now)).await
            })
        });
        let (changes, readers) = (Queue::new(timeout), Arc::new(readers));
        Ok(Self { writer, changes, readers, files, sweeper, now, todo_limit })
    }

    /// Makes a change, unless too many others are waiting, and returns its result when it is on
    /// disk.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let waiting = self.changes.wait()?;
        let change = move |transaction: &mut Transaction<'_>| {
            waiting.take_turn();
            change(transaction)
        };
        self.writer.run(change).await
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

/// Migrates the schema on a thread of its own, because a migration can take long, and the server
/// must still be able to stop. Returns the files, which are open from now on.
async fn migrate(path: PathBuf, timeout: Duration, lock: File) -> Result<Files, OpenError> {
    let database = path.display().to_string();
    let connect = |source: Box<dyn Error + Send + Sync>| OpenError::Connect { database, source };
    let (done, migrated) = oneshot::channel();
    let migration = thread::Builder::new().spawn(move || {
        // The result is not needed if the server has stopped.
        let _ = done.send(open_and_migrate(&path, timeout));
        drop(lock);
    });
    match migration {
        Ok(_) => migrated.await.unwrap_or_else(|error| Err(connect(error.into()))),
        Err(error) => Err(connect(error.into())),
    }
}

fn open_and_migrate(path: &Path, timeout: Duration) -> Result<Files, OpenError> {
    let database = path.display().to_string();
    let connect = |source| OpenError::Connect { database: database.clone(), source };
    let sqlite = |error: rusqlite::Error| connect(SqliteError::from(error).into());
    let mut first = connection::connect(path, true, timeout).map_err(sqlite)?;
    // The first change to the file comes after all reasons to refuse it.
    let applied = inspect::applied(&first, path)?.unwrap_or_default();
    let missing = missing(SQLITE, &applied, &database)?;
    connection::configure(&first).map_err(sqlite)?;
    migrations::migrate(&mut first, missing, &database)?;
    check_writable(&first).map_err(sqlite)?;
    Files::of(path, first).map_err(|error| connect(error.into()))
}

/// Fails if the file is read-only. If the schema was up to date already, nothing has been written
/// so far.
fn check_writable(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    // On a read-only file, `BEGIN IMMEDIATE` succeeds and starts a transaction that only reads.
    match queries::change_nothing(connection) {
        Err(error) if is_read_only(&error) => Err(error),
        // Other errors, such as a lock of another process, may be temporary. Reading still works.
        _ => Ok(()),
    }
}

#[async_trait]
impl TodoStore for SqliteStore {
    async fn list(
        &self,
        access: &Access,
        after: Option<TodoId>,
        limit: u16,
    ) -> Result<Listing, StoreError> {
        let access = *access;
        self.readers.run(move |reader| queries::list(reader, &access, after, limit)).await
    }

    async fn create(
        &self,
        owner: &Owner,
        new: &NewTodo,
        key: Option<&IdempotencyKey>,
    ) -> Result<Creation, StoreError> {
        let (owner, new, key) = (*owner, new.clone(), key.cloned());
        let (limit, now) = (self.todo_limit, seconds(&self.now));
        self.change(move |transaction| match &key {
            Some(key) => queries::create_once(transaction, &owner, new, limit, key, now),
            None => Ok(queries::create(transaction, &owner, new, limit)?.into()),
        })
        .await
    }

    async fn find(&self, tenant: Tenant, id: TodoId) -> Result<Option<Todo>, StoreError> {
        self.readers.run(move |reader| queries::find(reader, tenant, id)).await
    }

    async fn update(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
        change: &Change,
    ) -> Result<Option<Todo>, StoreError> {
        let (access, change) = (*access, change.clone());
        self.change(move |transaction| queries::update(transaction, &access, id, expected, &change))
            .await
    }

    async fn delete(
        &self,
        access: &Access,
        id: TodoId,
        expected: Option<Version>,
    ) -> Result<bool, StoreError> {
        let access = *access;
        self.change(move |transaction| queries::delete(transaction, &access, id, expected)).await
    }

    async fn delete_all(
        &self,
        tenant: Tenant,
        condition: Option<ListCondition>,
    ) -> Result<Option<u64>, StoreError> {
        let deleted = self
            .change(move |transaction| queries::delete_all(transaction, tenant, condition))
            .await?;
        self.sweeper.wake();
        Ok(deleted)
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.files.verify()?;
        if self.writer.is_failing() {
            self.writer.run(|transaction| queries::probe(transaction)).await?;
        }
        self.readers.run_always(queries::check).await
    }

    async fn close(&self) {
        self.sweeper.stop();
        self.writer.close().await;
        let (readers, files) = (Arc::clone(&self.readers), Arc::clone(&self.files));
        // Closing the last connection writes to the disk. A panic in it was already reported.
        let _ = task::spawn_blocking(move || {
            readers.close();
            files.close();
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use crate::store::Location;

    use super::*;

    async fn open(folder: &tempfile::TempDir) -> SqliteStore {
        let now: Now = Arc::new(|| 0);
        let file = folder.path().join("todo.db");
        let options = Options {
            location: Location::Sqlite(file.clone()),
            connections: 2,
            timeout: Duration::from_secs(5),
            todo_limit: 1,
        };
        SqliteStore::open(&file, &options, 1, now).await.unwrap()
    }

    #[tokio::test]
    async fn every_commit_is_synced_to_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        // 2 is FULL: in WAL mode, the log is synced at each commit
        // (<https://sqlite.org/pragma.html#pragma_synchronous>).
        let synchronous: i64 = store
            .writer
            .run(|transaction| {
                transaction.pragma_query_value(None, "synchronous", |row| row.get(0))
            })
            .await
            .unwrap();
        assert_eq!(synchronous, 2);
        let mode: String = store
            .writer
            .run(|transaction| {
                transaction.pragma_query_value(None, "journal_mode", |row| row.get(0))
            })
            .await
            .unwrap();
        assert_eq!(mode, "wal");
        store.close().await;
    }

    #[tokio::test]
    async fn a_page_of_own_todos_is_read_from_the_index_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        let plan: Vec<String> = store
            .writer
            .run(|transaction| {
                let plan = format!("EXPLAIN QUERY PLAN {}", queries::LIST_OWN);
                let mut statement = transaction.prepare(&plan)?;
                let unbound = [None::<i64>; 4];
                statement.query_map(unbound, |row| row.get("detail"))?.collect()
            })
            .await
            .unwrap();
        let page =
            "SEARCH todos USING COVERING INDEX todos_by_owner (tenant=? AND owner=? AND id>?)";
        assert!(plan.iter().any(|step| step == page), "{plan:#?}");
        store.close().await;
    }
}
