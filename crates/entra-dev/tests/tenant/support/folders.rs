//! Folders for keys.

use std::path::PathBuf;

/// The folder whose keys most tests share, because generating keys takes a while.
pub(crate) fn shared_keys() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("shared-keys")
}

/// A new folder for one test.
pub(crate) fn new_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(uuid::Uuid::new_v4().to_string())
}
