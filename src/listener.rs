//! Accepts connections. Limits how many there are, how long they may be idle, and how large a
//! request header may be.
//!
//! poem's own server waits forever for a header that never ends, and so does its graceful shutdown.
//! For this reason poem's endpoint runs under hyper here, with limits.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use poem::{
    Endpoint,
    endpoint::BoxEndpoint,
    http::uri::Scheme,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_io_timeout::TimeoutStream;

use crate::causes::Causes;

/// The maximum number of connections. The same number may wait in the system's queue, if the system
/// allows it (`net.core.somaxconn`).
const CONNECTION_LIMIT: u16 = 4_096;
/// The time limit for sending a request header, and for being idle between two requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a client may take to read the next part of a response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The size of the largest header that is read, in bytes. A header above the API's own limit but
/// below this one gets a problem document. A larger header gets hyper's 431 without a body.
const HEADER_BUFFER: usize = 1_280 * 1024;
/// How long requests in progress may take to complete when the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How many times another free port is tried.
const PORT_ATTEMPTS: u32 = 16;
/// The pause after a failed accept, for example when the system has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The sockets that the server listens on.
pub struct Listener {
    sockets: Vec<TcpListener>,
    host: String,
    port: u16,
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
                    return Ok(Self { sockets, host: host.to_owned(), port });
                }
            }
        }
    }

    /// The URL of the server: `http://{host}:{port}`.
    pub fn url(&self) -> String {
        url(&self.host, self.port)
    }

    /// Serves until `stop` completes, then waits for requests in progress, up to a time limit.
    pub async fn serve(self, endpoint: BoxEndpoint<'static>, stop: impl Future<Output = ()>) {
        let endpoint: App = Arc::new(endpoint);
        let graceful = GracefulShutdown::new();
        let permits = Arc::new(Semaphore::new(CONNECTION_LIMIT.into()));
        let (accepted, mut connections) = mpsc::channel(1);
        let mut accepting = JoinSet::new();
        for socket in self.sockets {
            accepting.spawn(accept(socket, Arc::clone(&permits), accepted.clone()));
        }
        tokio::pin!(stop);
        loop {
            let (stream, addresses, permit) = tokio::select! {
                Some(connection) = connections.recv() => connection,
                () = &mut stop => break,
            };
            let app = Arc::clone(&endpoint);
            let service = service_fn(move |request| respond(Arc::clone(&app), request, addresses));
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(WRITE_TIMEOUT));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                // A client may close its sending half and still wait for the response. A client
                // that has closed the whole connection looks the same, so its request is completed
                // too.
                .half_close(true)
                .header_read_timeout(HEADER_TIMEOUT)
                .max_buf_size(HEADER_BUFFER)
                .serve_connection(TokioIo::new(Box::pin(stream)), service);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                // A client may close its connection at any time, so this is not a warning.
                if let Err(error) = connection.await {
                    tracing::debug!(error = %Causes(&error), "connection ended");
                }
                drop(permit);
            });
        }
        accepting.shutdown().await;
        if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests in progress were cut off because they took too long");
        }
    }
}

/// The URL of a server that listens on this name or address. A wildcard address is not one that
/// clients can send requests to; `localhost` is one of its addresses.
pub fn url(host: &str, port: u16) -> String {
    match host.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() => format!("http://localhost:{port}"),
        Ok(IpAddr::V6(address)) => format!("http://[{address}]:{port}"),
        _ => format!("http://{host}:{port}"),
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
    socket.listen(CONNECTION_LIMIT.into())
}

type App = Arc<BoxEndpoint<'static>>;
type Addresses = (SocketAddr, SocketAddr);
type Permit = tokio::sync::OwnedSemaphorePermit;

async fn accept(
    socket: TcpListener,
    permits: Arc<Semaphore>,
    accepted: mpsc::Sender<(TcpStream, Addresses, Permit)>,
) {
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let (stream, remote) = match socket.accept().await {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "failed to accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Responses are small and written at once, so delaying them gains nothing.
        let _ = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else { continue };
        if accepted.send((stream, (local, remote), permit)).await.is_err() {
            return;
        }
    }
}

async fn respond(
    app: App,
    request: Request<Incoming>,
    (local, remote): Addresses,
) -> Result<hyper::Response<BoxBody<Bytes, io::Error>>, Infallible> {
    let addresses = (LocalAddr(local.into()), RemoteAddr(remote.into()));
    let request = poem::Request::from((request, addresses.0, addresses.1, Scheme::HTTP));
    Ok(app.get_response(request).await.into())
}
