use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use poem::Server;
use poem::listener::{AcceptorExt, BoxAcceptor, TcpAcceptor};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use crate::apps::{Apps, BadRedirectUri};
use crate::codes::Codes;
use crate::http::{self, Context};
use crate::issuer::{Issuer, TokenError, base_url};
use crate::keys::{KeyError, KeySet};
use crate::options::Options;
use crate::people::{self, Person, people};

/// How long requests may take to end when the tenant is stopped.
const DRAIN: Duration = Duration::from_secs(5);

/// A development tenant that is running. Dropping it stops it too, without waiting.
pub struct DevTenant {
    context: Arc<Context>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl DevTenant {
    /// Binds both loopback addresses and serves in a background task.
    ///
    /// `::1` is left out, with a warning, on a machine without IPv6. The first start makes the
    /// signing keys, which takes a second or so.
    ///
    /// # Errors
    ///
    /// The port is taken, the keys cannot be read or made, or a redirect URI is unusable.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let apps = Apps::new(&options.spa_redirect_uris)?;
        let (port, acceptor) = bind(options.port).await?;
        let folder = options.data_dir;
        // A panic in there is a bug in key generation; it must not take the caller down.
        let keys = spawn_blocking(move || KeySet::open(folder.as_deref()))
            .await
            .unwrap_or(Err(KeyError::Generate))?;
        let issuer = Issuer::new(base_url(port), keys, options.clock);
        let context = Arc::new(Context { issuer, apps, codes: Codes::default() });

        let (stop, stopped) = oneshot::channel::<()>();
        let endpoint = http::endpoint(Arc::clone(&context));
        let served = tokio::spawn(async move {
            let server = Server::new_with_acceptor(acceptor).name("development tenant");
            let signal = async { stopped.await.unwrap_or(()) };
            if let Err(error) =
                server.run_with_graceful_shutdown(endpoint, signal, Some(DRAIN)).await
            {
                tracing::error!(%error, "the development tenant stopped serving");
            }
        });
        tracing::warn!(
            base_url = context.issuer.base_url(),
            "a development tenant is running: anybody on this machine can sign in as anybody"
        );
        Ok(Self { context, stop, served })
    }

    /// The URL everything hangs from: `http://localhost:8001`, without a trailing slash.
    pub fn base_url(&self) -> &str {
        self.context.issuer.base_url()
    }

    /// Everybody who can sign in, in the order of the account page.
    pub fn people(&self) -> &[Person] {
        people()
    }

    /// The access token this person would get by signing in as Swagger UI; see
    /// [`access_token`](crate::access_token), which needs no running tenant but a key folder.
    ///
    /// # Errors
    ///
    /// The person is not known; the error lists who is.
    pub fn access_token(&self, person: &str) -> Result<String, TokenError> {
        Ok(self.context.issuer.access_token_for_swagger_ui(people::find(person)?)?)
    }

    /// A token with exactly these claims, signed with the key that vouches for work and school
    /// accounts: for tests of what an API does with tokens that no sign-in would give.
    ///
    /// # Errors
    ///
    /// Signing failed, which means that the machine is out of order.
    pub fn forge(&self, claims: &serde_json::Value) -> Result<String, TokenError> {
        Ok(self.context.issuer.forge(claims)?)
    }

    /// Stops accepting, and waits up to 5 seconds for requests to end.
    pub async fn stop(self) {
        let Self { context: _, stop, served } = self;
        // The receiver is gone only when the server has ended by itself.
        stop.send(()).ok();
        let abort = served.abort_handle();
        if timeout(DRAIN + Duration::from_secs(1), served).await.is_err() {
            abort.abort();
        }
    }
}

/// Why a development tenant does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken or may not be used.
    #[error("failed to listen on {address}; is another development tenant running?")]
    Bind {
        /// The loopback address and port.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The signing keys cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// One of the redirect URIs cannot be registered.
    #[error(transparent)]
    RedirectUri(#[from] BadRedirectUri),
}

/// How often another free port is tried when `::1` has no room on the one IPv4 got.
const PORT_ATTEMPTS: u32 = 16;

/// Listens on the same port of both loopback addresses; browsers try either for `localhost`.
async fn bind(port: u16) -> Result<(u16, BoxAcceptor), StartError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let (v4, chosen) = listen(Ipv4Addr::LOCALHOST.into(), port).await?;
        match listen(Ipv6Addr::LOCALHOST.into(), chosen).await {
            Ok((v6, _)) => return Ok((chosen, v4.combine(v6).boxed())),
            Err(StartError::Bind { source, .. })
                if source.kind() == io::ErrorKind::AddrInUse
                    && port == 0
                    && attempts < PORT_ATTEMPTS => {}
            Err(StartError::Bind { source, .. }) if has_no_ipv6(&source) => {
                tracing::warn!(%source, "no IPv6 loopback: the development tenant is IPv4 only");
                return Ok((chosen, v4.boxed()));
            }
            Err(error) => return Err(error),
        }
    }
}

async fn listen(ip: IpAddr, port: u16) -> Result<(TcpAcceptor, u16), StartError> {
    let address = SocketAddr::new(ip, port);
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let port = listener.local_addr()?.port();
        Ok((TcpAcceptor::from_tokio(listener)?, port))
    };
    bound.await.map_err(|source| StartError::Bind { address, source })
}

/// Whether the error says that the machine has no such address, rather than no such port to give.
fn has_no_ipv6(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}
