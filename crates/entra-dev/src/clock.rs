//! The only file that reads the time.

use std::time::{SystemTime, UNIX_EPOCH};

/// Where the tenant gets the time from, so that a test can move it.
pub trait Clock: Send + Sync {
    /// The time in whole seconds since the Unix epoch (a `NumericDate`, RFC 7519 section 2).
    fn now(&self) -> u64;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> u64 {
        // A clock set before 1970 is as good as one at 1970: every token is long expired.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}
