//! A clock that tests move.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Seconds since 1970, which pass only when a test says so. Clones are the same clock.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(1_800_000_000)))
    }
}

impl TestClock {
    /// A clock that starts at the real time, for tests with programs that use the real clock.
    pub(crate) fn real() -> Self {
        Self(Arc::new(AtomicU64::new(poem_entra::Clock::now(&poem_entra::SystemClock))))
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
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
