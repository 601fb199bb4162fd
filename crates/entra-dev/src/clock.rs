//! Clocks. No other file reads the time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// The source of the time. A test can replace it to control the time.
pub trait Clock: Send + Sync {
    /// The time in whole seconds since the Unix epoch (a `NumericDate`, RFC 7519 section 2).
    fn now(&self) -> u64;
}

/// The system clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> u64 {
        // A time before 1970 counts as 1970, so any real clock sees the tokens as expired.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}

/// A clock with an offset from another one.
pub(crate) struct ShiftedClock {
    clock: Arc<dyn Clock>,
    offset: AtomicI64,
}

impl ShiftedClock {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, offset: AtomicI64::new(0) }
    }

    /// A clock with another offset, which is 0 at first, from the same clock.
    pub(crate) fn fork(&self) -> Self {
        Self::new(Arc::clone(&self.clock))
    }

    /// The time in whole seconds since the Unix epoch.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now().saturating_add_signed(self.offset())
    }

    /// The seconds by which it is ahead; negative if it is behind.
    pub(crate) fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// Sets the seconds by which it is ahead; negative if it is behind.
    pub(crate) fn set_offset(&self, seconds: i64) {
        self.offset.store(seconds, Ordering::Relaxed);
    }
}
