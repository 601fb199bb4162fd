//! Browser sessions and consents, in memory.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use crate::{directory::Removed, expiring_map::ExpiringMap, random};

/// The lifetime of a browser session in seconds: Entra's default for sessions that are not
/// persistent.
const LIFETIME: u64 = 24 * 60 * 60;

/// The accounts that are signed in, by session.
#[derive(Debug)]
pub(crate) struct Sessions(ExpiringMap<Vec<String>>);

impl Sessions {
    pub(crate) fn new() -> Self {
        Self(ExpiringMap::new(LIFETIME))
    }

    /// The `oid`s that are signed in, the most recent first.
    pub(crate) fn accounts(&self, id: &str, now: u64) -> Vec<String> {
        self.0.access(id, now, |accounts, _| accounts.clone()).unwrap_or_default()
    }

    /// Signs an account in, and returns the session id: the given one if the session exists,
    /// otherwise a new one.
    ///
    /// An id that this server did not issue is never used (session fixation).
    pub(crate) fn sign_in(&self, id: Option<&str>, oid: &str, now: u64) -> String {
        let known = id.filter(|id| {
            self.0
                .access(id, now, |accounts, _| {
                    accounts.retain(|known| known != oid);
                    accounts.insert(0, oid.to_owned());
                })
                .is_some()
        });
        match known {
            Some(id) => id.to_owned(),
            None => {
                let id = random::secret();
                self.0.insert(id.clone(), vec![oid.to_owned()], now);
                id
            }
        }
    }

    /// Signs out people who were removed from the directory.
    pub(crate) fn end(&self, removed: &Removed) {
        self.0.retain(|accounts| {
            accounts.retain(|oid| !removed.has_person(oid));
            true
        });
    }

    /// Signs out this account, or all accounts.
    pub(crate) fn sign_out(&self, id: &str, oid: Option<&str>, now: u64) {
        let keep = |known: &String| oid.is_some_and(|oid| known != oid);
        self.0.access(id, now, |accounts, _| accounts.retain(keep));
    }
}

/// The consents given since the tenant started.
#[derive(Debug, Default)]
pub(crate) struct Consents(Mutex<HashSet<Consent>>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Consent {
    /// The `oid` of a person, or the id of a tenant if an administrator consented for everybody.
    principal: String,
    client_id: String,
    permission: String,
}

impl Consents {
    /// Whether each of these permissions was consented to by at least one of these principals, for
    /// the app with the client id beside the principal.
    pub(crate) fn cover(&self, principals: &[(&str, &str)], permissions: &[String]) -> bool {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        permissions.iter().all(|permission| {
            principals.iter().any(|(principal, client_id)| {
                given.contains(&Consent::new(principal, client_id, permission))
            })
        })
    }

    /// Whether this principal has consented to anything for the app.
    pub(crate) fn include(&self, principal: &str, client_id: &str) -> bool {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.iter().any(|one| one.principal == principal && one.client_id == client_id)
    }

    /// Withdraws the consents of people and tenants, and those for apps, that were removed from the
    /// directory.
    pub(crate) fn withdraw(&self, removed: &Removed) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|Consent { principal, client_id, .. }| {
            let gone = removed.has_person(principal) || removed.has_tenant(principal);
            !(gone || removed.has_app(client_id))
        });
    }

    /// Records a consent.
    pub(crate) fn give(&self, principal: &str, client_id: &str, permissions: &[String]) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.extend(
            permissions.iter().map(|permission| Consent::new(principal, client_id, permission)),
        );
    }
}

impl Consent {
    fn new(principal: &str, client_id: &str, permission: &str) -> Self {
        Self {
            principal: principal.to_owned(),
            client_id: client_id.to_owned(),
            permission: permission.to_owned(),
        }
    }
}
