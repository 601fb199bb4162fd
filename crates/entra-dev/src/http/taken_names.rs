//! The ids and domains of the tenants in this process.

use std::collections::HashMap;

use crate::directory::{Directory, EditFault};

/// Which context has a tenant with this id or domain. The key of the shared context is empty.
#[derive(Debug, Default)]
pub(super) struct TakenNames(HashMap<String, String>);

impl TakenNames {
    /// Checks that no other context has a tenant with an id or domain of this directory.
    pub(super) fn check(&self, owner: &str, directory: &Directory) -> Result<(), EditFault> {
        let is_taken = |name: &String| self.0.get(name).is_some_and(|other| other != owner);
        match names(directory).find(is_taken) {
            Some(name) => Err(EditFault {
                pointer: format!("tenants/{name}"),
                detail: format!("there is another tenant {name:?} in this process"),
            }),
            None => Ok(()),
        }
    }

    /// Replaces the names of a context by those of this directory.
    pub(super) fn take(&mut self, owner: &str, directory: &Directory) {
        self.release(owner);
        self.0.extend(names(directory).map(|name| (name, owner.to_owned())));
    }

    /// Forgets the names of a context.
    pub(super) fn release(&mut self, owner: &str) {
        self.0.retain(|_, known| known != owner);
    }
}

fn names(directory: &Directory) -> impl Iterator<Item = String> {
    // Both are in lower case.
    directory.tenants().iter().flat_map(|tenant| tenant.domains.iter().chain([&tenant.id])).cloned()
}
