//! The only connection that writes to SQLite. Changes that arrive during a commit are queued, and
//! share the next commit. The writer never waits for more, so a single change is committed at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{Notify, mpsc};

use crate::store::StoreError;

use super::{
    change::{Pending, QueuedChange},
    connection::Connection,
};

/// Sends changes to the task that owns the connection.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn QueuedChange>>,
    timeout: Duration,
    shared: Arc<Shared>,
}

/// State that the task shares with all clones of the [`Writer`].
#[derive(Default)]
struct Shared {
    /// Whether the last commit failed or timed out.
    failing: AtomicBool,
    /// Tells the task to close.
    closing: Notify,
    /// Tells [`Writer::close`] that the task has ended.
    closed: Notify,
}

/// The maximum number of queued changes. Further changes are rejected.
const QUEUE_LIMIT: usize = 1_024;
/// The maximum number of changes in one commit, so that the first one does not wait long for the
/// last.
const BATCH_LIMIT: usize = 256;

impl Writer {
    /// Starts the task. A change waits up to `timeout` for its turn and its commit.
    pub(super) fn start(connection: Connection, timeout: Duration) -> Self {
        let (queue, changes) = mpsc::channel(QUEUE_LIMIT);
        let shared = Arc::new(Shared::default());
        tokio::spawn(write(connection, changes, Arc::clone(&shared)));
        Self { queue, timeout, shared }
    }

    /// Makes the change and returns its result when the change is on disk.
    ///
    /// # Errors
    ///
    /// [`StoreError::Overloaded`] if the queue is full or the change times out; otherwise the error
    /// of the change or of its commit.
    pub(super) async fn run<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, sqlx::Result<T>>
            + Send
            + 'static,
    {
        let (pending, result) = Pending::new(change);
        let too_many = || StoreError::from(sqlx::Error::PoolTimedOut);
        self.queue.try_send(Box::new(pending)).map_err(|_| too_many())?;
        match tokio::time::timeout(self.timeout, result).await {
            Ok(result) => result.unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed.into())),
            // The task skips the change unless it has begun already.
            Err(_) => {
                self.shared.failing.store(true, Ordering::Relaxed);
                Err(too_many())
            }
        }
    }

    /// Returns whether the last commit failed or timed out.
    pub(super) fn is_failing(&self) -> bool {
        self.shared.failing.load(Ordering::Relaxed)
    }

    /// Commits the queued changes, rejects later ones, and closes the connection.
    pub(super) async fn close(&self) {
        self.shared.closing.notify_one();
        self.shared.closed.notified().await;
    }
}

/// Commits batches of changes until the queue is closed and empty.
async fn write(
    mut connection: Connection,
    mut changes: mpsc::Receiver<Box<dyn QueuedChange>>,
    shared: Arc<Shared>,
) {
    loop {
        let first = tokio::select! {
            first = changes.recv() => first,
            () = shared.closing.notified() => {
                changes.close();
                continue;
            }
        };
        let Some(first) = first else { break };
        let mut batch = vec![first];
        let committed = commit(&mut connection, &mut batch, &mut changes).await;
        if committed.is_err() {
            connection.fail();
        }
        shared.failing.store(committed.is_err(), Ordering::Relaxed);
        for change in batch {
            change.reply(committed.clone());
        }
    }
    connection.close().await;
    shared.closed.notify_one();
}

