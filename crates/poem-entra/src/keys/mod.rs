//! The signing keys that are trusted now. All requests share one fetch, and refreshes run in the
//! background. Keys stay trusted during outages, and while Entra's replicas publish different sets.

mod source;
mod trust;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwapOption, Guard};
use tokio::sync::watch;

use crate::{
    authority::Authority, causes::Causes, clock::Clock, ids::ClientId, jwk::VerifyingKey,
    settings::Settings, transport::Transport,
};

pub(crate) use self::{
    source::{RefreshError, Source},
    trust::Trust,
};

/// How long a request waits for a refresh that it needs.
const WAIT: Duration = Duration::from_secs(5);
/// Seconds until the first retry after a failed refresh. Each further failure doubles the time.
const FIRST_RETRY: u64 = 1;
const LONGEST_RETRY: u64 = 60;
/// The longest time in seconds that the authority can ask to wait (`Retry-After`).
const LONGEST_RETRY_AFTER: u64 = 300;
/// How long [`Keys::maintain`] sleeps at most, in seconds: the clock can be set, and a machine that
/// was suspended wakes up at a later time.
const LONGEST_SLEEP: u64 = 30;

/// The keys of one authority.
pub(crate) struct Keys {
    source: Source,
    schedule: Schedule,
    clock: Arc<dyn Clock>,
    trust: ArcSwapOption<Trust>,
    /// When the next refresh is due. The end of each refresh sets it again.
    due: AtomicU64,
    state: Mutex<RefreshState>,
}

/// When keys are fetched and how long they are trusted, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    refresh: u64,
    floor: u64,
    retention: u64,
}

impl From<&Settings> for Schedule {
    fn from(settings: &Settings) -> Self {
        Self {
            refresh: settings.key_refresh.as_secs(),
            // Rounded up: a floor of less than a second must not become none.
            floor: settings
                .key_refresh_floor
                .as_secs()
                .saturating_add(u64::from(settings.key_refresh_floor.subsec_nanos() > 0)),
            retention: settings.key_retention.as_secs(),
        }
    }
}

/// The refresh in progress, and how the last ones ended.
#[derive(Default)]
struct RefreshState {
    in_progress: Option<Refresh>,
    /// When an unknown key last caused a refresh.
    forced: Option<u64>,
    /// Failures since the last success.
    failures: u32,
    /// Until when the authority asked to wait. Not even an unknown key causes a fetch before.
    not_before: u64,
}

/// A refresh that requests can wait for; the channel closes when it ends.
#[derive(Clone)]
pub(crate) struct Refresh(watch::Receiver<()>);

/// What [`Keys::find`] knows about a `kid`.
pub(crate) enum Found {
    Key(Arc<Trust>, Arc<VerifyingKey>),
    /// The authority publishes no such key.
    Unknown,
    /// The authority does not respond. The next refresh is due after this many seconds.
    Unavailable(u64),
}

