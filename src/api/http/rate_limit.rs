//! Limits the rate of requests of each caller: of a user or an app in a tenant, or of an address if
//! no token was accepted. A caller may send a minute's requests at once, and gets the quota back
//! evenly.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use governor::{
    Quota, RateLimiter, clock::Clock, middleware::StateInformationMiddleware, nanos::Nanos,
    state::StateStore,
};
use poem::{
    Request,
    http::{HeaderMap, HeaderName, HeaderValue},
};
use poem_entra::{Principal, poem::CallerCheck};
use quick_cache::sync::Cache;
use tokio::time::Instant;
use uuid::Uuid;

use crate::proxies::network_of;

use super::problem::Problem;

/// The number of callers whose requests are counted, at about 100 bytes each. The counts of those
/// who send least are forgotten first.
const CALLERS: usize = 100_000;
/// The time in which a caller may send the number of requests in `RATE_LIMIT`, in seconds.
const WINDOW: u64 = 60;

// draft-ietf-httpapi-ratelimit-headers-10.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The rate limit of a server.
pub(super) struct RateLimit {
    limiter: RateLimiter<Caller, Counts, Monotonic, StateInformationMiddleware>,
    /// The number of requests per minute.
    quota: u32,
    /// The value of `RateLimit-Policy`.
    policy: Option<HeaderValue>,
}

impl RateLimit {
    /// Allows this number of requests per minute to each caller.
    pub(super) fn per_minute(requests: NonZeroU32) -> Self {
        let counts = Counts(Cache::new(CALLERS));
        let limiter = RateLimiter::new(Quota::per_minute(requests), counts, Monotonic::start());
        let policy = HeaderValue::try_from(format!("\"caller\";q={requests};w={WINDOW}")).ok();
        Self { limiter, quota: requests.get(), policy }
    }

    /// Counts a request of this caller.
    fn count(&self, caller: &Caller) -> Standing {
        match self.limiter.check_key(caller) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity().min(self.quota);
                let used = u64::from(self.quota - remaining);
                let reset = (used * WINDOW).div_ceil(self.quota.into());
                Standing { remaining, reset, is_refused: false }
            }
            Err(refused) => {
                let wait = refused.wait_time_from(self.limiter.clock().now());
                let reset = wait.as_millis().div_ceil(1_000).try_into().unwrap_or(WINDOW).max(1);
                Standing { remaining: 0, reset, is_refused: true }
            }
        }
    }
}

/// Who sends requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Caller {
    /// A user or an app: the tenant and the object id.
    Known(Uuid, Uuid),
    /// An address whose requests have no accepted token.
    Address(u128),
}

/// How many requests a caller may still send.
#[derive(Clone, Copy)]
struct Standing {
    remaining: u32,
    /// Seconds until the quota is complete again, or until the next request is allowed.
    reset: u64,
    is_refused: bool,
}

impl Standing {
    fn check(self) -> Result<(), Problem> {
        if self.is_refused { Err(Problem::too_many_requests(self.reset)) } else { Ok(()) }
    }
}

/// Counts one request, for its caller or, if no guard has accepted a token, for its address.
pub(super) struct Meter {
    limit: Arc<RateLimit>,
    client: IpAddr,
    standing: OnceLock<Standing>,
}

impl Meter {
    /// A meter for this request. The guard counts the request when it has accepted the token.
    pub(super) fn attach(
        limit: &Arc<RateLimit>,
        client: IpAddr,
        request: &mut Request,
    ) -> Arc<Self> {
        let limit = Arc::clone(limit);
        let meter = Arc::new(Self { limit, client, standing: OnceLock::new() });
        let counted = Arc::clone(&meter);
        let check = CallerCheck::new(move |caller| Ok(counted.count_caller(caller)?));
        request.extensions_mut().insert(check);
        meter
    }

    fn count_caller(&self, caller: &Principal) -> Result<(), Problem> {
        let Some(object_id) = caller.object_id() else { return self.count_without_caller() };
        let caller = Caller::Known(caller.tenant().as_uuid(), object_id.as_uuid());
        self.standing.get_or_init(|| self.limit.count(&caller)).check()
    }

    /// Counts the request for its address, unless a guard has counted it.
    pub(super) fn count_without_caller(&self) -> Result<(), Problem> {
        let caller = || Caller::Address(network_of(self.client));
        self.standing.get_or_init(|| self.limit.count(&caller())).check()
    }

    /// Adds `RateLimit` and `RateLimit-Policy`.
    pub(super) fn add_fields(&self, headers: &mut HeaderMap) {
        let Some(Standing { remaining, reset, .. }) = self.standing.get() else { return };
        let standing = HeaderValue::try_from(format!("\"caller\";r={remaining};t={reset}"));
        // Both consist of visible ASCII characters.
        if let (Ok(standing), Some(policy)) = (standing, &self.limit.policy) {
            headers.insert(RATE_LIMIT, standing);
            headers.insert(RATE_LIMIT_POLICY, policy.clone());
        }
    }
}

/// The times from which on the quota of each caller is complete, in nanoseconds since the start.
struct Counts(Cache<Caller, Arc<AtomicU64>>);

impl StateStore for Counts {
    type Key = Caller;

    fn measure_and_replace<T, F, E>(&self, caller: &Caller, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let new = || Ok::<_, E>(Arc::default());
        let count = self.0.get_or_insert_with(caller, new)?;
        let mut before = count.load(Ordering::Acquire);
        loop {
            let (decision, after) = decide(Some(before).filter(|at| *at > 0).map(Nanos::from))?;
            let (order, failed) = (Ordering::AcqRel, Ordering::Acquire);
            match count.compare_exchange_weak(before, after.as_u64(), order, failed) {
                Ok(_) => return Ok(decision),
                Err(changed) => before = changed,
            }
        }
    }
}

/// A clock that is never set back.
#[derive(Clone)]
struct Monotonic(Instant);

impl Monotonic {
    fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for Monotonic {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_quota_comes_back_evenly() {
        let limit = RateLimit::per_minute(NonZeroU32::new(4).unwrap());
        let caller = Caller::Known(Uuid::from_u128(1), Uuid::from_u128(2));
        let standing = || {
            let Standing { remaining, reset, is_refused } = limit.count(&caller);
            (remaining, reset, is_refused)
        };
        for expected in [(3, 15, false), (2, 30, false), (1, 45, false), (0, 60, false)] {
            assert_eq!(standing(), expected);
        }
        assert_eq!(standing(), (0, 15, true));
        tokio::time::advance(Duration::from_millis(14_500)).await;
        assert_eq!(standing(), (0, 1, true));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(standing(), (0, 60, false));
        tokio::time::advance(Duration::from_secs(600)).await;
        assert_eq!(standing(), (3, 15, false), "no more than the quota");
        let other = Caller::Known(Uuid::from_u128(2), Uuid::from_u128(2));
        assert_eq!(limit.count(&other).remaining, 3);
    }

    #[test]
    fn the_number_of_counted_callers_is_bounded() {
        let limit = RateLimit::per_minute(NonZeroU32::MIN);
        for address in 0..3 * CALLERS as u128 {
            limit.count(&Caller::Address(address));
        }
        let counted = limit.limiter.into_state_store().0.len();
        assert!((CALLERS / 2..=CALLERS).contains(&counted), "{counted}");
    }
}
