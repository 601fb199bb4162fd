//! Accepts connections, with or without TLS. Limits how many there are, how long they may be idle,
//! and how large a request header may be.
//!
//! poem's own server waits forever for a header that never ends, and so does its graceful shutdown.
//! For this reason poem's endpoint runs under hyper here, with limits.

mod connections;
mod timed;
mod transport;

use std::{
    collections::BTreeSet,
    convert::Infallible,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, combinators::BoxBody};
use hyper::{
    Request,
    body::{Body, Frame, Incoming, SizeHint},
    header::{CONNECTION, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use poem::{
    Endpoint,
    endpoint::BoxEndpoint,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::{mpsc, watch},
    task::JoinSet,
};

use crate::{
    causes::Causes, proxies::TrustedProxies, tls::Tls, unread_body::Discarded, workers::Workers,
};

use connections::{Connection, Connections, InProgress, Open};
use timed::Timed;
use transport::Transport;

/// The number of connections that may wait in the system's queue, if the system allows it
/// (`net.core.somaxconn`).
const BACKLOG: u32 = 4_096;
/// The size of the largest header that is read, in bytes. A header above the API's own limit but
/// below this one gets a problem document. A larger header gets hyper's 431 without a body.
const HEADER_BUFFER: usize = 1_280 * 1024;
/// For this part of the drain timeout, a server that announces its stop accepts new connections.
const NOTICE_SHARE: u32 = 10;
/// The part of the drain timeout in which the first requests on the last connections may arrive.
const LAST_REQUESTS_SHARE: u32 = 40;
/// How many times another free port is tried.
const PORT_ATTEMPTS: u32 = 16;
/// The pause after a connection could not be accepted: the system has no file descriptors left, or
/// there are too many connections and a request is in progress on each.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// The sockets that the server listens on.
pub struct Listener {
    sockets: Vec<TcpListener>,
    host: String,
    port: u16,
    tls: Option<Tls>,
    max_connections: usize,
    proxies: TrustedProxies,
}

impl Listener {
    /// Binds a name or an address. `localhost` binds each of the two loopback addresses that this
    /// machine has. Port 0 picks any free port.
    ///
    /// # Errors
    ///
    /// The system's error, for example that the port is in use.
    pub async fn bind(host: &str, port: u16) -> io::Result<Self> {
        let addresses: BTreeSet<SocketAddr> = match host {
            "localhost" => {
                let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
                loopback.map(|address| (address, port).into()).into()
            }
            // The set removes addresses that the resolver returns twice.
            _ => tokio::net::lookup_host((host, port)).await?.collect::<BTreeSet<_>>(),
        };
        let mut attempts = 0..PORT_ATTEMPTS;
        loop {
            match bind_all(&addresses) {
                // A port that is free on one address may be in use on another.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && port == 0 => {
                    attempts.next().ok_or(error)?;
                }
                bound => {
                    let (sockets, port) = bound?;
                    let (host, proxies) = (host.to_owned(), TrustedProxies::default());
                    let max_connections = usize::MAX;
                    return Ok(Self { sockets, host, port, tls: None, max_connections, proxies });
                }
            }
        }
    }

    /// Accepts only TLS connections, if there is a certificate.
    pub fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// The URL of the server: `http://{host}:{port}`, or `https` if it has a certificate.
    pub fn url(&self) -> String {
        url(&self.host, self.port, self.tls.as_ref())
    }

    /// Limits the number of connections. The connections of these proxies are limited only in sum,
    /// those of any other address also for themselves. Unless this is called, the number is not
    /// limited.
    pub fn with_limits(self, max_connections: usize, proxies: TrustedProxies) -> Self {
        Self { max_connections, proxies, ..self }
    }

    /// Serves on these workers until `stop` completes, then lets the requests in progress complete,
    /// for at most `drain_timeout`.
    ///
    /// From then on every response has `Connection: close`, so that no client sends another request
    /// on its connection. [`Stop`] says when new connections are refused. Connections without a
    /// request are closed after that.
    pub async fn serve(
        self,
        endpoint: BoxEndpoint<'static>,
        workers: Workers,
        drain_timeout: Duration,
        stop: impl Future<Output = Stop>,
    ) {
        let proxies = self.proxies;
        let is_trusted = move |address| proxies.contains(address);
        let limited = Arc::new(Connections::new(self.max_connections, is_trusted));
        let (accepted, connections) = mpsc::channel(1);
        let (close, closed) = watch::channel(());
        let mut accepting = JoinSet::new();
        for socket in self.sockets {
            let (limited, accepted) = (Arc::clone(&limited), accepted.clone());
            accepting.spawn(accept(socket, limited, accepted, closed.clone()));
        }
        drop((accepted, closed));
        let mut server = ConnectionServer {
            app: Arc::new(endpoint),
            workers,
            tls: self.tls,
            draining: Arc::default(),
            graceful: GracefulShutdown::new(),
            accepted: connections,
        };
        let stop = server.serve_until(stop).await;
        server.draining.store(true, Ordering::Relaxed);
        let (notice, last_requests) = match stop {
            Stop::Announced => (drain_timeout / NOTICE_SHARE, drain_timeout / LAST_REQUESTS_SHARE),
            Stop::AtOnce => (Duration::ZERO, Duration::ZERO),
        };
        let drain = async move {
            if stop == Stop::Announced {
                server.serve_until(tokio::time::sleep(notice)).await;
            }
            drop(close);
            server.serve_rest().await;
            tokio::time::sleep(last_requests).await;
            server.graceful.shutdown().await;
        };
        if tokio::time::timeout(drain_timeout, drain).await.is_err() {
            tracing::warn!("requests in progress were cut off because they took too long");
        }
    }
}

/// How a server stops. In both cases, it waits for requests in progress until the drain timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// For a tenth of the drain timeout, new connections are accepted. Load balancers have time to
    /// see that the server is not ready, and clients that reuse connections to be told to close
    /// them.
    Announced,
    /// New connections are refused from now on, for a person who does not want to wait.
    AtOnce,
}

