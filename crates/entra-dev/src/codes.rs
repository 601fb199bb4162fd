use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::directory::Authority;
use crate::people::Person;
use crate::random;
use crate::refusal::Refusal;
use crate::scope::Scope;

/// How long a code can be redeemed, in seconds. RFC 6749 section 4.1.2 recommends ten minutes.
const LIFETIME: u64 = 600;

/// How long after its issue a code is remembered, in seconds, so that whoever is late or repeats
/// himself is told so.
const MEMORY: u64 = 2 * LIFETIME;

/// How many codes are remembered; the oldest goes first.
const CAPACITY: usize = 10_000;

/// What an authorization code stands for, and what must be shown again to redeem it.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// The app that asked.
    pub(crate) client_id: &'static str,
    /// Where the code was sent.
    pub(crate) redirect_uri: String,
    /// The authority whose page was used.
    pub(crate) authority: Authority,
    /// Who signed in.
    pub(crate) person: &'static Person,
    /// What was granted.
    pub(crate) scope: Scope,
    /// The S256 challenge (RFC 7636).
    pub(crate) code_challenge: String,
    /// The value to be repeated in the ID token.
    pub(crate) nonce: Option<String>,
}

/// The authorization codes that are outstanding.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    shelf: Mutex<Shelf>,
}

impl Codes {
    /// Makes a code for this grant.
    pub(crate) fn issue(&self, grant: Grant, now: u64) -> String {
        let code = random::secret();
        let mut shelf = self.lock();
        shelf.make_room(now);
        shelf.order.push_back(code.clone());
        shelf.entries.insert(code.clone(), Entry { grant, issued: now, redeemed: false });
        code
    }

    /// Takes the grant of this code, once, if it satisfies `check`.
    ///
    /// The check runs under the lock: of any number of simultaneous requests one gets the grant.
    /// A failed check leaves the code as it was, so that nobody can spoil another's code.
    pub(crate) fn redeem(
        &self,
        code: &str,
        now: u64,
        check: impl FnOnce(&Grant) -> Result<(), Refusal>,
    ) -> Result<Grant, Refusal> {
        let mut shelf = self.lock();
        let entry = shelf.entries.get_mut(code).ok_or_else(Refusal::code_unknown)?;
        if entry.redeemed {
            return Err(Refusal::code_redeemed());
        }
        if now.saturating_sub(entry.issued) >= LIFETIME {
            return Err(Refusal::code_expired());
        }
        check(&entry.grant)?;
        entry.redeemed = true;
        Ok(entry.grant.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shelf> {
        // No operation leaves the shelf half-changed, so a panic elsewhere does not spoil it.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Shelf {
    entries: HashMap<String, Entry>,
    /// The codes from the oldest to the newest; the same ones as in `entries`.
    order: VecDeque<String>,
}

impl Shelf {
    fn make_room(&mut self, now: u64) {
        while let Some(oldest) = self.order.front() {
            let stale = self
                .entries
                .get(oldest)
                .is_none_or(|entry| now.saturating_sub(entry.issued) >= MEMORY);
            if !stale && self.order.len() < CAPACITY {
                break;
            }
            if let Some(oldest) = self.order.pop_front() {
                self.entries.remove(&oldest);
            }
        }
    }
}

#[derive(Debug)]
struct Entry {
    grant: Grant,
    issued: u64,
    redeemed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SWAGGER_UI_CLIENT_ID;
    use crate::people::people;
    use crate::scope::access_as_user;

    fn grant() -> Grant {
        Grant {
            client_id: SWAGGER_UI_CLIENT_ID,
            redirect_uri: "http://localhost:8000/oauth2-redirect".to_owned(),
            authority: Authority::Common,
            person: &people()[0],
            scope: Scope::parse(&access_as_user()).unwrap(),
            code_challenge: String::new(),
            nonce: None,
        }
    }

    #[test]
    fn codes_are_bounded_and_the_oldest_goes_first() {
        let codes = Codes::default();
        let issued: Vec<_> = (0..=CAPACITY).map(|_| codes.issue(grant(), 0)).collect();
        assert_eq!(codes.lock().entries.len(), CAPACITY);
        assert_eq!(codes.lock().order.len(), CAPACITY);
        assert!(codes.redeem(&issued[0], 0, |_| Ok(())).is_err());
        assert!(codes.redeem(&issued[CAPACITY], 0, |_| Ok(())).is_ok());
    }

    #[test]
    fn old_codes_are_forgotten() {
        let codes = Codes::default();
        codes.issue(grant(), 0);
        codes.issue(grant(), MEMORY);
        assert_eq!(codes.lock().entries.len(), 1);
    }

    #[test]
    fn a_failed_check_does_not_use_the_code_up() {
        let codes = Codes::default();
        let code = codes.issue(grant(), 0);
        assert!(codes.redeem(&code, 1, |_| Err(Refusal::verifier_mismatch())).is_err());
        assert!(codes.redeem(&code, 1, |_| Ok(())).is_ok());
        assert_eq!(codes.redeem(&code, 1, |_| Ok(())).unwrap_err().code, 54005);
    }
}
