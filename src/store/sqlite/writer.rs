//! The one connection that writes to SQLite. Changes that arrive during a commit are queued, and
//! share the next commit. The writer never waits for more, so a single change is committed at once.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rusqlite::{Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::store::StoreError;

use super::{anchor::Anchor, connection::Connection};

/// Sends changes to the thread that owns the connection.
#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    timeout: Duration,
    /// Whether the last commit failed or timed out.
    failing: Arc<AtomicBool>,
}

enum Message {
    Change(Box<dyn QueuedChange>),
    /// Ends the thread. The sender is dropped when the connection is closed.
    Close(oneshot::Sender<()>),
}

/// The maximum number of queued changes. Further changes are rejected.
const QUEUE_LIMIT: usize = 1_024;
/// The maximum number of changes in one commit, so that the first one does not wait long for the
/// last.
const BATCH_LIMIT: usize = 256;

impl Writer {
    /// Starts the thread. It moves the anchor to the newest snapshot after each commit. A change
    /// waits up to `timeout` for its turn and its commit.
    pub(super) fn start(
        connection: Connection,
        anchor: Anchor,
        timeout: Duration,
    ) -> io::Result<Self> {
        let (queue, changes) = mpsc::channel(QUEUE_LIMIT);
        let failing = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&failing);
        thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || write(connection, anchor, changes, &shared))?;
        Ok(Self { queue, timeout, failing })
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
        F: FnOnce(&mut Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let change = Pending { change: Some(change), result: None, reply };
        self.queue.try_send(Message::Change(Box::new(change))).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::no_turn(),
            mpsc::error::TrySendError::Closed(_) => StoreError::closed(),
        })?;
        match tokio::time::timeout(self.timeout, result).await {
            Ok(result) => result.unwrap_or_else(|_| Err(StoreError::closed())),
            // The thread skips the change unless it has begun already.
            Err(_) => {
                self.failing.store(true, Ordering::Relaxed);
                Err(StoreError::no_turn())
            }
        }
    }

    /// Returns whether the last commit failed or timed out.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Commits the queued changes, rejects later ones, and closes the connection.
    pub(super) async fn close(&self) {
        let (closing, closed) = oneshot::channel();
        // Both fail only if the thread has ended already.
        if self.queue.send(Message::Close(closing)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

/// Commits batches of changes until it is told to close.
fn write(
    mut connection: Connection,
    mut anchor: Anchor,
    mut queue: mpsc::Receiver<Message>,
    failing: &AtomicBool,
) {
    anchor.hold();
    let mut closing = None;
    while closing.is_none() {
        let first = match queue.blocking_recv() {
            Some(Message::Change(change)) => change,
            Some(Message::Close(sender)) => {
                closing = Some(sender);
                break;
            }
            None => break,
        };
        let mut batch = vec![first];
        let next = || match queue.try_recv().ok()? {
            Message::Change(change) => Some(change),
            Message::Close(sender) => {
                closing = Some(sender);
                None
            }
        };
        anchor.release();
        let committed = commit(&mut connection, &mut batch, next);
        if committed.is_err() {
            connection.fail();
        }
        failing.store(committed.is_err(), Ordering::Relaxed);
        for change in batch {
            change.reply(committed.clone());
        }
        // The changes are on disk already, so their callers do not wait for this.
        connection.checkpoint();
        anchor.hold();
    }
    drop((connection, anchor));
    drop(closing);
}

/// Applies the change in the batch and the `next` ones, up to [`BATCH_LIMIT`], and commits them
/// together. The next changes are added to the batch.
fn commit(
    connection: &mut Connection,
    batch: &mut Vec<Box<dyn QueuedChange>>,
    mut next: impl FnMut() -> Option<Box<dyn QueuedChange>>,
) -> Result<(), StoreError> {
    // If the index of the log was replaced, writing to the log would overwrite what another process
    // has written.
    connection.verify()?;
    let opened = connection.get()?;
    let mut transaction = opened.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut applied = 0;
    while let Some(change) = batch.get_mut(applied) {
        if !change.is_abandoned() {
            change.apply(&mut transaction)?;
        }
        applied += 1;
        if applied < BATCH_LIMIT {
            batch.extend(next());
        }
    }
    transaction.commit()?;
    // If the file was removed in the meantime, the changes written to it are lost.
    connection.verify()
}

/// A change in the queue. Hides the type of its result, so that one queue holds all changes.
trait QueuedChange: Send {
    /// Returns whether the caller has stopped waiting for the result.
    fn is_abandoned(&self) -> bool;

    /// Makes the change in the current transaction.
    ///
    /// # Errors
    ///
    /// Only errors that end the transaction. If only this change has failed, its error is the
    /// result of the change, and the transaction continues.
    fn apply(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError>;

    /// Sends the result to the caller: the error of the commit or, if it succeeded, the result of
    /// the change.
    fn reply(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A change and the sender of its result.
struct Pending<T, F> {
    change: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> QueuedChange for Pending<T, F>
where
    T: Send,
    F: FnOnce(&mut Transaction<'_>) -> rusqlite::Result<T> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn apply(&mut self, transaction: &mut Transaction<'_>) -> Result<(), StoreError> {
        let Some(change) = self.change.take() else { return Ok(()) };
        match change(transaction).map_err(StoreError::from) {
            // SQLite undoes only the failed statement, and the transaction continues
            // (<https://sqlite.org/lang_transaction.html>, section 3).
            result @ (Ok(_) | Err(StoreError::Internal(_))) => {
                self.result = Some(result);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn reply(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        // The caller may have stopped waiting.
        let _ = reply
            .send(committed.and_then(|()| result.unwrap_or_else(|| Err(StoreError::no_turn()))));
    }
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, sync::atomic::AtomicU32, task::Poll};

    use futures_util::{future::join_all, poll};
    use tempfile::TempDir;

    use super::super::{
        connection::{CHECKPOINT, open},
        files::Files,
    };
    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);

    fn file(folder: &TempDir) -> PathBuf {
        folder.path().join("numbers.db")
    }

    /// Returns a writer on a file with a table of integers, and its number of commits.
    fn writer(folder: &TempDir) -> (Writer, Arc<AtomicU32>) {
        let file = file(folder);
        let first = open(&file, true, TIMEOUT).unwrap();
        first.execute_batch("CREATE TABLE numbers (number INTEGER PRIMARY KEY) STRICT").unwrap();
        let files = Files::of(&file, first).unwrap();
        let files = Arc::new(files);
        let mut connection = Connection::new(&file, TIMEOUT, Arc::clone(&files));
        let anchor = Anchor::new(Connection::new(&file, TIMEOUT, files));
        let commits = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&commits);
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
            false
        };
        connection.get().unwrap().commit_hook(Some(count)).unwrap();
        (Writer::start(connection, anchor, TIMEOUT).unwrap(), commits)
    }

    async fn insert(writer: &Writer, number: i64) -> Result<(), StoreError> {
        let insert = "INSERT INTO numbers VALUES (?1)";
        writer.run(move |transaction| transaction.execute(insert, [number]).map(drop)).await
    }

    fn count(connection: &rusqlite::Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0)).unwrap()
    }

    #[tokio::test]
    async fn queued_changes_share_a_commit_but_not_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, commits) = writer(&folder);
        insert(&writer, 7).await.unwrap();
        assert_eq!(commits.load(Ordering::Relaxed), 1, "a single change is committed at once");

        // A hundred changes are queued while another process locks the file. The 7 is a duplicate.
        let other = open(&file(&folder), false, TIMEOUT).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let changes = join_all((0..100).map(|number| insert(&writer, number)));
        let release = async { other.execute_batch("ROLLBACK").unwrap() };
        let (results, ()) = tokio::join!(changes, release);
        for (number, result) in results.into_iter().enumerate() {
            match number {
                7 => assert!(matches!(result, Err(StoreError::Internal(_))), "{result:?}"),
                _ => result.unwrap(),
            }
        }
        assert_eq!(commits.load(Ordering::Relaxed), 2);
        assert_eq!(count(&other), 100);
    }

    #[tokio::test]
    async fn the_log_does_not_grow_without_limit() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, _) = writer(&folder);
        // Each of these changes is more than 20 pages of 4 KiB.
        let insert = "
            WITH RECURSIVE next (number) AS (SELECT ?1 UNION ALL SELECT number + 1 FROM next)
            INSERT INTO numbers SELECT number FROM next LIMIT 10000";
        for first in (0..2_500_000).step_by(10_000) {
            writer.run(move |change| change.execute(insert, [first]).map(drop)).await.unwrap();
        }
        // After each copy, SQLite writes to the start of the log again.
        let log = std::fs::metadata(folder.path().join("numbers.db-wal")).unwrap().len();
        let pages = i64::try_from(log / 4_096).unwrap();
        assert!(pages < 2 * i64::from(CHECKPOINT), "{pages} pages");
    }

    #[tokio::test]
    async fn a_full_queue_rejects_changes_and_abandoned_ones_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, _) = writer(&folder);
        let other = open(&file(&folder), false, TIMEOUT).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut changes: Vec<_> =
            (0..2_000).map(|number| Box::pin(insert(&writer, number))).collect();
        let mut rejected = 0;
        for change in &mut changes {
            match poll!(change) {
                Poll::Ready(Err(StoreError::Overloaded(_))) => rejected += 1,
                Poll::Ready(result) => panic!("{result:?}"),
                Poll::Pending => {}
            }
        }
        // The thread may have taken a change from the queue already.
        let accepted = 2_000 - rejected;
        assert!([QUEUE_LIMIT, QUEUE_LIMIT + 1].contains(&accepted), "{accepted}");
        drop(changes);
        other.execute_batch("ROLLBACK").unwrap();
        // The queue is in order, so all earlier changes are finished after this one.
        let mut last = insert(&writer, -1).await;
        while matches!(last, Err(StoreError::Overloaded(_))) {
            tokio::task::yield_now().await;
            last = insert(&writer, -1).await;
        }
        last.unwrap();
        assert_eq!(count(&other), 1, "the abandoned changes were skipped");
    }

    #[tokio::test]
    async fn closing_commits_the_queued_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, _) = writer(&folder);
        let changes = join_all((0..50).map(|number| insert(&writer, number)));
        let (results, ()) = tokio::join!(changes, writer.close());
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(count(&open(&file(&folder), false, TIMEOUT).unwrap()), 50);
        assert!(matches!(insert(&writer, 50).await, Err(StoreError::Unavailable(_))));
    }
}
