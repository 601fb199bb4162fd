//! How long tokens are valid.

use crate::random;

/// The lifetime of a token in seconds. As in Entra, it is a random time from 60 to 90 minutes, so
/// that clients do not all renew at once
/// (<https://learn.microsoft.com/entra/identity-platform/configurable-token-lifetimes>).
pub(crate) fn lifetime() -> u64 {
    random::between(3600, 5399)
}
