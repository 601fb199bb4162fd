//! Binds the loopback addresses.

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

/// Binds the same port of both loopback addresses, because browsers use either for `localhost`.
pub(super) async fn bind(port: u16) -> Result<Bound, StartError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let (v4, chosen) = listen(Ipv4Addr::LOCALHOST.into(), port).await?;
        match listen(Ipv6Addr::LOCALHOST.into(), chosen).await {
            Ok((v6, _)) => return Ok(Bound { port: chosen, sockets: vec![v4, v6] }),
            Err(StartError::Bind { source, .. })
                if source.kind() == io::ErrorKind::AddrInUse
                    && port == 0
                    && attempts < PORT_ATTEMPTS => {}
            Err(StartError::Bind { source, .. }) if has_no_ipv6(&source) => {
                tracing::warn!(%source, "no IPv6 loopback address: the development tenant uses IPv4 only");
                return Ok(Bound { port: chosen, sockets: vec![v4] });
            }
            Err(error) => return Err(error),
        }
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
