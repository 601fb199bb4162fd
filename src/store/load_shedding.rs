//! Refuses operations while those before them wait too long for the database. Otherwise all of them
//! would get their responses late.
//!
//! A queue that is full for a moment is harmless: some of its operations still get their turn
//! quickly. If none has done so for a while, the queue no longer drains (this is the signal of
//! CoDel, RFC 8289). It then gets a limit. The limit is halved until operations are quick again,
//! and grows by one with each quick operation, as the window of a TCP connection does. What counts
//! is only the wait for a turn, so a slow disk whose commits serve everybody who waits does not
//! cause refusals.
//!
//! A queue consists of atomic numbers. It takes no lock and allocates nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::StoreError;

/// The number of operations that may always wait. So few cannot make each other late, but they show
/// when the database is quick again.
const ALWAYS: usize = 16;
/// The largest limit: there are never more requests in progress (`api::http::limits`).
const LARGEST: usize = 1_024;
/// A turn is quick if the wait for it is at most this part of the timeout: half a second by
/// default. People notice a longer wait. Without overload, even hundreds of clients wait only for
/// tens of milliseconds.
const QUICK_SHARE: u32 = 10;
/// The limit is halved if no turn was quick for this part of the timeout: a second by default. It
/// is longer than a quick wait, so that operations that begin to wait now can still be quick.
const INTERVAL_SHARE: u32 = 5;

/// The operations that wait for their turn at a part of the database.
pub(super) struct Queue {
    /// The longest wait that is quick.
    quick: Duration,
    interval: Duration,
    started: Instant,
    waiting: AtomicUsize,
    limit: AtomicUsize,
    /// When a turn was last quick, in nanoseconds since `started`.
    last_quick: AtomicU64,
}

impl Queue {
    /// A queue in which operations wait up to `timeout`.
    pub(super) fn new(timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            quick: timeout / QUICK_SHARE,
            interval: timeout / INTERVAL_SHARE,
            started: Instant::now(),
            waiting: AtomicUsize::new(0),
            limit: AtomicUsize::new(LARGEST),
            last_quick: AtomicU64::new(0),
        })
    }

    /// Begins to wait.
    ///
    /// # Errors
    ///
    /// [`StoreError::Overloaded`] if so many others are waiting that this operation would be late.
    pub(super) fn wait(self: &Arc<Self>) -> Result<Waiting, StoreError> {
        self.wait_at(Instant::now())
    }

    fn wait_at(self: &Arc<Self>, now: Instant) -> Result<Waiting, StoreError> {
        let others = self.waiting.fetch_add(1, Relaxed);
        // If this is dropped without a turn, it stops waiting.
        let waiting = Waiting { queue: Arc::clone(self), since: now };
        let stamp = self.stamp(now);
        let last_quick = self.last_quick.load(Relaxed);
        if others < ALWAYS {
            self.last_quick.fetch_max(stamp, Relaxed);
        } else if Duration::from_nanos(stamp.saturating_sub(last_quick)) > self.interval {
            self.halve_limit(last_quick, stamp, others);
        }
        match others < self.limit.load(Relaxed) {
            true => Ok(waiting),
            false => Err(StoreError::no_turn()),
        }
    }

    /// Halves the limit, unless another operation has done so for this interval.
    fn halve_limit(&self, last_quick: u64, now: u64, waiting: usize) {
        if self.last_quick.compare_exchange(last_quick, now, Relaxed, Relaxed).is_ok() {
            let limit = (self.limit.load(Relaxed).min(waiting) / 2).max(ALWAYS);
            self.limit.store(limit, Relaxed);
            tracing::warn!(waiting, limit, "the database is too slow: some requests are refused");
        }
    }

    fn stamp(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.started);
        elapsed.as_nanos().try_into().unwrap_or(u64::MAX)
    }
}

/// An operation that waits, until this is dropped.
pub(super) struct Waiting {
    queue: Arc<Queue>,
    since: Instant,
}

impl Waiting {
    /// Ends the wait, because the operation has its turn.
    pub(super) fn take_turn(self) {
        self.take_turn_at(Instant::now());
    }