/// Serves the connections that were accepted.
struct ConnectionServer {
    app: App,
    workers: Workers,
    tls: Option<Tls>,
    /// Whether each response closes its connection.
    draining: Arc<AtomicBool>,
    graceful: GracefulShutdown,
    accepted: mpsc::Receiver<Accepted>,
}

impl ConnectionServer {
    /// Serves new connections until `end` completes, and returns its result.
    async fn serve_until<T>(&mut self, end: impl Future<Output = T>) -> T {
        tokio::pin!(end);
        loop {
            tokio::select! {
                Some(connection) = self.accepted.recv() => self.serve(connection),
                end = &mut end => return end,
            }
        }
    }

    /// Serves the connections that were accepted before the sockets were closed.
    async fn serve_rest(&mut self) {
        while let Some(connection) = self.accepted.recv().await {
            self.serve(connection);
        }
    }

    /// Serves a connection in its own task.
    fn serve(&self, (stream, addresses, open): Accepted) {
        let worker = self.workers.least_busy();
        let stream = match worker.stream(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "failed to serve a connection");
                return;
            }
        };
        let (app, draining) = (Arc::clone(&self.app), Arc::clone(&self.draining));
        let registered = Arc::clone(&open.connection);
        let stream = Timed::new(stream, Arc::clone(&registered));
        let stream = Transport::new(stream, self.tls.clone());
        let connection = Arc::clone(&registered);
        let service = service_fn(move |request| {
            let (app, draining) = (Arc::clone(&app), Arc::clone(&draining));
            let connection = Arc::clone(&connection);
            // hyper reserves memory for the future in each connection, even if it is idle. The
            // future of a request is large, so it is boxed.
            Box::pin(async move {
                let mut response = respond(app, request, addresses, connection).await;
                if draining.load(Ordering::Relaxed) {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            })
        });
        let (watcher, counted) = (self.graceful.watcher(), worker.count_connection());
        let task = worker.spawn(async move {
            // The connection is not in a variable, because the task would then reserve twice the
            // memory for it.
            let served =
                watcher.watch(http().serve_connection(TokioIo::new(stream), service)).await;
            // A client may close its connection at any time, so this is not a warning.
            if let Err(error) = served {
                tracing::debug!(error = %Causes(&error), "connection ended");
            }
            drop((open, counted));
        });
        registered.served_by(task);
    }
}

fn http() -> http1::Builder {
    let mut http = http1::Builder::new();
    // A client may close its sending half and still wait for the response. A client that has closed
    // the whole connection looks the same, so its request is completed too.
    http.half_close(true);
    // The stream has a timeout.
    http.header_read_timeout(None);
    http.max_buf_size(HEADER_BUFFER);
    http
}

/// The URL of a server that listens on this name or address. A wildcard address is not one that
/// clients can send requests to; `localhost` is one of its addresses.
pub fn url(host: &str, port: u16, tls: Option<&Tls>) -> String {
    let scheme = if tls.is_some() { "https" } else { "http" };
    match host.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => format!("{scheme}://localhost:{port}"),
        Ok(IpAddr::V6(address)) => format!("{scheme}://[{address}]:{port}"),
        _ => format!("{scheme}://{host}:{port}"),
    }
}

