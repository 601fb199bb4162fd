//! What can go wrong with keys.

use std::io;
use std::path::{Path, PathBuf};

/// Why there are no signing keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key file is there and cannot be used. Nothing overwrites it: other tokens may rely on
    /// it.
    #[error("failed to use the key file {path}: {reason}; delete it to have new keys made")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, without any of its contents.
        reason: String,
    },
    /// The machine failed to make an RSA key or its certificate.
    #[error("failed to generate a signing key")]
    Generate,
    /// The folder or file could not be read or written.
    #[error("failed to {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

/// Adds the action and the path to an I/O error.
pub(crate) fn failed<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> KeyError + 'a {
    move |source| KeyError::Io { action, path: path.to_owned(), source }
}
