//! The size limits for request bodies.

/// The limit in bytes for all bodies but directories.
pub(super) const BODY_LIMIT: usize = 64 * 1024;

/// The limit in bytes for directories and parts of them: enough for some thousand people.
pub(super) const DIRECTORY_LIMIT: usize = 4 * 1024 * 1024;

/// The limit in bytes for the body of a request with this path.
pub(crate) fn body_limit(path: &str) -> usize {
    if path.starts_with("/_dev/directory") { DIRECTORY_LIMIT } else { BODY_LIMIT }
}
