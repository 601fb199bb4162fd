//! The clock of the tests.

use std::sync::atomic::{AtomicU64, Ordering};

use entra_dev::Clock;

/// The time at which every test starts: 2026-11-24 22:00:00Z.
pub(crate) const NOW: u64 = 1_795_557_600;

/// A clock that only moves when told.
pub(crate) struct TestClock(AtomicU64);

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicU64::new(NOW))
    }
}

impl TestClock {
    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
