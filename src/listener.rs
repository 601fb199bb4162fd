//! Connections: bounded in number, in the time they may take and in what they may send.
//!
//! poem's own server waits for ever for a header that never ends, and so does its graceful stop;
//! here poem's endpoint runs under hyper with limits.

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

use crate::telemetry::Causes;

/// Connections served at once; as many again wait in the system's queue, if the system allows it
/// (`net.core.somaxconn`).
const CONNECTION_LIMIT: u16 = 4_096;
/// How long a connection may take to send a header, or stay idle between two requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a caller may leave us waiting to take more of an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of the largest header that is read at all. What is larger than the API's own limit but
/// smaller than this one gets a problem document; what is larger gets hyper's bare 431.
const HEADER_BUFFER: usize = 1_280 * 1024;
/// How long requests under way may take to end when the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How often another free port is tried.
const PORT_ATTEMPTS: u32 = 16;
/// How long accepting rests when the system is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Sockets that listen, before anything is served.
pub struct Listener {
    sockets: Vec<TcpListener>,
    host: String,
    port: u16,
}

impl Listener {
    /// Binds a name or an address; `localhost` binds both loopback addresses, whichever of them
    /// this machine has. Port 0 is any free port.
    ///
    /// # Errors
    ///
    /// What the system says when it cannot be done, such as a port in use.
    pub async fn bind(host: &str, port: u16) -> io::Result<Self> {
        let addresses: BTreeSet<SocketAddr> = match host {
            "localhost" => {
                let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
                loopback.map(|address| (address, port).into()).into()
            }
            // Once each, whatever the system's list of hosts says.
            _ => tokio::net::lookup_host((host, port)).await?.collect::<BTreeSet<_>>(),
        };
        let mut attempts = 0..PORT_ATTEMPTS;
        loop {
            match bind_all(&addresses) {
                // The free port of one address may be taken at the other.
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

    /// Where to point a browser: `http://{host}:{port}`.
    pub fn url(&self) -> String {
        match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("http://[{address}]:{}", self.port),
            _ => format!("http://{}:{}", self.host, self.port),
        }
    }

    /// Serves until `stop`, then lets requests under way end, for a bounded time.
    pub async fn serve(self, endpoint: BoxEndpoint<'static>, stop: impl Future<Output = ()>) {
        let endpoint: App = Arc::new(endpoint);
        let graceful = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(CONNECTION_LIMIT.into()));
        let (accepted, mut connections) = mpsc::channel(1);
        let mut accepting = JoinSet::new();
        for socket in self.sockets {
            accepting.spawn(accept(socket, Arc::clone(&places), accepted.clone()));
        }
        tokio::pin!(stop);
        loop {
            let (stream, addresses, place) = tokio::select! {
                Some(connection) = connections.recv() => connection,
                () = &mut stop => break,
            };
            let app = Arc::clone(&endpoint);
            let service = service_fn(move |request| respond(Arc::clone(&app), request, addresses));
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(WRITE_TIMEOUT));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                // Who has sent all may say so, and still waits for the answer. Who has hung up
                // looks the same: what was asked for is done.
                .half_close(true)
                .header_read_timeout(HEADER_TIMEOUT)
                .max_buf_size(HEADER_BUFFER)
                .serve_connection(TokioIo::new(Box::pin(stream)), service);
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                // A caller who hangs up in the middle is nobody's fault.
                if let Err(error) = connection.await {
                    tracing::debug!(error = %Causes(&error), "connection ended");
                }
                drop(place);
            });
        }
        accepting.shutdown().await;
        if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
            tracing::warn!("requests were still under way when the time to stop was over");
        }
    }
}

/// Sockets on the same port of all these addresses that the machine has.
fn bind_all(addresses: &BTreeSet<SocketAddr>) -> io::Result<(Vec<TcpListener>, u16)> {
    let mut sockets = Vec::new();
    let mut port = None;
    let mut absent = None;
    for address in addresses {
        match listen((address.ip(), port.unwrap_or(address.port())).into()) {
            Ok(socket) => {
                port = Some(socket.local_addr()?.port());
                sockets.push(socket);
            }
            // A machine may lack one of the two protocols, but a port in use is in use.
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => absent = Some(error),
            Err(error) => return Err(error),
        }
    }
    let nothing = || io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    match port {
        Some(port) => Ok((sockets, port)),
        None => Err(absent.unwrap_or_else(nothing)),
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Connections of a server that has just ended are no obstacle.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(CONNECTION_LIMIT.into())
}

type App = Arc<BoxEndpoint<'static>>;
type Addresses = (SocketAddr, SocketAddr);
type Place = tokio::sync::OwnedSemaphorePermit;

async fn accept(
    socket: TcpListener,
    places: Arc<Semaphore>,
    accepted: mpsc::Sender<(TcpStream, Addresses, Place)>,
) {
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (stream, remote) = match socket.accept().await {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(error = %Causes(&error), "failed to accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Answers are small and complete: nothing is gained by waiting for more.
        let _ = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else { continue };
        if accepted.send((stream, (local, remote), place)).await.is_err() {
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
