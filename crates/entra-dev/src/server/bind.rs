//! Binds the loopback addresses and, on request, another one.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::TcpListener;

use super::error::StartError;

/// How many free ports are tried until one is free on all addresses.
const PORT_ATTEMPTS: u32 = 16;

/// The sockets of a listener. They have the same port.
pub(super) struct Bound {
    pub(super) port: u16,
    pub(super) sockets: Vec<TcpListener>,
}

/// Binds the same port of both loopback addresses, because browsers use either for `localhost`, and
/// of this address.
pub(super) async fn bind(host: Option<IpAddr>, port: u16) -> Result<Bound, StartError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match bind_all(host, port).await {
            // A port that is free on one address may be in use on another.
            Err(StartError::Bind { source, .. })
                if source.kind() == io::ErrorKind::AddrInUse
                    && port == 0
                    && attempts < PORT_ATTEMPTS => {}
            bound => return bound,
        }
    }
}

async fn bind_all(host: Option<IpAddr>, port: u16) -> Result<Bound, StartError> {
    let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
    let mut bound = Bound { port, sockets: Vec::new() };
    // An unspecified address includes the loopback one of its family, so it comes first.
    for ip in host.into_iter().chain(loopback) {
        if bound.includes(ip) {
            continue;
        }
        match listen(ip, bound.port).await {
            Ok((socket, port)) => {
                bound.port = port;
                bound.sockets.push(socket);
            }
            Err(StartError::Bind { source, .. })
                if host != Some(ip) && ip.is_ipv6() && has_no_ipv6(&source) =>
            {
                tracing::warn!(%source, "no IPv6 loopback address: the development tenant uses IPv4 only");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(bound)
}

impl Bound {
    /// Whether connections to this address already arrive. Linux also accepts IPv4 at `::`, unless
    /// it is configured otherwise.
    fn includes(&self, ip: IpAddr) -> bool {
        let addresses = self.sockets.iter().filter_map(|socket| socket.local_addr().ok());
        addresses.map(|address| address.ip()).any(|bound| {
            bound == ip
                || (bound.is_unspecified() && (bound.is_ipv6() || bound.is_ipv4() == ip.is_ipv4()))
        })
    }
}

async fn listen(ip: IpAddr, port: u16) -> Result<(TcpListener, u16), StartError> {
    let address = SocketAddr::new(ip, port);
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    };
    bound.await.map_err(|source| StartError::Bind { address, source })
}

/// Whether the error means that the machine has no IPv6 address. The two excluded kinds are about
/// the port.
fn has_no_ipv6(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}
