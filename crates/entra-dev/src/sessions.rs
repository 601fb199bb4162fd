use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::random;
use crate::shelf::Shelf;

/// How long a browser stays signed in, in seconds; Entra's default for a session that is not kept.
const LIFETIME: u64 = 24 * 60 * 60;

/// Which accounts are signed in in which browser.
#[derive(Debug)]
pub(crate) struct Sessions(Shelf<Vec<String>>);

impl Sessions {
    pub(crate) fn new() -> Self {
        Self(Shelf::remembering(LIFETIME))
    }

    /// The `oid`s that are signed in under this id, the last one first.
    pub(crate) fn accounts(&self, id: &str, now: u64) -> Vec<String> {
        self.0.look(id, now, |accounts, _| accounts.clone()).unwrap_or_default()
    }

    /// Signs an account in under this id, or, where there is no such session, a new one; the id.
    ///
    /// An id that this server has not made is never taken over (session fixation).
    pub(crate) fn sign_in(&self, id: Option<&str>, oid: &str, now: u64) -> String {
        let known = id.filter(|id| {
            self.0
                .look(id, now, |accounts, _| {
                    accounts.retain(|known| known != oid);
                    accounts.insert(0, oid.to_owned());
                })
                .is_some()
        });
        match known {
            Some(id) => id.to_owned(),
            None => {
                let id = random::secret();
                self.0.put(id.clone(), vec![oid.to_owned()], now);
                id
            }
        }
    }

    /// Signs this account out, or all of them.
    pub(crate) fn sign_out(&self, id: &str, oid: Option<&str>, now: u64) {
        let keep = |known: &String| oid.is_some_and(|oid| known != oid);
        self.0.look(id, now, |accounts, _| accounts.retain(keep));
    }
}

/// Who has consented to what, as long as the tenant runs.
#[derive(Debug, Default)]
pub(crate) struct Consents(Mutex<HashSet<Consent>>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Consent {
    /// The `oid` of a person, or the id of a tenant for everybody in it.
    who: String,
    client_id: String,
    permission: String,
}

impl Consents {
    /// Whether all of these permissions have been consented to by one of these.
    pub(crate) fn cover(&self, who: [&str; 2], client_id: &str, permissions: &[String]) -> bool {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        permissions.iter().all(|permission| {
            who.iter().any(|who| given.contains(&Consent::new(who, client_id, permission)))
        })
    }

    /// Notes a consent.
    pub(crate) fn give(&self, who: &str, client_id: &str, permissions: &[String]) {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.extend(permissions.iter().map(|permission| Consent::new(who, client_id, permission)));
    }
}

impl Consent {
    fn new(who: &str, client_id: &str, permission: &str) -> Self {
        Self {
            who: who.to_owned(),
            client_id: client_id.to_owned(),
            permission: permission.to_owned(),
        }
    }
}
