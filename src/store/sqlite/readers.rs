//! The connections that read from SQLite.
//!
//! Reading a page from a file takes microseconds, less than sending the query to another thread. So
//! a query runs on the thread of its request, which serves other requests too. If a query takes
//! long, for example on a slow disk, it is repeated on a thread that may block. Later queries use
//! such threads as well, until one of them is quick again.

use std::{
    panic,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{sync::Semaphore, task};

use crate::store::{
    StoreError,
    load_shedding::{Queue, Waiting},
};

use super::{connection::Connection, files::Files};

/// One connection for each thread that serves requests, so a query finds a free one without
/// waiting.
pub(super) struct Readers(Arc<Shared>);

struct Shared {
    /// `None` after closing.
    connections: Box<[Mutex<Option<Connection>>]>,
    /// Limits the number of threads that block.
    turns: Arc<Semaphore>,
    /// The queries that wait for one.
    waiting: Arc<Queue>,
    /// Whether the last query took longer than [`QUICK`].
    slow: AtomicBool,
    timeout: Duration,
}

/// How long a query may run on the thread of its request.
const QUICK: Duration = Duration::from_millis(10);

impl Readers {
    /// Opens all connections now, so that reading still works after the file is removed. A query
    /// waits up to `timeout` for its turn, and may then take as long again.
    pub(super) fn open(
        path: &Path,
        files: &Arc<Files>,
        threads: usize,
        timeout: Duration,
    ) -> Result<Self, StoreError> {
        // The thread that starts the others may read too.
        let count = threads + 1;
        let connections = (0..count).map(|_| {
            // A query waits for a lock of another process only where it may block.
            let mut connection = Connection::new(path, Duration::ZERO, Arc::clone(files));
            connection.get()?;
            Ok(Mutex::new(Some(connection)))
        });
        Ok(Self(Arc::new(Shared {
            connections: connections.collect::<Result<_, StoreError>>()?,
            turns: Arc::new(Semaphore::new(count)),
            waiting: Queue::new(timeout),
            slow: AtomicBool::new(false),
            timeout,
        })))
    }

    /// Runs the query, perhaps twice, and returns its result.
    ///
    /// # Errors
    ///
    /// [`StoreError::Overloaded`] if too many others are waiting, or if the query does not get its
    /// turn or takes too long; otherwise the error of the query.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        query: impl Fn(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.0.run_here(&query) {
            Some(result) => result,
            None => self.run_on_another_thread(Some(self.0.waiting.wait()?), query).await,
        }
    }

    /// The same, however many others are waiting.
    pub(super) async fn run_always<T: Send + 'static>(
        &self,
        query: impl Fn(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.0.run_here(&query) {
            Some(result) => result,
            None => self.run_on_another_thread(None, query).await,
        }
    }

    async fn run_on_another_thread<T: Send + 'static>(
        &self,
        waiting: Option<Waiting>,
        query: impl Fn(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.0);
        let turn = Arc::clone(&shared.turns).acquire_owned();
        let turn = tokio::time::timeout(shared.timeout, turn).await;
        let turn = turn.map_err(|_| StoreError::no_turn())?.map_err(|_| StoreError::closed())?;
        if let Some(waiting) = waiting {
            waiting.take_turn();
        }
        let thread = task::spawn_blocking(move || {
            // Held to the end, even if the caller stops waiting.
            let _turn = turn;
            shared.run_blocking(&query)
        });
        match thread.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => panic::resume_unwind(panic),
                Err(_) => Err(StoreError::closed()),
            },
        }
    }

    /// Closes all connections, after their current query.
    pub(super) fn close(&self) {
        for connection in &self.0.connections {
            *lock(connection) = None;
        }
    }
}

type Guard<'a> = MutexGuard<'a, Option<Connection>>;

