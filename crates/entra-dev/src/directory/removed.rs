//! What a change has removed from the directory.

use std::collections::HashSet;

use super::lookup::Directory;

/// The ids that are in one directory, but not in the next one.
#[derive(Debug)]
pub(crate) struct Removed {
    tenants: HashSet<String>,
    people: HashSet<String>,
    apps: HashSet<String>,
}

impl Removed {
    pub(crate) fn between(before: &Directory, after: &Directory) -> Self {
        fn tenants(directory: &Directory) -> impl Iterator<Item = &String> {
            directory.tenants().iter().map(|tenant| &tenant.id)
        }
        fn people(directory: &Directory) -> impl Iterator<Item = &String> {
            directory.people().iter().map(|person| &person.oid)
        }
        fn apps(directory: &Directory) -> impl Iterator<Item = &String> {
            directory.apps().iter().map(|app| &app.client_id)
        }
        Self {
            tenants: difference(tenants(before), tenants(after)),
            people: difference(people(before), people(after)),
            apps: difference(apps(before), apps(after)),
        }
    }

    pub(crate) fn has_tenant(&self, id: &str) -> bool {
        self.tenants.contains(id)
    }

    pub(crate) fn has_person(&self, oid: &str) -> bool {
        self.people.contains(oid)
    }

    pub(crate) fn has_app(&self, client_id: &str) -> bool {
        self.apps.contains(client_id)
    }
}

fn difference<'a>(
    before: impl Iterator<Item = &'a String>,
    after: impl Iterator<Item = &'a String>,
) -> HashSet<String> {
    let after: HashSet<_> = after.collect();
    before.filter(|id| !after.contains(id)).cloned().collect()
}
