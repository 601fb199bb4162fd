//! When tests give up.

use std::time::Duration;

/// The limit for one wait, such as for a process or a response. It only ends a test that hangs. It
/// says nothing about speed, because in CI, all tests share two processors.
pub(crate) const GIVE_UP_AFTER: Duration = Duration::from_secs(120);
