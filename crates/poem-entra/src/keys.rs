//! The signing keys that are trusted now: fetched once for all, refreshed in the background, kept
//! through outages and through Entra's flapping replicas (rules K1 to K3 and K5).

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::sync::watch;

use crate::{
    authority::Authority,
    clock::Clock,
    jwk::{self, InvalidKeySet, VerifyingKey},
    metadata::{InvalidMetadata, Metadata},
    transport::{FetchError, Transport},
};

/// How long a request waits for a refresh that it needs.
const WAIT: Duration = Duration::from_secs(5);
/// Seconds until the next try after a failed one; doubled with each failure up to the second.
const RETRY: (u64, u64) = (1, 60);

/// When keys are fetched and how long they are trusted, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    pub(crate) refresh: u64,
    pub(crate) floor: u64,
    pub(crate) retention: u64,
}

/// The keys of one authority.
pub(crate) struct Keys {
    authority: Authority,
    schedule: Schedule,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    trust: ArcSwapOption<Trust>,
    /// When the next refresh is due; moved by each one.
    due: AtomicU64,
    refreshing: Mutex<Refreshing>,
    counters: Counters,
}

/// What may be believed: the discovery document and the keys, swapped as a whole.
pub(crate) struct Trust {
    /// The same pointer as long as it says the same.
    pub(crate) metadata: Arc<Metadata>,
    keys: HashMap<String, Trusted>,
}

impl Trust {
    /// The key with this `kid`, while it is trusted.
    pub(crate) fn key(&self, kid: &str, now: u64) -> Option<&Arc<VerifyingKey>> {
        self.keys.get(kid).filter(|trusted| now <= trusted.until).map(|trusted| &trusted.key)
    }
}

#[derive(Clone)]
struct Trusted {
    /// The same pointer as long as the key is the same.
    key: Arc<VerifyingKey>,
    /// The first refresh without it; `None` for a key of the newest set.
    missing_since: Option<u64>,
    until: u64,
}

/// Who refreshes, and how the last refresh went.
#[derive(Default)]
struct Refreshing {
    /// Closed when the refresh under way ends.
    flight: Option<watch::Receiver<()>>,
    /// When an unknown key last caused a refresh.
    forced: Option<u64>,
    failures: u32,
}

/// What happened to the keys since the start. For a dashboard: read it as often as you like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct KeyMetrics {
    /// Keys that may verify a token now.
    pub trusted: usize,
    /// Of these, keys that the newest set lacks and that are retained.
    pub retained: usize,
    /// Refreshes that succeeded.
    pub refreshes: u64,
    /// Refreshes that failed.
    pub failures: u64,
    /// Refreshes that an unknown `kid` caused.
    pub forced: u64,
    /// Unknown `kid`s for which no refresh was allowed, since the last one was not long ago.
    pub throttled: u64,
    /// Answers "nobody can say now", each of which became a 503.
    pub unavailable: u64,
    /// When the keys were last refreshed, in seconds since the epoch; 0: never.
    pub refreshed_at: u64,
}

#[derive(Default)]
struct Counters {
    refreshes: AtomicU64,
    failures: AtomicU64,
    forced: AtomicU64,
    throttled: AtomicU64,
    unavailable: AtomicU64,
    refreshed_at: AtomicU64,
}

/// What [`Keys::find`] knows of a `kid`.
pub(crate) enum Found {
    Key(Arc<Trust>, Arc<VerifyingKey>),
    /// The authority publishes no such key.
    Unknown,
    /// Nobody can say now: the authority does not answer. Seconds until it is asked again.
    Unavailable(u64),
}

