//! Serves connections, with limits.
//!
//! poem's own server waits forever for a header that never ends, and so does its graceful shutdown.
//! For this reason poem's endpoint runs under hyper here.
//!
//! A connection is idle unless a request is in progress. A client that sends half a header, never
//! completes the TLS handshake or does not read the response is idle, too. Idle connections are
//! closed after a while, and earlier if there is no room for new ones.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http_body_util::combinators::BoxBody;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use poem::{
    Endpoint,
    endpoint::BoxEndpoint,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::{Instant, interval, sleep},
};
use tokio_rustls::TlsAcceptor;

/// The number of connections of a tenant. Browsers and test suites need far fewer.
const LIMIT: usize = 256;
/// How long a connection may be idle.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How often idle connections are looked for, and how often a lack of descriptors is logged.
const SWEEP: Duration = Duration::from_secs(10);
/// The pause after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Serves the connections of one socket until the tenant is stopped, then completes the requests in
/// progress.
pub(super) struct SocketServer {
    pub(super) endpoint: Arc<BoxEndpoint<'static>>,
    /// `None` for plain HTTP.
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) stop: watch::Receiver<bool>,
    /// The connections of all sockets of the tenant. If each socket counted its own, a new
    /// connection to a rarely used socket would be its longest idle one, and would be closed before
    /// its first request.
    pub(super) connections: Arc<Connections>,
}

impl SocketServer {
    /// Dropping the future closes all connections.
    pub(super) async fn serve(self, socket: TcpListener) {
        let mut tasks = JoinSet::new();
        let mut sweep = interval(SWEEP);
        let mut stop = self.stop.clone();
        let mut warned: Option<Instant> = None;
        loop {
            tokio::select! {
                () = stopped(&mut stop) => break,
                accepted = socket.accept() => match accepted {
                    Ok((stream, remote)) => {
                        if self.connections.has_room() {
                            self.spawn(&mut tasks, stream, remote);
                        }
                    }
                    Err(error) => {
                        if warned.is_none_or(|warned| warned.elapsed() >= SWEEP) {
                            warned = Some(Instant::now());
                            tracing::warn!(%error, "failed to accept a connection");
                        }
                        self.connections.close_longest_idle();
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                _ = sweep.tick() => self.connections.close_idle(IDLE_TIMEOUT),
                Some(_) = tasks.join_next() => {}
            }
        }
        drop(socket);
        self.connections.close_idle(Duration::ZERO);
        while tasks.join_next().await.is_some() {}
    }

    fn spawn(&self, tasks: &mut JoinSet<()>, stream: TcpStream, remote: SocketAddr) {
        let Ok(local) = stream.local_addr() else { return };
        // Responses are small and written at once, so delaying them gains nothing.
        let _ = stream.set_nodelay(true);
        let activity = Arc::new(Activity::new());
        let connection = Connection {
            endpoint: Arc::clone(&self.endpoint),
            activity: Arc::clone(&activity),
            addresses: (local, remote),
            stop: self.stop.clone(),
        };
        let tls = self.tls.clone();
        let task = tasks.spawn(async move {
            match tls {
                None => connection.serve(stream, Scheme::HTTP).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => connection.serve(stream, Scheme::HTTPS).await,
                    // Clients that do not trust the certificate end the handshake.
                    Err(error) => tracing::debug!(%error, "TLS handshake failed"),
                },
            }
        });
        self.connections.lock().push(Member { task, activity });
    }
}

/// Completes when the tenant is stopped or dropped.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that it was dropped.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

/// The open connections.
#[derive(Default)]
pub(super) struct Connections {
    members: Mutex<Vec<Member>>,
}

struct Member {
    task: AbortHandle,
    activity: Arc<Activity>,
}

impl Connections {
    /// Whether there is room for another connection. If necessary, closes the longest idle one.
    fn has_room(&self) -> bool {
        self.open() < LIMIT || self.close_longest_idle()
    }

    /// Returns their number.
    fn open(&self) -> usize {
        let mut members = self.lock();
        members.retain(|member| !member.task.is_finished());
        members.len()
    }

    /// Returns whether there was one.
    fn close_longest_idle(&self) -> bool {
        let mut members = self.lock();
        members.retain(|member| !member.task.is_finished());
        let idle = members.iter().enumerate();
        let idle = idle.filter_map(|(index, member)| Some((member.activity.idle_for()?, index)));
        let Some((_, index)) = idle.max() else { return false };
        members.swap_remove(index).task.abort();
        true
    }

    /// Closes the connections that have been idle for this long.
    fn close_idle(&self, limit: Duration) {
        self.lock().retain(|member| {
            let is_idle = member.activity.idle_for().is_some_and(|time| time >= limit);
            if is_idle {
                member.task.abort();
            }
            !is_idle && !member.task.is_finished()
        });
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Member>> {
        // No code panics while it holds the lock.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Since when a connection has been idle.
struct Activity {
    opened: Instant,
    /// Milliseconds since then, or [`BUSY`](Self::BUSY).
    idle_since: AtomicU64,
}

impl Activity {
    const BUSY: u64 = u64::MAX;

    fn new() -> Self {
        Self { opened: Instant::now(), idle_since: AtomicU64::new(0) }
    }

    /// `None` while a request is in progress.
    fn idle_for(&self) -> Option<Duration> {
        match self.idle_since.load(Ordering::Relaxed) {
            Self::BUSY => None,
            since => Some(self.opened.elapsed().saturating_sub(Duration::from_millis(since))),
        }
    }

    fn begin_request(&self) {
        self.idle_since.store(Self::BUSY, Ordering::Relaxed);
    }

    fn end_request(&self) {
        let since = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(Self::BUSY - 1);
        self.idle_since.store(since, Ordering::Relaxed);
    }
}

/// One connection.
struct Connection {
    endpoint: Arc<BoxEndpoint<'static>>,
    activity: Arc<Activity>,
    /// The local and the remote one.
    addresses: (SocketAddr, SocketAddr),
    stop: watch::Receiver<bool>,
}

impl Connection {
    async fn serve<S>(self, stream: S, scheme: Scheme)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut stop = self.stop.clone();
        let this = Arc::new(self);
        let service = service_fn(move |request| {
            let (this, scheme) = (Arc::clone(&this), scheme.clone());
            // The future of a request is large, and hyper reserves memory for it in each
            // connection.
            Box::pin(async move {
                this.activity.begin_request();
                let response = this.respond(request, scheme).await;
                this.activity.end_request();
                Ok::<_, Infallible>(hyper::Response::<BoxBody<_, _>>::from(response))
            })
        });
        let connection = http1::Builder::new()
            // A client may close its sending half and still wait for the response.
            .half_close(true)
            // Idle connections are closed from outside.
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended");
        }
    }

    async fn respond(&self, request: Request<Incoming>, scheme: Scheme) -> poem::Response {
        let (local, remote) = self.addresses;
        let (local, remote) = (LocalAddr(local.into()), RemoteAddr(remote.into()));
        let request = poem::Request::from((request, local, remote, scheme));
        self.endpoint.get_response(request).await
    }
}
