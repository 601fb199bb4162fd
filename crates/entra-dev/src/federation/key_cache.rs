//! Remembers the keys of foreign issuers.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
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
/// The time between two fetches because of a token that the known keys do not verify, in seconds.
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
    /// Held during a fetch, so that simultaneous requests cause only one.
    known: AsyncMutex<Known>,
    /// The number of fetches that have ended.
    fetches: AtomicU64,
}

#[derive(Debug, Default)]
struct Known {
    /// With the time at which they were fetched, in seconds since the epoch.
    keys: Option<(IssuerKeys, u64)>,
    /// Why the last fetch failed.
    failure: Option<FetchError>,
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
        let fetches = slot.fetches.load(Ordering::SeqCst);
        let mut known = slot.known.lock().await;
        if let Some((keys, fetched)) = &known.keys {
            let age = now.saturating_sub(*fetched);
            if age < FLOOR || (age < MAX_AGE && keys.verify(jws)) {
                return Ok(keys.clone());
            }
        }
        // Whoever held the lock may have fetched them in the meantime.
        if slot.fetches.load(Ordering::SeqCst) == fetches {
            match self.fetcher.keys_of(issuer).await {
                Ok(keys) => *known = Known { keys: Some((keys, now)), failure: None },
                Err(error) => {
                    tracing::warn!(%error, "failed to fetch the keys of a foreign issuer");
                    known.failure = Some(error);
                }
            }
            slot.fetches.fetch_add(1, Ordering::SeqCst);
        }
        match (&known.keys, &known.failure) {
            (Some((keys, fetched)), failure)
                if failure.is_none() || now.saturating_sub(*fetched) < MAX_STALE_AGE =>
            {
                Ok(keys.clone())
            }
            (_, Some(error)) => Err(error.clone()),
            // A fetch has ended, so there are keys or a failure.
            (_, None) => Ok(IssuerKeys::default()),
        }
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