impl Keys {
    pub(crate) fn new(
        authority: Authority,
        schedule: Schedule,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            authority,
            schedule,
            transport,
            clock,
            trust: ArcSwapOption::empty(),
            due: AtomicU64::new(0),
            refreshing: Mutex::default(),
            counters: Counters::default(),
        })
    }

    /// The key with this `kid`. A known key is answered at once, without a lock; an unknown one
    /// waits for a refresh, where one is allowed.
    pub(crate) async fn find(self: &Arc<Self>, kid: &str) -> Found {
        let now = self.clock.now();
        if let Some(found) = self.known(kid, now) {
            self.refresh_if_due(now);
            return found;
        }
        let mut waited = true;
        if let Some((flight, joined)) = self.forced_flight(now) {
            waited = Self::land(flight).await;
            // A flight that was under way may have asked before the key was published.
            let too_early = joined && waited && self.is_current() && self.known(kid, now).is_none();
            if let Some((flight, _)) = too_early.then(|| self.forced_flight(now)).flatten() {
                waited = Self::land(flight).await;
            }
        }
        match self.known(kid, now) {
            Some(found) => found,
            None if waited && self.is_current() => Found::Unknown,
            None => {
                count(&self.counters.unavailable);
                Found::Unavailable(self.seconds_to_retry(now))
            }
        }
    }

    /// What is trusted now, without asking anybody; `None` before the first answer.
    pub(crate) fn trust(&self) -> Option<Arc<Trust>> {
        self.trust.load_full()
    }

    /// Fetches the keys now, or waits for whoever is already at it. Returns whether there is
    /// something to trust.
    pub(crate) async fn warm_up(self: &Arc<Self>) -> bool {
        let now = self.clock.now();
        if !self.is_ready() {
            let flight = self.flight(&mut self.lock(), now);
            Self::land(flight).await;
        }
        self.is_ready()
    }

    /// Starts a refresh in the background when one is due; never waits for it.
    pub(crate) fn refresh_if_due(self: &Arc<Self>, now: u64) {
        if now >= self.due.load(Ordering::Relaxed) {
            let mut refreshing = self.lock();
            // Who came second finds the time moved on.
            if refreshing.flight.is_none() && now >= self.due.load(Ordering::Relaxed) {
                self.flight(&mut refreshing, now);
            }
        }
    }

    /// Whether any key may be used now.
    pub(crate) fn is_ready(&self) -> bool {
        let now = self.clock.now();
        self.trust
            .load()
            .as_ref()
            .is_some_and(|trust| trust.keys.values().any(|key| now <= key.until))
    }

    pub(crate) fn metrics(&self) -> KeyMetrics {
        let now = self.clock.now();
        let trust = self.trust.load();
        let keys = trust.iter().flat_map(|trust| trust.keys.values());
        let trusted: Vec<_> = keys.filter(|key| now <= key.until).collect();
        let retained = trusted.iter().filter(|key| key.missing_since.is_some()).count();
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        KeyMetrics {
            trusted: trusted.len(),
            retained,
            refreshes: read(&self.counters.refreshes),
            failures: read(&self.counters.failures),
            forced: read(&self.counters.forced),
            throttled: read(&self.counters.throttled),
            unavailable: read(&self.counters.unavailable),
            refreshed_at: read(&self.counters.refreshed_at),
        }
    }

    fn known(&self, kid: &str, now: u64) -> Option<Found> {
        let trust = self.trust.load_full()?;
        let key = Arc::clone(trust.key(kid, now)?);
        Some(Found::Key(trust, key))
    }

    /// K2: the flight to wait for, or `None` when none is allowed yet. What counts against the
    /// floor is the question, not the success, so that an outage is no licence to ask again.
    ///
    /// Also says whether it was under way already.
    fn forced_flight(self: &Arc<Self>, now: u64) -> Option<(watch::Receiver<()>, bool)> {
        let mut refreshing = self.lock();
        if let Some(flight) = &refreshing.flight {
            return Some((flight.clone(), true));
        }
        if self.is_ready() {
            if refreshing.forced.is_some_and(|forced| now < forced + self.schedule.floor) {
                count(&self.counters.throttled);
                return None;
            }
            count(&self.counters.forced);
            refreshing.forced = Some(now);
        } else if now < self.due.load(Ordering::Relaxed) {
            return None;
        }
        Some((self.flight(&mut refreshing, now), false))
    }

    /// The refresh under way, or a new one. It runs in a task of its own: a caller who hangs up
    /// does not end it for the others.
    fn flight(self: &Arc<Self>, refreshing: &mut Refreshing, now: u64) -> watch::Receiver<()> {
        if let Some(flight) = &refreshing.flight {
            return flight.clone();
        }
        let (done, flight) = watch::channel(());
        refreshing.flight = Some(flight.clone());
        let landing = Landing { keys: Arc::clone(self), _done: done };
        tokio::spawn(async move {
            let outcome = landing.keys.refresh(now).await;
            landing.keys.note(outcome, now);
        });
        flight
    }

    /// Whether the flight landed while somebody could still wait for it.
    async fn land(mut flight: watch::Receiver<()>) -> bool {
        // `changed` fails when the sender is dropped, which is the landing.
        tokio::time::timeout(WAIT, flight.changed()).await.is_ok()
    }

    /// K3: the new set is built fully, then merged with the old and swapped in.
    async fn refresh(&self, now: u64) -> Result<usize, RefreshError> {
        let discovery = self.transport.get(&self.authority.discovery_url()).await;
        let metadata =
            Metadata::parse(&self.authority, &discovery.map_err(RefreshError::Discovery)?)?;
        let body = self.transport.get(metadata.jwks_uri.as_str()).await;
        let published = jwk::parse_set(&body.map_err(RefreshError::Keys)?)?;
        let count = published.len();
        self.trust.store(Some(Arc::new(self.merged(metadata, published, now))));
        Ok(count)
    }

    /// What is trusted from now on: what is published, and what was until its retention ends.
    fn merged(
        &self,
        metadata: Metadata,
        published: HashMap<String, VerifyingKey>,
        now: u64,
    ) -> Trust {
        let Schedule { refresh, retention, .. } = self.schedule;
        let before = self.trust.load();
        let old = |kid: &str| before.as_ref().and_then(|trust| trust.keys.get(kid));
        let mut keys = HashMap::with_capacity(published.len());
        for (kid, key) in published {
            let same = old(&kid).filter(|trusted| *trusted.key == key);
            let key = same.map_or_else(|| Arc::new(key), |trusted| Arc::clone(&trusted.key));
            // A key of the newest set outlives at least one refresh that fails.
            let until = now.saturating_add(retention.max(refresh.saturating_mul(2)));
            keys.insert(kid, Trusted { key, missing_since: None, until });
        }
        let Some(before) = before.as_ref() else {
            return Trust { metadata: Arc::new(metadata), keys };
        };
        for (kid, trusted) in &before.keys {
            // It may have been published until a moment ago: retention counts from now on, so that
            // a key that is away for no longer is never lost.
            let since = trusted.missing_since.unwrap_or(now);
            let until = since.saturating_add(retention);
            if now < until && !keys.contains_key(kid) {
                let missing_since = Some(since);
                keys.insert(kid.clone(), Trusted { missing_since, until, ..trusted.clone() });
            }
        }
        let same = *before.metadata == metadata;
        let metadata = if same { Arc::clone(&before.metadata) } else { Arc::new(metadata) };
        Trust { metadata, keys }
    }

    fn note(&self, outcome: Result<usize, RefreshError>, now: u64) {
        let mut refreshing = self.lock();
        match outcome {
            Ok(published) => {
                refreshing.failures = 0;
                count(&self.counters.refreshes);
                self.counters.refreshed_at.store(now, Ordering::Relaxed);
                let due = now.saturating_add(jittered(self.schedule.refresh));
                self.due.store(due, Ordering::Relaxed);
                tracing::info!(published, "signing keys refreshed");
            }
            Err(error) => {
                let wait = RETRY.0.checked_shl(refreshing.failures).unwrap_or(RETRY.1).min(RETRY.1);
                refreshing.failures = refreshing.failures.saturating_add(1);
                count(&self.counters.failures);
                self.due.store(now.saturating_add(wait), Ordering::Relaxed);
                tracing::warn!(
                    error = %Causes(&error),
                    retry_seconds = wait,
                    "failed to refresh the signing keys"
                );
            }
        }
    }

    /// Whether the last answer of the authority was a good one.
    fn is_current(&self) -> bool {
        self.lock().failures == 0 && self.is_ready()
    }

    fn seconds_to_retry(&self, now: u64) -> u64 {
        self.due.load(Ordering::Relaxed).saturating_sub(now).clamp(1, RETRY.1)
    }

    fn lock(&self) -> MutexGuard<'_, Refreshing> {
        self.refreshing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the flight however its task ends.
struct Landing {
    keys: Arc<Keys>,
    _done: watch::Sender<()>,
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.keys.lock().flight = None;
    }
}

#[derive(Debug, thiserror::Error)]
enum RefreshError {
    #[error("the discovery document could not be had")]
    Discovery(#[source] FetchError),
    #[error("the discovery document cannot be used")]
    Metadata(#[from] InvalidMetadata),
    #[error("the key set could not be had")]
    Keys(#[source] FetchError),
    #[error("the key set cannot be used")]
    KeySet(#[from] InvalidKeySet),
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// An error with its causes in one line: log formats differ in what they make of a `source`.
struct Causes<'a>(&'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Up to a tenth earlier, so that many replicas do not ask at the same moment.
fn jittered(seconds: u64) -> u64 {
    let random = RandomState::new().hash_one(seconds);
    seconds - random % (seconds / 10 + 1)
}
