//! The open connections. Limits their number, and closes the longest idle one to make room.
//!
//! A connection is idle unless a request is in progress. A request begins when its header is
//! complete, so a client that sends half a header is idle from the time when it connected.
//!
//! The table is locked only when a connection is opened or closed. A request only changes an atomic
//! number of its own connection.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{task::AbortHandle, time::Instant};

use crate::proxies::{Network, network_of};

/// The part of all connections that one address may have: a quarter. Several people may share an
/// address, but no address may keep out the others.
const SHARE_OF_ADDRESS: usize = 4;

/// The open connections.
pub(super) struct Connections {
    limit: usize,
    /// Whether the connections of this address are limited only in sum.
    is_trusted: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
    started: Instant,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    next_id: u64,
    all: Pool,
    by_network: HashMap<Network, Pool>,
}

impl Connections {
    /// At most `limit` connections, and at most a quarter of that from one address, or from one
    /// network with a 64-bit prefix in IPv6, unless the address is trusted.
    pub(super) fn new(
        limit: usize,
        is_trusted: impl Fn(IpAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (is_trusted, started) = (Box::new(is_trusted), Instant::now());
        Self { limit, is_trusted, started, table: Mutex::default() }
    }

    /// Registers a connection of this address. If there are too many, the longest idle one of the
    /// address, or of all, is closed. Returns `None` if none of them is idle.
    pub(super) fn open(self: &Arc<Self>, address: IpAddr) -> Option<Open> {
        let network = self.network(address);
        let mut table = self.lock();
        if let Some(network) = network
            && let Some(own) = table.by_network.get_mut(&network)
            && own.members.len() >= (self.limit / SHARE_OF_ADDRESS).max(1)
        {
            let closed = own.close_longest_idle()?;
            table.remove(&closed);
        }
        if table.all.members.len() >= self.limit {
            table.make_room()?;
        }
        Some(self.register(table, network))
    }

    /// Registers a connection of this address, even if there are too many. No other is closed.
    pub(super) fn open_beyond_limit(self: &Arc<Self>, address: IpAddr) -> Open {
        self.register(self.lock(), self.network(address))
    }

    /// Closes the longest idle connection. Returns whether there was one.
    pub(super) fn make_room(&self) -> bool {
        self.lock().make_room().is_some()
    }

    /// The network whose connections have a limit of their own. `None` if the address is trusted.
    fn network(&self, address: IpAddr) -> Option<Network> {
        (!(self.is_trusted)(address)).then(|| network_of(address))
    }

    fn register(
        self: &Arc<Self>,
        mut table: MutexGuard<'_, Table>,
        network: Option<Network>,
    ) -> Open {
        let id = table.next_id;
        table.next_id += 1;
        let connection = Arc::new(Connection {
            id,
            network,
            state: AtomicU64::new(self.now()),
            has_served: AtomicBool::new(false),
            is_encrypted: AtomicBool::new(false),
            bodies: AtomicUsize::new(0),
            started: self.started,
            task: OnceLock::new(),
        });
        table.insert(&connection);
        drop(table);
        Open { connection, connections: Arc::clone(self) }
    }

    fn now(&self) -> u64 {
        stamp(self.started)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // No code panics while it holds the lock.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn make_room(&mut self) -> Option<()> {
        let closed = self.all.close_longest_idle()?;
        self.remove(&closed);
        Some(())
    }

    fn insert(&mut self, connection: &Arc<Connection>) {
        self.all.members.insert(connection.id, Arc::clone(connection));
        if let Some(network) = connection.network {
            let own = self.by_network.entry(network).or_default();
            own.members.insert(connection.id, Arc::clone(connection));
        }
    }

    fn remove(&mut self, connection: &Connection) {
        self.all.members.remove(&connection.id);
        if let Some(network) = connection.network
            && let Some(own) = self.by_network.get_mut(&network)
        {
            own.members.remove(&connection.id);
            if own.members.is_empty() {
                self.by_network.remove(&network);
            }
        }
    }
}

/// Connections that share a limit.
#[derive(Default)]
struct Pool {
    members: HashMap<u64, Arc<Connection>>,
    /// The connections that were idle when the members were last searched, as pairs of the time
    /// since when and the id; the longest idle one is the last. A connection that has become idle
    /// since then is not in the list, but has been idle for less time than those in it.
    idle: Vec<(u64, u64)>,
}

impl Pool {
    fn close_longest_idle(&mut self) -> Option<Arc<Connection>> {
        // If a request began on each connection in the list, the list is made once more.
        for _ in 0..2 {
            while let Some((since, id)) = self.idle.pop() {
                if let Some(connection) = self.members.get(&id)
                    && connection.close_if_idle(since)
                {
                    return self.members.remove(&id);
                }
            }
            let members = self.members.values();
            self.idle.extend(members.filter_map(|member| Some((member.idle_since()?, member.id))));
            self.idle.sort_unstable_by(|a, b| b.cmp(a));
        }
        None
    }
}

/// One connection.
pub(super) struct Connection {
    id: u64,
    /// `None` if the address is trusted.
    network: Option<Network>,
    /// [`BUSY`], [`CLOSED`], or the time since which the connection is idle.
    state: AtomicU64,
    /// Whether a request has begun.
    has_served: AtomicBool,
    /// Whether a TLS handshake was completed.
    is_encrypted: AtomicBool,
    /// The number of request bodies that are being received. A refused one may still arrive when
    /// its response has been sent.
    bodies: AtomicUsize,
    started: Instant,
    task: OnceLock<AbortHandle>,
}

/// A request is in progress.
const BUSY: u64 = u64::MAX;
/// The connection was closed to make room.
const CLOSED: u64 = u64::MAX - 1;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activity {
    /// A request is in progress.
    Busy,
    /// The connection was closed to make room.
    Closed,
    /// No request has begun since this time.
    Idle(Instant),
}

impl Connection {
    /// What the connection is doing.
    pub(super) fn activity(&self) -> Activity {
        match self.state.load(Ordering::Acquire) {
            BUSY => Activity::Busy,
            CLOSED => Activity::Closed,
            since => Activity::Idle(self.started + Duration::from_nanos(since)),
        }
    }

