//! What can go wrong with keys.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why keys cannot be read or generated.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file is corrupt. It is not overwritten, because existing tokens may depend on it.
    #[error("failed to use the key file {path}: {reason}; delete it to generate new keys")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong. It contains nothing from the file.
        reason: String,
    },
    /// A key or its certificate could not be generated.
    #[error("failed to generate a signing key")]
    Generate,
    /// A folder or file could not be read or written.
    #[error("failed to {action} {path}")]
    Io {
        /// What failed.
        action: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
}

impl KeyError {
    /// Whether a folder or file could not be written.
    pub(crate) fn is_unwritable(&self) -> bool {
        matches!(self, Self::Io { action: "create" | "write", .. })
    }
}

/// Adds the action and the path to an I/O error.
pub(crate) fn failed<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> KeyError + 'a {
    move |source| KeyError::Io { action, path: path.to_owned(), source }
}
