//! Remembers the keys of foreign issuers.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Mutex as AsyncMutex;

use crate::jws::UnverifiedJws;

use super::{
    fetch::{FetchError, Fetcher},
    issuer_key::IssuerKeys,
};

/// How long keys are used without being fetched again, in seconds.
const MAX_AGE: u64 = 3600;
/// How long they are used if they cannot be fetched again, in seconds.
const MAX_STALE_AGE: u64 = 24 * 3600;
/// The time between two fetches, whether they failed or found no key that verifies the token, in
/// seconds.
const FLOOR: u64 = 10;

/// The keys of the issuers that the apps of a directory trust. The clock is that of the tenant.
#[derive(Debug)]
pub(crate) struct KeyCache {
    fetcher: Arc<Fetcher>,
    issuers: Mutex<HashMap<String, Arc<Slot>>>,
}

/// The keys of one issuer.
#[derive(Debug, Default)]
struct Slot {
    /// Held during a fetch, so that simultaneous requests cause only one. Tokens that the known
    /// keys verify do not wait for it.
    fetching: AsyncMutex<()>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// With the time at which they were fetched, in seconds since the epoch.
    keys: Option<(IssuerKeys, u64)>,
    /// Why the last fetch failed.
    failure: Option<FetchError>,
    /// The number of fetches that have ended.
    fetches: u64,
    /// The time at which the last one ended.
    fetched: u64,
}

impl KeyCache {
    pub(crate) fn new(fetcher: Arc<Fetcher>) -> Self {
        Self { fetcher, issuers: Mutex::default() }
    }

    /// A cache of its own, with the same HTTP clients.
    pub(crate) fn fork(&self) -> Self {
        Self::new(Arc::clone(&self.fetcher))
    }

    /// The keys of an issuer with which this token is to be verified. They are fetched if they are
    /// not known yet, too old, or do not verify the token: the issuer may have new ones.
    ///
    /// `issuer` must be one that the directory names, and `is_named` says which issuers those are.
    pub(crate) async fn keys(
        &self,
        issuer: &str,
        is_named: impl Fn(&str) -> bool,
        jws: &UnverifiedJws<'_>,
        now: u64,
    ) -> Result<IssuerKeys, FetchError> {
        let slot = self.slot(issuer, is_named);
        let fetches = {
            let known = slot.known();
            if let Some(answer) = known.without_fetch(jws, now) {
                return answer;
            }
            known.fetches
        };
        let _fetching = match slot.fetching.try_lock() {
            Ok(guard) => guard,
            Err(_) => {
                if let Some(keys) = slot.known().usable(MAX_STALE_AGE, jws, now) {
                    return Ok(keys);
                }
                slot.fetching.lock().await
            }
        };
        // Another request may have fetched the keys while this one waited for the lock.
        if slot.known().fetches == fetches {
            let fetched = self.fetcher.keys_of(issuer).await;
            let mut known = slot.known();
            match fetched {
                Ok(keys) => (known.keys, known.failure) = (Some((keys, now)), None),
                Err(error) => {
                    tracing::warn!(%error, "failed to fetch the keys of a foreign issuer");
                    known.failure = Some(error);
                }
            }
            known.fetches += 1;
            known.fetched = now;
        }
        slot.known().answer(now)
    }

    /// The slot of an issuer. Those of issuers that are not named any more are removed.
    fn slot(&self, issuer: &str, is_named: impl Fn(&str) -> bool) -> Arc<Slot> {
        // No operation leaves the map half-changed, so a poisoned lock is safe to use.
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        if !issuers.contains_key(issuer) {
            issuers.retain(|known, _| is_named(known));
        }
        Arc::clone(issuers.entry(issuer.to_owned()).or_default())
    }
}

impl Slot {
    fn known(&self) -> MutexGuard<'_, Known> {
        // No operation leaves the value half-changed, so a poisoned lock is safe to use.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The answer if no fetch is needed or, so soon after the last one, allowed.
    fn without_fetch(
        &self,
        jws: &UnverifiedJws<'_>,
        now: u64,
    ) -> Option<Result<IssuerKeys, FetchError>> {
        if let Some(keys) = self.usable(MAX_AGE, jws, now) {
            return Some(Ok(keys));
        }
        let is_recent = self.fetches > 0 && is_younger(self.fetched, FLOOR, now);
        is_recent.then(|| self.answer(now))
    }

    /// The keys if they are younger than this and verify the token.
    fn usable(&self, max_age: u64, jws: &UnverifiedJws<'_>, now: u64) -> Option<IssuerKeys> {
        let (keys, fetched) = self.keys.as_ref()?;
        (is_younger(*fetched, max_age, now) && keys.verify(jws)).then(|| keys.clone())
    }

    /// The result of the last fetch or, if it failed, the keys of an earlier one.
    fn answer(&self, now: u64) -> Result<IssuerKeys, FetchError> {
        match (&self.keys, &self.failure) {
            (Some((keys, fetched)), failure)
                if failure.is_none() || is_younger(*fetched, MAX_STALE_AGE, now) =>
            {
                Ok(keys.clone())
            }
            (_, Some(error)) => Err(error.clone()),
            // A fetch has ended, so there are keys or a failure.
            (_, None) => Ok(IssuerKeys::default()),
        }
    }
}

/// Whether a time is less than this many seconds ago. The clock of the tenant can be moved back:
/// then no time after `now` counts.
fn is_younger(time: u64, seconds: u64, now: u64) -> bool {
    now.checked_sub(time).is_some_and(|age| age < seconds)
}
