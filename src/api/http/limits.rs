//! Limits the requests in progress, of all clients and of each one, so that the server refuses
//! requests instead of answering all of them late. Also limits the rate of each caller, if
//! `RATE_LIMIT` is set, and slows down clients that send many invalid tokens.
//!
//! The counters are arrays of atomic numbers. A request takes no lock and allocates nothing.

use std::{
    array,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use poem::{Endpoint, Request, Response, Result, http::StatusCode};
use tokio::time::Instant;

use crate::proxies::{TrustedProxies, network_of};

use super::{
    problem::Problem,
    rate_limit::{Meter, RateLimit},
};

/// The number of requests in progress. If each takes a millisecond on one of two processors, the
/// last of them waits for half a second.
const LIMIT: usize = 1_024;
/// The number of requests in progress of one client: a quarter, so that no client can keep out the
/// others. A browser has at most six.
const LIMIT_OF_CLIENT: usize = LIMIT / 4;
/// The number of responses with the status 401 that a client gets at once in each second. People
/// whose tokens have expired get far fewer, even if they share an address.
const REFUSALS_PER_SECOND: u64 = 200;
/// How long a client with more of them waits for each further one. A flood of invalid tokens then
/// leaves the processors to others.
const REFUSAL_DELAY: Duration = Duration::from_secs(1);
/// The number of counters. Clients whose addresses have the same hash share one.
const COUNTERS: usize = 4_096;
/// Load balancers must get a response even if the server refuses other requests.
const HEALTH: &str = "/health";

/// The limits of a server.
pub struct Limits {
    proxies: TrustedProxies,
    rate: Option<Arc<RateLimit>>,
    requests: Requests,
    refusals: Refusals,
    hasher: RandomState,
}

impl Limits {
    /// With these proxies, and with this number of requests per minute for each caller. `None` does
    /// not limit the rate.
    pub fn new(proxies: TrustedProxies, rate: Option<NonZeroU32>) -> Self {
        Self {
            proxies,
            rate: rate.map(|requests| Arc::new(RateLimit::per_minute(requests))),
            requests: Requests::new(LIMIT, LIMIT_OF_CLIENT),
            refusals: Refusals::new(),
            hasher: RandomState::new(),
        }
    }

    /// What the limits need to know about a request.
    pub(super) fn examine(&self, request: &mut Request) -> Admission {
        if request.uri().path().starts_with(HEALTH) {
            return Admission { counter: None, meter: None, is_exempt: true };
        }
        let peer = request.remote_addr().as_socket_addr().map(std::net::SocketAddr::ip);
        let peer = peer.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        let client = self.proxies.client(peer, request.headers());
        let meter = self.rate.as_ref().map(|rate| Meter::attach(rate, client, request));
        Admission { counter: self.counter(client), meter, is_exempt: false }
    }

    /// The counter of a client. `None` for a proxy that does not say who the client is.
    fn counter(&self, client: IpAddr) -> Option<usize> {
        let hash = || self.hasher.hash_one(network_of(client)) as usize % COUNTERS;
        (!self.proxies.contains(client)).then(hash)
    }

    /// Passes the request on, unless there are too many.
    pub(super) async fn pass<E: Endpoint>(
        &self,
        admission: &Admission,
        next: &E,
        request: Request,
    ) -> Result<E::Output> {
        if admission.is_exempt {
            return next.call(request).await;
        }
        let _counted = self.requests.begin(admission.counter)?;
        let outcome = next.call(request).await;
        if let Some(meter) = &admission.meter {
            meter.count_without_caller()?;
        }
        outcome
    }

    /// Adds header fields about the rate limit to the response, and waits if the client has sent
    /// many invalid tokens.
    pub(super) async fn finish(&self, admission: &Admission, response: &mut Response) {
        if let Some(meter) = &admission.meter {
            meter.add_fields(response.headers_mut());
        }
        if response.status() == StatusCode::UNAUTHORIZED
            && let Some(counter) = admission.counter
            && self.refusals.count(counter) > REFUSALS_PER_SECOND
        {
            tokio::time::sleep(REFUSAL_DELAY).await;
        }
    }
}

/// What the limits know about a request.
pub(super) struct Admission {
    /// The counter of the client, if its requests are counted.
    counter: Option<usize>,
    /// Measures the rate, if it is limited.
    meter: Option<Arc<Meter>>,
    is_exempt: bool,
}

/// Counts the requests in progress.
struct Requests {
    limit: usize,
    limit_of_client: usize,
    all: AtomicUsize,
    of_clients: Box<[AtomicUsize; COUNTERS]>,
}

impl Requests {
    fn new(limit: usize, limit_of_client: usize) -> Self {
        let of_clients = Box::new(array::from_fn(|_| AtomicUsize::new(0)));
        Self { limit, limit_of_client, all: AtomicUsize::new(0), of_clients }
    }

    /// Counts a request until the returned value is dropped.
    fn begin(&self, client: Option<usize>) -> Result<[Option<Counted<'_>>; 2], Problem> {
        let of_client = match client.and_then(|client| self.of_clients.get(client)) {
            Some(counter) => Some(
                Counted::below(self.limit_of_client, counter)
                    .ok_or_else(|| Problem::too_many_requests(1))?,
            ),
            None => None,
        };
        let of_all = Counted::below(self.limit, &self.all).ok_or_else(Problem::overloaded)?;
        Ok([of_client, Some(of_all)])
    }
}

/// A counter that was increased until this is dropped.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn below(limit: usize, counter: &'a AtomicUsize) -> Option<Self> {
        let counted = Self(counter);
        (counter.fetch_add(1, Ordering::Relaxed) < limit).then_some(counted)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts the responses with the status 401 of each client in the current second.
struct Refusals {
    started: Instant,
    /// The second in the upper half, and the number in the lower half.
    of_clients: Box<[AtomicU64; COUNTERS]>,
}

impl Refusals {
    fn new() -> Self {
        let of_clients = Box::new(array::from_fn(|_| AtomicU64::new(0)));
        Self { started: Instant::now(), of_clients }
    }

    /// Counts one, and returns the number in this second.
    fn count(&self, client: usize) -> u64 {
        let second = self.started.elapsed().as_secs() << 32;
        let next = |counted: u64| Some(counted.max(second) + 1);
        let counter = self.of_clients.get(client);
        let counted = counter.map(|counter| {
            let before = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
            before.unwrap_or_else(|before| before).max(second) + 1
        });
        counted.unwrap_or_default() & u64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(begun: &Result<[Option<Counted<'_>>; 2], Problem>) -> Option<String> {
        begun.as_ref().err().map(|problem| problem.document("").code)
    }

    #[test]
    fn requests_above_a_limit_are_refused_until_others_end() {
        let requests = Requests::new(3, 2);
        let first = requests.begin(Some(7)).unwrap();
        let _second = requests.begin(Some(7)).unwrap();
        assert_eq!(code(&requests.begin(Some(7))).as_deref(), Some("too_many_requests"));
        let third = requests.begin(Some(8)).unwrap();
        assert_eq!(code(&requests.begin(Some(8))).as_deref(), Some("overloaded"));
        assert_eq!(code(&requests.begin(None)).as_deref(), Some("overloaded"));
        drop(third);
        let _fourth = requests.begin(None).unwrap();
        drop(first);
        let _fifth = requests.begin(Some(7)).unwrap();
        assert_eq!(requests.all.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_with_many_invalid_tokens_waits() {
        let limits = Limits::new(TrustedProxies::default(), None);
        let delay = async |client: usize, status| {
            let admission = Admission { counter: Some(client), meter: None, is_exempt: false };
            let mut response = Response::builder().status(status).finish();
            let started = Instant::now();
            limits.finish(&admission, &mut response).await;
            started.elapsed()
        };
        for _ in 0..REFUSALS_PER_SECOND {
            assert_eq!(delay(7, StatusCode::UNAUTHORIZED).await, Duration::ZERO);
        }
        assert_eq!(delay(7, StatusCode::OK).await, Duration::ZERO);
        assert_eq!(delay(8, StatusCode::UNAUTHORIZED).await, Duration::ZERO);
        assert_eq!(delay(7, StatusCode::UNAUTHORIZED).await, REFUSAL_DELAY);
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_counted_for_each_second() {
        let refusals = Refusals::new();
        assert_eq!([1, 2, 1], [7, 7, 8].map(|client| refusals.count(client)));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!([1, 2], [7, 7].map(|client| refusals.count(client)));
    }
}