/// Applies the change in the batch and the queued ones, up to [`BATCH_LIMIT`], and commits them
/// together. The queued changes are added to the batch.
async fn commit(
    connection: &mut Connection,
    batch: &mut Vec<Box<dyn QueuedChange>>,
    changes: &mut mpsc::Receiver<Box<dyn QueuedChange>>,
) -> Result<(), StoreError> {
    // If the index of the log was replaced, writing to the log would overwrite what another process
    // has written.
    connection.verify()?;
    let opened = connection.get().await?;
    let mut transaction = opened.begin_with("BEGIN IMMEDIATE").await?;
    let mut applied = 0;
    while let Some(change) = batch.get_mut(applied) {
        if !change.is_abandoned() {
            change.apply(&mut transaction).await?;
        }
        applied += 1;
        if applied < BATCH_LIMIT {
            batch.extend(changes.try_recv().ok());
        }
    }
    transaction.commit().await?;
    // If the file was removed in the meantime, the changes written to it are lost.
    Ok(connection.verify()?)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use futures_util::future::join_all;
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
    use tempfile::TempDir;

    use super::super::files::Files;
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    /// Returns a writer on a file with a table of integers, its options, and its number of commits.
    async fn writer(folder: &TempDir) -> (Writer, SqliteConnectOptions, Arc<AtomicU32>) {
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("numbers.db"))
            .create_if_missing(true)
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
            .busy_timeout(TIMEOUT);
        let mut first = options.connect().await.unwrap();
        let table = "CREATE TABLE numbers (number INTEGER PRIMARY KEY) STRICT";
        sqlx::raw_sql(table).execute(&mut first).await.unwrap();
        let files = Files::of(&folder.path().join("numbers.db"), first).unwrap();
        let mut connection = Connection::new(options.clone(), Arc::new(files));
        let opened = connection.get().await.unwrap();
        let commits = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&commits);
        opened.lock_handle().await.unwrap().set_commit_hook(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            true
        });
        (Writer::start(connection, TIMEOUT), options, commits)
    }

    async fn insert(writer: &Writer, number: i64) -> Result<(), StoreError> {
        writer
            .run(move |connection| {
                Box::pin(async move {
                    let insert = sqlx::query("INSERT INTO numbers VALUES ($1)").bind(number);
                    insert.execute(connection).await.map(drop)
                })
            })
            .await
    }

    #[tokio::test]
    async fn queued_changes_share_a_commit_but_not_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, options, commits) = writer(&folder).await;
        insert(&writer, 7).await.unwrap();
        assert_eq!(commits.load(Ordering::Relaxed), 1, "a single change is committed at once");

        // A hundred changes are queued while another process locks the file. The 7 is a duplicate.
        let mut other = options.connect().await.unwrap();
        let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let changes = join_all((0..100).map(|number| insert(&writer, number)));
        let (results, released) = tokio::join!(changes, held.rollback());
        released.unwrap();
        for (number, result) in results.into_iter().enumerate() {
            match number {
                7 => assert!(matches!(result, Err(StoreError::Internal(_))), "{result:?}"),
                _ => result.unwrap(),
            }
        }
        assert_eq!(commits.load(Ordering::Relaxed), 2);
        let count = "SELECT count(*) FROM numbers";
        let count: i64 = sqlx::query_scalar(count).fetch_one(&mut other).await.unwrap();
        assert_eq!(count, 100);
    }

    #[tokio::test]
    async fn a_full_queue_rejects_changes_and_abandoned_ones_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, options, _) = writer(&folder).await;
        let mut other = options.connect().await.unwrap();
        let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
        let mut changes: Vec<_> =
            (0..2_000).map(|number| Box::pin(insert(&writer, number))).collect();
        let mut rejected = 0;
        for change in &mut changes {
            match futures_util::poll!(change) {
                std::task::Poll::Ready(Err(StoreError::Overloaded(_))) => rejected += 1,
                std::task::Poll::Ready(result) => panic!("{result:?}"),
                std::task::Poll::Pending => {}
            }
        }
        assert_eq!(rejected, 2_000 - QUEUE_LIMIT);
        drop(changes);
        held.rollback().await.unwrap();
        // The queue is in order, so all earlier changes are finished after this one.
        let mut last = insert(&writer, -1).await;
        while matches!(last, Err(StoreError::Overloaded(_))) {
            tokio::task::yield_now().await;
            last = insert(&writer, -1).await;
        }
        last.unwrap();
        let count = "SELECT count(*) FROM numbers";
        let count: i64 = sqlx::query_scalar(count).fetch_one(&mut other).await.unwrap();
        assert_eq!(count, 1, "the abandoned changes were skipped");
    }

    #[tokio::test]
    async fn closing_commits_the_queued_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, options, _) = writer(&folder).await;
        let changes = join_all((0..50).map(|number| insert(&writer, number)));
        let (results, ()) = tokio::join!(changes, writer.close());
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        let mut other = options.connect().await.unwrap();
        let count = "SELECT count(*) FROM numbers";
        let count: i64 = sqlx::query_scalar(count).fetch_one(&mut other).await.unwrap();
        assert_eq!(count, 50);
    }
}
