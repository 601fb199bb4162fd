//! A clock that tests move.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Seconds since 1970. Clones are the same clock.
#[derive(Clone)]
pub(crate) struct TestClock {
    /// The time, or how far the clock is ahead of the real time.
    seconds: Arc<AtomicU64>,
    is_real: bool,
}

/// A clock on which time passes only when a test says so.
impl Default for TestClock {
    fn default() -> Self {
        Self { seconds: Arc::new(AtomicU64::new(1_800_000_000)), is_real: false }
    }
}

impl TestClock {
    /// A clock that follows the real time, for tests with programs that use the real clock. If it
    /// stood still, what these programs sign would soon be too far in the future.
    pub(crate) fn real() -> Self {
        Self { seconds: Arc::default(), is_real: true }
    }

    pub(crate) fn now(&self) -> u64 {
        let seconds = self.seconds.load(Ordering::SeqCst);
        if self.is_real {
            poem_entra::Clock::now(&poem_entra::SystemClock) + seconds
        } else {
            seconds
        }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl poem_entra::Clock for TestClock {
    fn now(&self) -> u64 {
        TestClock::now(self)
    }
}

impl entra_dev::Clock for TestClock {
    fn now(&self) -> u64 {
        TestClock::now(self)
    }
}