    fn take_turn_at(self, now: Instant) {
        let queue = &self.queue;
        if now.saturating_duration_since(self.since) > queue.quick {
            return;
        }
        queue.last_quick.fetch_max(queue.stamp(now), Relaxed);
        // An error says that the limit is the largest already.
        let _ = queue
            .limit
            .fetch_update(Relaxed, Relaxed, |limit| (limit < LARGEST).then_some(limit + 1));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.queue.waiting.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(5);
    const MILLISECOND: Duration = Duration::from_millis(1);

    /// A database, and the operations that wait for it in the order in which they came.
    struct Database {
        queue: Arc<Queue>,
        waiting: VecDeque<Waiting>,
        now: Instant,
    }

    /// What happened during a time.
    #[derive(Debug, Default)]
    struct Outcome {
        turns: usize,
        refused: usize,
        longest_wait: Duration,
    }

    impl Database {
        fn new() -> Self {
            let queue = Queue::new(TIMEOUT);
            Self { now: queue.started, queue, waiting: VecDeque::new() }
        }

        /// Lets this time pass. In each millisecond, `arrivals` operations begin to wait. Every
        /// `pause`, the database serves up to `batch` of those that wait.
        fn run(&mut self, time: Duration, arrivals: usize, pause: u128, batch: usize) -> Outcome {
            let mut outcome = Outcome::default();
            for millisecond in 0..time.as_millis() {
                self.now += MILLISECOND;
                for _ in 0..arrivals {
                    match self.queue.wait_at(self.now) {
                        Ok(waiting) => self.waiting.push_back(waiting),
                        Err(_) => outcome.refused += 1,
                    }
                }
                if millisecond % pause == 0 {
                    let served = self.waiting.drain(..batch.min(self.waiting.len()));
                    for operation in served {
                        let wait = self.now - operation.since;
                        outcome.longest_wait = outcome.longest_wait.max(wait);
                        outcome.turns += 1;
                        operation.take_turn_at(self.now);
                    }
                }
            }
            outcome
        }
    }

    #[test]
    fn an_overloaded_database_stays_busy_and_serves_nothing_late() {
        let mut database = Database::new();
        // 1,000 operations arrive in each second, and the database serves 100. Those that came
        // before the first refusal are served late.
        database.run(Duration::from_secs(20), 1, 10, 1);
        let outcome = database.run(Duration::from_secs(60), 1, 10, 1);
        assert_eq!(outcome.turns, 6_000, "it is never idle");
        assert!(outcome.refused > 53_000, "{outcome:?}");
        // The limit still grows while operations that came before the last ones are quick.
        assert!(outcome.longest_wait < Duration::from_millis(1_100), "{outcome:?}");
    }

    #[test]
    fn a_database_that_stands_still_gets_few_operations_and_recovers_by_itself() {
        let mut database = Database::new();
        let quick = database.run(Duration::from_secs(5), 1, 1, 1);
        assert_eq!((quick.turns, quick.refused), (5_000, 0));
        // It serves nothing for ten seconds.
        let stuck = database.run(Duration::from_secs(10), 1, 20_000, 0);
        assert!(stuck.refused > 8_900, "{stuck:?}");
        assert!(database.waiting.len() < 1_100, "{}", database.waiting.len());
        // The next second is enough to serve those that wait.
        database.run(Duration::from_secs(1), 1, 1, 10);
        let quick = database.run(Duration::from_secs(5), 1, 1, 1);
        assert_eq!((quick.turns, quick.refused), (5_000, 0));
        assert!(quick.longest_wait < 2 * MILLISECOND, "{quick:?}");
    }

    #[test]
    fn a_burst_and_slow_commits_that_serve_everybody_cause_no_refusal() {
        let mut database = Database::new();
        let burst = database.run(MILLISECOND, 1_000, 1, 0);
        assert_eq!(burst.refused, 0);
        let served = database.run(Duration::from_millis(900), 0, 1, 2);
        assert_eq!(served.turns, 1_000);
        // Each commit takes 800 milliseconds, and serves up to 256 operations.
        let slow = database.run(Duration::from_secs(60), 0, 1, 1);
        assert_eq!(slow.refused, 0);
        for _ in 0..60 {
            let arrived = database.run(MILLISECOND, 256, 2, 256);
            let waited = database.run(Duration::from_millis(799), 0, 1_000, 256);
            assert_eq!((arrived.refused, waited.refused), (0, 0));
        }
    }

    #[test]
    fn operations_that_give_up_no_longer_count() {
        let queue = Queue::new(TIMEOUT);
        let now = queue.started;
        let waiting: Vec<_> = (0..LARGEST).map(|_| queue.wait_at(now).unwrap()).collect();
        assert!(queue.wait_at(now).is_err());
        drop(waiting);
        assert!(queue.wait_at(now).is_ok());
        assert_eq!(queue.waiting.load(Relaxed), 0);
    }
}