/// Binds the same port on each of the addresses that the machine has.
fn bind_all(addresses: &BTreeSet<SocketAddr>) -> io::Result<(Vec<TcpListener>, u16)> {
    let mut sockets = Vec::new();
    let mut port = None;
    let mut missing = None;
    for address in addresses {
        match listen((address.ip(), port.unwrap_or(address.port())).into()) {
            Ok(socket) => {
                port = Some(socket.local_addr()?.port());
                sockets.push(socket);
            }
            // A machine may lack IPv4 or IPv6. Any other error is reported.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => missing = Some(error),
            Err(error) => return Err(error),
        }
    }
    let no_address = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    match port {
        Some(port) => Ok((sockets, port)),
        None => Err(missing.unwrap_or_else(no_address)),
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Connections of a previous server may still be closing. They do not block the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

type App = Arc<BoxEndpoint<'static>>;
type Addresses = (SocketAddr, SocketAddr);
type Accepted = (TcpStream, Addresses, Open);

/// Accepts connections until the sender of `closed` is dropped, then those that wait in the
/// system's queue. Closing a socket would reset them, although their clients may have sent a
/// request.
async fn accept(
    socket: TcpListener,
    connections: Arc<Connections>,
    accepted: mpsc::Sender<Accepted>,
    mut closed: watch::Receiver<()>,
) {
    loop {
        let connection = tokio::select! {
            biased;
            _ = closed.changed() => break,
            connection = socket.accept() => connection,
        };
        // The runtime of a worker takes the stream over.
        let connection = connection.and_then(|(stream, remote)| Ok((stream.into_std()?, remote)));
        let (stream, remote) = match connection {
            Ok(connection) => connection,
            Err(error) => {
                pause_after(&error, &connections).await;
                continue;
            }
        };
        let Some(open) = connections.open(remote.ip()) else {
            drop(stream);
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        if !hand_over(stream, remote, open, &accepted).await {
            return;
        }
    }
    // A socket of the standard library asks the system itself. tokio's accepts only the connections
    // that its event loop already knows about.
    let Ok(socket) = socket.into_std() else { return };
    loop {
        let (stream, remote) = match socket.accept() {
            Ok(connection) => connection,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            Err(error) => {
                pause_after(&error, &connections).await;
                continue;
            }
        };
        if stream.set_nonblocking(true).is_err() {
            continue;
        }
        // The queue has room for a limited number. None of the connections that were accepted just
        // now may be closed to make room, because the request may not have been read yet.
        let open = connections.open_beyond_limit(remote.ip());
        if !hand_over(stream, remote, open, &accepted).await {
            return;
        }
    }
}

/// Logs that no connection could be accepted, and waits. The system may have no file descriptors
/// left, so an idle connection is closed.
async fn pause_after(error: &io::Error, connections: &Connections) {
    tracing::warn!(error = %Causes(error), "failed to accept a connection");
    connections.make_room();
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// Passes an accepted connection on. Returns whether more are wanted.
async fn hand_over(
    stream: TcpStream,
    remote: SocketAddr,
    open: Open,
    accepted: &mpsc::Sender<Accepted>,
) -> bool {
    // Responses are small and written at once, so delaying them gains nothing.
    let _ = stream.set_nodelay(true);
    let Ok(local) = stream.local_addr() else { return true };
    accepted.send((stream, (local, remote), open)).await.is_ok()
}

async fn respond(
    app: App,
    request: Request<Incoming>,
    (local, remote): Addresses,
    connection: Arc<Connection>,
) -> hyper::Response<Guarded<InProgress>> {
    let Some(in_progress) = connection.begin() else {
        // The task of the connection is about to end.
        return std::future::pending().await;
    };
    let addresses = (LocalAddr(local.into()), RemoteAddr(remote.into()));
    let has_body = !request.body().is_end_stream();
    let scheme = if connection.is_encrypted() { Scheme::HTTPS } else { Scheme::HTTP };
    let mut request = poem::Request::from((request, addresses.0, addresses.1, scheme));
    if has_body {
        let body = Guarded { body: request.take_body().into(), _guard: connection.receive_body() };
        let body = Discarded::new(BodyExt::boxed(body), request.headers());
        request.set_body(BodyExt::boxed(body));
    }
    let response: hyper::Response<BoxBody<_, _>> = app.get_response(request).await.into();
    // The request is in progress until hyper has taken the whole body of the response.
    response.map(|body| Guarded { body, _guard: in_progress })
}

/// A body, and a value that is dropped together with it.
struct Guarded<G> {
    body: BoxBody<Bytes, io::Error>,
    _guard: G,
}

impl<G: Unpin> Body for Guarded<G> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