impl Shared {
    /// Runs the query on this thread. Returns `None` if it must run on a thread that may block.
    fn run_here<T>(
        &self,
        query: &impl Fn(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Option<Result<T, StoreError>> {
        if self.slow.load(Ordering::Relaxed) {
            return None;
        }
        match self.run_within(QUICK, self.free_connection()?, query) {
            // The query was interrupted, or it would have to wait for another process.
            Err(StoreError::Overloaded(_)) => None,
            result => Some(result),
        }
    }

    fn run_blocking<T>(
        &self,
        query: &impl Fn(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        // A query on the thread of its request uses a connection only for a short time.
        let connection = self.free_connection().unwrap_or_else(|| lock(&self.connections[0]));
        self.run_within(self.timeout, connection, &|connection: &rusqlite::Connection| {
            connection.busy_timeout(self.timeout)?;
            let result = query(connection);
            connection.busy_timeout(Duration::ZERO)?;
            result
        })
    }

    /// Runs the query on this connection, and interrupts it if it takes longer than `limit`.
    fn run_within<T>(
        &self,
        limit: Duration,
        mut connection: Guard<'_>,
        query: &impl Fn(&rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let connection = connection.as_mut().ok_or_else(StoreError::closed)?;
        let started = Instant::now();
        connection.interrupt_at(started + limit);
        let result = query(connection.get()?).map_err(StoreError::from);
        if !matches!(result, Ok(_) | Err(StoreError::Overloaded(_))) {
            connection.fail();
        }
        let slow = started.elapsed() > QUICK;
        if slow != self.slow.load(Ordering::Relaxed) {
            self.slow.store(slow, Ordering::Relaxed);
        }
        result
    }

    /// Returns a connection that no other thread uses now, if possible the one that this thread has
    /// used before, because its data is in the cache of the processor.
    fn free_connection(&self) -> Option<Guard<'_>> {
        let first = THREAD.with(|number| *number) % self.connections.len();
        let (before, after) = self.connections.split_at(first);
        after.iter().chain(before).find_map(|connection| match connection.try_lock() {
            Ok(connection) => Some(connection),
            // A query panicked. Its statement was reset while the stack was unwound.
            Err(TryLockError::Poisoned(connection)) => Some(connection.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

fn lock(connection: &Mutex<Option<Connection>>) -> Guard<'_> {
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Distinguishes the threads that have read something.
    static THREAD: usize = THREADS.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;

    use super::super::connection::open;
    use super::*;

    const ENDLESS: &str = "
        WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
        SELECT count(*) FROM numbers";

    #[tokio::test]
    async fn a_long_query_delays_no_other_and_is_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("empty.db");
        let first = open(&file, true, Duration::ZERO).unwrap();
        // The write-ahead log exists from the first change on.
        first.execute_batch("CREATE TABLE empty (number INTEGER) STRICT").unwrap();
        let files = Arc::new(Files::of(&file, first).unwrap());
        let readers = Readers::open(&file, &files, 1, Duration::from_secs(5)).unwrap();
        let run = |sql: &'static str| {
            readers.run(move |reader| reader.query_row(sql, [], |row| row.get::<_, i64>(0)))
        };
        let mut long = pin!(run(ENDLESS));
        assert!(poll!(&mut long).is_pending());
        assert_eq!(run("SELECT 7").await.unwrap(), 7);
        assert!(poll!(&mut long).is_pending());
        assert!(matches!(long.await, Err(StoreError::Overloaded(_))));
        // Where a query must not block, it does not wait for locks either.
        for connection in &readers.0.connections {
            let mut connection = lock(connection);
            let connection = connection.as_mut().unwrap().get().unwrap();
            let wait = "PRAGMA busy_timeout";
            assert_eq!(connection.query_row(wait, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
        }
        // The first query after it shows that queries are quick again, unless the system stops this
        // thread meanwhile.
        let mut quick = false;
        for _ in 0..1_000 {
            assert_eq!(run("SELECT 7").await.unwrap(), 7);
            quick = matches!(poll!(pin!(run("SELECT 7"))), std::task::Poll::Ready(Ok(7)));
            if quick {
                break;
            }
        }
        assert!(quick);
        readers.close();
        assert!(matches!(run("SELECT 7").await, Err(StoreError::Unavailable(_))));
    }
}
