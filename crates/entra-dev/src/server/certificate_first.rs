use std::io;

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::task::yield_now;

/// Hands out no connection before poem's TLS acceptor has had a look at the certificate: it takes
/// whichever of the two is ready, by chance, and drops a connection that it has no certificate for.
pub(super) struct CertificateFirst<A> {
    inner: A,
    has_waited: bool,
}

impl<A> CertificateFirst<A> {
    pub(super) fn on(inner: A) -> Self {
        Self { inner, has_waited: false }
    }
}

impl<A: Acceptor> Acceptor for CertificateFirst<A> {
    type Io = A::Io;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.inner.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        if !self.has_waited {
            self.has_waited = true;
            yield_now().await;
        }
        self.inner.accept().await
    }
}