    /// Whether a request has begun at some time.
    pub(super) fn has_served(&self) -> bool {
        self.has_served.load(Ordering::Relaxed)
    }

    /// Records that a TLS handshake was completed. The client has as much time for its first
    /// request as if it had connected now.
    pub(super) fn encrypt(&self) {
        self.is_encrypted.store(true, Ordering::Relaxed);
        if let Some(since) = self.idle_since() {
            let now = stamp(self.started);
            // If it was closed in this moment, it stays closed.
            let _ = self.state.compare_exchange(since, now, Ordering::AcqRel, Ordering::Acquire);
        }
    }

    /// Whether a TLS handshake was completed.
    pub(super) fn is_encrypted(&self) -> bool {
        self.is_encrypted.load(Ordering::Relaxed)
    }

    /// Begins a request, which ends when the returned value is dropped. `None` if the connection
    /// was closed in this moment; the request must not be served.
    pub(super) fn begin(self: &Arc<Self>) -> Option<InProgress> {
        if self.state.swap(BUSY, Ordering::AcqRel) == CLOSED {
            self.state.store(CLOSED, Ordering::Release);
            return None;
        }
        self.has_served.store(true, Ordering::Relaxed);
        Some(InProgress(Arc::clone(self)))
    }

    /// Begins to receive a request body, which ends when the returned value is dropped.
    pub(super) fn receive_body(self: &Arc<Self>) -> Receiving {
        self.bodies.fetch_add(1, Ordering::Relaxed);
        Receiving(Arc::clone(self))
    }

    /// Whether a request body is being received.
    pub(super) fn is_receiving(&self) -> bool {
        self.bodies.load(Ordering::Relaxed) > 0
    }

    /// Sets the task that serves the connection, so that it can be closed.
    pub(super) fn served_by(&self, task: AbortHandle) {
        let task = self.task.get_or_init(|| task);
        // It may have been closed before it had a task.
        if self.activity() == Activity::Closed {
            task.abort();
        }
    }

    fn idle_since(&self) -> Option<u64> {
        Some(self.state.load(Ordering::Acquire)).filter(|state| *state < CLOSED)
    }

    /// Closes the connection if it has been idle since this time.
    fn close_if_idle(&self, since: u64) -> bool {
        let closed =
            self.state.compare_exchange(since, CLOSED, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if closed && let Some(task) = self.task.get() {
            task.abort();
        }
        closed
    }
}

/// A request in progress.
pub(super) struct InProgress(Arc<Connection>);

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.state.store(stamp(self.0.started), Ordering::Release);
    }
}

