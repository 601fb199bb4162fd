//! The tenants of this process: those that all clients share, and isolated ones.

use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use crate::directory::{Authority, EditError, isolated_copy};

use super::{context::Context, control::Control};

/// The maximum number of isolated tenants, so that a test suite that never removes them does not
/// use up the memory.
const CAPACITY: usize = 1_000;

/// All tenants of this process.
pub(crate) struct Tenants {
    /// Those of the directory with which the process was started.
    pub(crate) shared: Arc<Context>,
    /// `None` if nothing protects `/_dev`.
    pub(super) control: Option<Control>,
    /// Each with its own directory, sessions, grants, audit trail, clock, faults and keys.
    isolated: RwLock<Vec<Arc<Context>>>,
}

impl Tenants {
    pub(crate) fn new(shared: Context, control: Option<Control>) -> Self {
        Self { shared: Arc::new(shared), control, isolated: RwLock::default() }
    }

    /// All isolated tenants, oldest first.
    pub(crate) fn isolated(&self) -> Vec<Arc<Context>> {
        // Entries are added and removed as a whole, so a poisoned lock is safe to use.
        self.isolated.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The isolated tenant with this id.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Context>> {
        let isolated = self.isolated.read().unwrap_or_else(PoisonError::into_inner);
        isolated.iter().find(|context| context.isolated_id() == Some(id)).cloned()
    }

    /// The isolated tenant in whose directory this id or domain is.
    pub(crate) fn find_known_as(&self, name: &str) -> Option<Arc<Context>> {
        let is_tenant = |context: &Context| {
            matches!(Authority::parse(&context.directory(), name), Some(Authority::Tenant(_)))
        };
        if is_tenant(&self.shared) {
            return None;
        }
        let isolated = self.isolated.read().unwrap_or_else(PoisonError::into_inner);
        isolated.iter().find(|context| is_tenant(context)).cloned()
    }

    /// Creates an isolated tenant with the entries of this directory in JSON, or with those of the
    /// first directory of this process if it is empty. All ids are new.
    ///
    /// Blocks while it generates the keys of apps that have a signing key of their own.
    pub(crate) fn isolate(&self, document: Value) -> Result<Arc<Context>, EditError> {
        let initial = self.shared.issuer.directory.initial();
        let copy = match document {
            Value::Object(fields) if fields.is_empty() => isolated_copy(initial.to_json())?,
            document => isolated_copy(document)?,
        };
        let context = Arc::new(self.shared.isolated(copy)?);
        let mut isolated = self.isolated.write().unwrap_or_else(PoisonError::into_inner);
        if isolated.len() >= CAPACITY {
            context.release_names();
            return Err(EditError::TooManyTenants(CAPACITY));
        }
        isolated.push(Arc::clone(&context));
        Ok(context)
    }

    /// Removes an isolated tenant. Returns whether there was one with this id.
    pub(crate) fn remove(&self, id: &str) -> bool {
        let mut isolated = self.isolated.write().unwrap_or_else(PoisonError::into_inner);
        let index = isolated.iter().position(|context| context.isolated_id() == Some(id));
        let removed = index.map(|index| isolated.remove(index));
        removed.inspect(|context| context.release_names()).is_some()
    }
}