impl Keys {
    pub(crate) fn new(
        authority: Authority,
        app: Option<ClientId>,
        schedule: Schedule,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            source: Source { authority, app, transport },
            schedule,
            clock,
            trust: ArcSwapOption::empty(),
            due: AtomicU64::new(0),
            state: Mutex::default(),
        })
    }

    /// The key with this `kid`. A known key is returned at once, without a lock. An unknown one
    /// waits for a refresh, if one is allowed.
    pub(crate) async fn find(self: &Arc<Self>, kid: &str) -> Found {
        let now = self.clock.now();
        if let Some(found) = self.known(kid, now) {
            self.refresh_if_due(now);
            return found;
        }
        let mut ended = true;
        if let Some((refresh, joined)) = self.forced_refresh(kid, now) {
            ended = refresh.wait().await;
            // A refresh that was in progress may have read the keys before this one was published.
            let too_early = joined && ended && self.is_current();
            if let Some((refresh, _)) = too_early.then(|| self.forced_refresh(kid, now)).flatten() {
                ended = refresh.wait().await;
            }
        }
        match self.known(kid, now) {
            Some(found) => found,
            None if ended && self.is_current() => Found::Unknown,
            None => Found::Unavailable(self.seconds_to_retry(now)),
        }
    }

    /// What is trusted now, without a fetch; `None` before the first successful one.
    pub(crate) fn trust(&self) -> Guard<Option<Arc<Trust>>> {
        self.trust.load()
    }

    /// If there are no keys, waits for the refresh that is due or in progress.
    pub(crate) async fn warm_up(self: &Arc<Self>) {
        if !self.is_ready()
            && let Some(refresh) = self.refresh_if_due(self.clock.now())
        {
            refresh.wait().await;
        }
    }

    /// Refreshes the keys whenever this is due, whether or not requests arrive. Never returns.
    pub(crate) async fn maintain(self: Arc<Self>) {
        loop {
            if let Some(refresh) = self.refresh_if_due(self.clock.now()) {
                refresh.wait().await;
            }
            let seconds = self.due.load(Ordering::Relaxed).saturating_sub(self.clock.now());
            // At least a second, also while a slow refresh is in progress.
            tokio::time::sleep(Duration::from_secs(seconds.clamp(1, LONGEST_SLEEP))).await;
        }
    }

    /// Starts a refresh in the background when one is due, and never waits for it. Returns the
    /// refresh in progress, if it was due.
    pub(crate) fn refresh_if_due(self: &Arc<Self>, now: u64) -> Option<Refresh> {
        if now < self.due.load(Ordering::Relaxed) {
            return None;
        }
        let mut state = self.lock();
        // A refresh may have ended before this request got the lock.
        let is_due = now >= self.due.load(Ordering::Relaxed);
        is_due.then(|| self.refresh_in_progress(&mut state, now))
    }

    /// Whether any key is trusted now.
    pub(crate) fn is_ready(&self) -> bool {
        let now = self.clock.now();
        self.trust.load().as_ref().is_some_and(|trust| trust.has_keys(now))
    }

    fn known(&self, kid: &str, now: u64) -> Option<Found> {
        let trust = self.trust.load_full()?;
        let key = Arc::clone(trust.key(kid, now)?);
        Some(Found::Key(trust, key))
    }

    /// The refresh that an unknown key may wait for, and whether it was in progress already; `None`
    /// if none is allowed yet, or if the key is known by now. Each attempt counts, not only those
    /// that succeed, so an outage does not allow more of them.
    fn forced_refresh(self: &Arc<Self>, kid: &str, now: u64) -> Option<(Refresh, bool)> {
        let mut state = self.lock();
        // A refresh may have found the key before this request got the lock.
        if self.known(kid, now).is_some() || now < state.not_before {
            return None;
        }
        if let Some(refresh) = &state.in_progress {
            return Some((refresh.clone(), true));
        }
        if self.is_ready() {
            if state.forced.is_some_and(|forced| now < forced.saturating_add(self.schedule.floor)) {
                return None;
            }
            state.forced = Some(now);
        } else if now < self.due.load(Ordering::Relaxed) {
            return None;
        }
        Some((self.refresh_in_progress(&mut state, now), false))
    }

    /// The refresh in progress, or a new one. It runs in its own task, so a client that disconnects
    /// does not end it for the others.
    fn refresh_in_progress(self: &Arc<Self>, state: &mut RefreshState, now: u64) -> Refresh {
        if let Some(refresh) = &state.in_progress {
            return refresh.clone();
        }
        let (done, ended) = watch::channel(());
        let refresh = Refresh(ended);
        state.in_progress = Some(refresh.clone());
        let guard = EndOfRefresh { keys: Arc::clone(self), _done: done };
        tokio::spawn(async move {
            let outcome = guard.keys.refresh(now).await;
            guard.keys.record(outcome, now);
        });
        refresh
    }

    /// Replaces what is trusted, once the new key set has been read completely. Returns the number
    /// of published keys.
    async fn refresh(&self, now: u64) -> Result<usize, RefreshError> {
        let (metadata, published) = self.source.fetch().await?;
        let count = published.len();
        let before = self.trust.load();
        let trust = Trust::merge(before.as_deref(), metadata, published, &self.schedule, now);
        self.trust.store(Some(Arc::new(trust)));
        Ok(count)
    }

    fn record(&self, outcome: Result<usize, RefreshError>, now: u64) {
        let mut state = self.lock();
        match outcome {
            Ok(published) => {
                state.failures = 0;
                let due = now.saturating_add(jittered(self.schedule.refresh));
                self.due.store(due, Ordering::Relaxed);
                tracing::info!(published, "refreshed the signing keys");
            }
            Err(error) => {
                let back_off = FIRST_RETRY.checked_shl(state.failures).unwrap_or(LONGEST_RETRY);
                let asked = error.retry_after().min(LONGEST_RETRY_AFTER);
                let wait = back_off.min(LONGEST_RETRY).max(asked);
                state.failures = state.failures.saturating_add(1);
                // The attempt may have taken as long as its timeouts.
                let ended = self.clock.now();
                state.not_before = ended.saturating_add(asked);
                self.due.store(ended.saturating_add(wait), Ordering::Relaxed);
                tracing::warn!(
                    error = %Causes(&error),
                    retry_seconds = wait,
                    "failed to refresh the signing keys"
                );
            }
        }
    }

    /// Whether the last refresh succeeded.
    fn is_current(&self) -> bool {
        self.lock().failures == 0 && self.is_ready()
    }

    fn seconds_to_retry(&self, now: u64) -> u64 {
        // While a refresh is in progress, the next one can be due much later.
        let due = self.due.load(Ordering::Relaxed).saturating_sub(now).clamp(1, LONGEST_RETRY);
        due.max(self.lock().not_before.saturating_sub(now))
    }

    fn lock(&self) -> MutexGuard<'_, RefreshState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refresh {
    /// Returns whether the refresh ended within the time that a request waits.
    async fn wait(mut self) -> bool {
        // `changed` fails when the sender is dropped, which is how the refresh ends.
        tokio::time::timeout(WAIT, self.0.changed()).await.is_ok()
    }
}

/// Ends the refresh, even if its task panics.
struct EndOfRefresh {
    keys: Arc<Keys>,
    _done: watch::Sender<()>,
}

impl Drop for EndOfRefresh {
    fn drop(&mut self) {
        self.keys.lock().in_progress = None;
    }
}

/// The time, shortened by up to a tenth, so that replicas do not all fetch at the same moment.
fn jittered(seconds: u64) -> u64 {
    let random = RandomState::new().hash_one(seconds);
    seconds - random % (seconds / 10 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shortened_by_up_to_a_tenth() {
        let times: Vec<_> = (0..1_000).map(|_| jittered(3_600)).collect();
        let (shortest, longest) = (times.iter().min().unwrap(), times.iter().max().unwrap());
        assert!((3_240..3_300).contains(shortest), "{shortest}");
        assert!((3_540..=3_600).contains(longest), "{longest}");
        assert_eq!([0, 1, 9].map(jittered), [0, 1, 9]);
    }
}