/// A request body that is being received.
pub(super) struct Receiving(Arc<Connection>);

impl Drop for Receiving {
    fn drop(&mut self) {
        self.0.bodies.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An open connection, which counts until this is dropped.
pub(super) struct Open {
    /// The connection.
    pub(super) connection: Arc<Connection>,
    connections: Arc<Connections>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.connections.lock().remove(&self.connection);
    }
}

/// Nanoseconds since then. They last for 584 years.
fn stamp(started: Instant) -> u64 {
    started.elapsed().as_nanos().try_into().unwrap_or(CLOSED - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(limit: usize) -> Arc<Connections> {
        let proxy: IpAddr = "192.0.2.9".parse().unwrap();
        Arc::new(Connections::new(limit, move |address| address == proxy))
    }

    fn open(connections: &Arc<Connections>, address: &str) -> Option<Open> {
        connections.open(address.parse().unwrap())
    }

    fn is_closed(open: &Open) -> bool {
        open.connection.activity() == Activity::Closed
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_connection_makes_room() {
        let connections = connections(4);
        let open_from = async |address| {
            tokio::time::advance(Duration::from_millis(1)).await;
            open(&connections, address).unwrap()
        };
        let first = open_from("192.0.2.1").await;
        let second = open_from("192.0.2.2").await;
        let third = open_from("192.0.2.3").await;
        let fourth = open_from("192.0.2.4").await;
        let request = first.connection.begin().unwrap();
        let fifth = open_from("192.0.2.5").await;
        assert!(is_closed(&second));
        // The first connection has been idle for less time than the others now.
        tokio::time::advance(Duration::from_millis(1)).await;
        drop(request);
        let sixth = open_from("192.0.2.6").await;
        assert!(is_closed(&third) && !is_closed(&first));
        let _seventh = open_from("192.0.2.7").await;
        let _eighth = open_from("192.0.2.8").await;
        assert!(is_closed(&fourth) && is_closed(&fifth) && !is_closed(&first));
        assert!(!is_closed(&sixth));
        drop(sixth);
        let _ninth = open_from("192.0.2.10").await;
        assert!(!is_closed(&first), "there was room");
    }

    #[test]
    fn a_request_does_not_begin_on_a_connection_that_was_closed() {
        let connections = connections(1);
        let first = open(&connections, "192.0.2.1").unwrap();
        let second = open(&connections, "192.0.2.2").unwrap();
        assert!(first.connection.begin().is_none());
        assert!(is_closed(&first));
        let request = second.connection.begin().unwrap();
        assert!(open(&connections, "192.0.2.3").is_none(), "a busy connection was closed");
        assert!(!connections.make_room());
        let beyond = connections.open_beyond_limit("192.0.2.3".parse().unwrap());
        assert!(!is_closed(&beyond) && !is_closed(&second));
        drop((request, beyond));
        assert!(open(&connections, "192.0.2.3").is_some() && is_closed(&second));
    }

    #[test]
    fn an_address_may_have_a_quarter_of_the_connections() {
        let connections = connections(8);
        for (same, other) in [
            (["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1"], "192.0.2.2"),
            (["2001:db8::1", "2001:db8::2", "2001:db8::3:0:0:1"], "2001:db8:0:1::1"),
        ] {
            let [first, second, third] = same.map(|address| open(&connections, address).unwrap());
            assert!(is_closed(&first) && !is_closed(&second), "{same:?}");
            let _other = open(&connections, other).unwrap();
            assert!(!is_closed(&second) && !is_closed(&third), "{other}");
            let requests = [&second, &third].map(|open| open.connection.begin().unwrap());
            assert!(open(&connections, same[0]).is_none(), "{same:?}");
            drop(requests);
        }
        assert!(connections.lock().by_network.is_empty());
        assert!(connections.lock().all.members.is_empty());
    }

    #[test]
    fn a_trusted_proxy_may_have_all_connections() {
        let connections = connections(8);
        let all: Vec<_> = (0..8).map(|_| open(&connections, "192.0.2.9").unwrap()).collect();
        assert!(!all.iter().any(is_closed));
        assert!(connections.lock().by_network.is_empty());
    }
}
