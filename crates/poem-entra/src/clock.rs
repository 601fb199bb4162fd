//! The clock is injected, so that tests can set the time. Only this file reads the system's clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// The clock of a [`Validator`](crate::Validator).
pub trait Clock: Send + Sync {
    /// The seconds since 1970-01-01 00:00:00 UTC, like the dates in tokens (NumericDate in RFC
    /// 7519, section 2).
    fn now(&self) -> u64;
}

/// The clock of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)]
    fn now(&self) -> u64 {
        // With a clock before 1970, every token looks not yet valid, so it is refused.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_in_seconds() {
        // From 2025 to 2100.
        assert!((1_735_689_600..4_102_444_800).contains(&SystemClock.now()));
    }
}
