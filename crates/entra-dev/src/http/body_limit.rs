//! The size limits for request bodies.

/// The limit in bytes for all bodies but directories.
pub(super) const BODY_LIMIT: usize = 64 * 1024;

/// The limit in bytes for directories and parts of them: enough for some thousand people.
pub(super) const DIRECTORY_LIMIT: usize = 4 * 1024 * 1024;

/// The limit in bytes for the body of a request with this path.
pub(super) fn body_limit(path: &str) -> usize {
    // Below `/_dev/tenants` are the directories of isolated tenants.
    let has_directory = ["/_dev/directory", "/_dev/tenants"].iter().any(|p| path.starts_with(p));
    if has_directory { DIRECTORY_LIMIT } else { BODY_LIMIT }
}
