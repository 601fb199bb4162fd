//! Time comes in from outside, so that tests can move it. This is the only file that reads it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Where a [`Validator`](crate::Validator) learns the time.
pub trait Clock: Send + Sync {
    /// The seconds since 1970-01-01 00:00:00 UTC, as `exp` and its like count them (RFC 7519,
    /// section 2, NumericDate).
    fn now(&self) -> u64;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> u64 {
        // A clock before 1970 makes every token look not yet valid, which is the safe side.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
    }
}
