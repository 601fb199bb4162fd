//! How long to wait between two attempts.

use std::{pin::Pin, time::Duration};

/// Waits. Tests replace the waiting.
pub trait Pause: Send + Sync {
    /// Completes after this time.
    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// How long to wait until Graph knows an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// The object was created just now.
    New,
    /// The object may have been created by a run that was interrupted just now.
    Existing,
}

impl Patience {
    pub(super) fn limit(self) -> Duration {
        match self {
            Self::New => Duration::from_secs(60),
            Self::Existing => Duration::from_secs(7),
        }
    }
}

/// Waits that double, and their sum.
#[derive(Default)]
pub(super) struct Waits {
    last: Duration,
    pub(super) total: Duration,
}

impl Waits {
    pub(super) fn next(&mut self) -> Duration {
        self.last = (self.last * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
        self.total += self.last;
        self.last
    }

    /// The time that the server asks for counts, if it asks for one.
    pub(super) fn next_or(&mut self, asked: Option<Duration>) -> Duration {
        let Some(asked) = asked else { return self.next() };
        self.total += asked.max(FIRST_WAIT);
        asked
    }
}

/// The waits between attempts grow from the first to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
