//! A clock that tests control.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use poem_entra::Clock;

/// A clock that does not advance by itself.
#[derive(Clone)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl TestClock {
    /// A clock at this time, in seconds since 1970.
    pub(crate) fn at(now: u64) -> Self {
        Self(Arc::new(AtomicU64::new(now)))
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// As if somebody corrects a clock that was fast.
    pub(crate) fn set_back(&self, seconds: u64) {
        self.0.fetch_sub(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
