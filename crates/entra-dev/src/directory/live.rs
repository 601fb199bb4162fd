//! The directory of a running tenant.

use std::sync::{PoisonError, RwLock};

use super::lookup::Directory;

/// A directory that can be replaced while requests are handled.
///
/// Each request works with the directory that it has found, so it never sees half a change.
#[derive(Debug)]
pub(crate) struct LiveDirectory {
    initial: Directory,
    current: RwLock<Directory>,
}

impl LiveDirectory {
    pub(crate) fn new(initial: Directory) -> Self {
        Self { current: RwLock::new(initial.clone()), initial }
    }

    /// The directory at this moment.
    pub(crate) fn now(&self) -> Directory {
        // The value is replaced as a whole, so a poisoned lock is safe to use.
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The directory with which the tenant was started.
    pub(crate) fn initial(&self) -> &Directory {
        &self.initial
    }

    /// Replaces the directory.
    pub(crate) fn replace(&self, directory: Directory) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = directory;
    }
}
