mod bind;
mod certificate_first;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use poem::Server;
use poem::listener::{AcceptorExt, BoxAcceptor};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use self::certificate_first::CertificateFirst;
use crate::audit::Entry as AuditEntry;
use crate::clock::{Clock, ShiftedClock, SystemClock};
use crate::directory::{Person, UnknownPerson, origin};
use crate::faults::{Endpoint, FaultPlan};
use crate::http::{self, Context, Urls};
use crate::keys::{KeyError, KeyRing};
use crate::options::{Options, Scheme};
use crate::timestamp::year;
use crate::tls::{CA_FILE, CertificateAuthority};
use crate::tokens::{ForgeError, Forgery, Issuer};

/// How long requests may take to end when the tenant is stopped.
const DRAIN: Duration = Duration::from_secs(5);

/// A development tenant that is running. Dropping it stops it too, without waiting.
pub struct DevTenant {
    context: Arc<Context>,
    ca: Option<String>,
    ca_file: Option<PathBuf>,
    stop: watch::Sender<bool>,
    served: JoinSet<()>,
}

impl DevTenant {
    /// Starts the built-in tenant on free ports, with keys in memory: for tests. See
    /// [`Options::ephemeral`].
    ///
    /// # Errors
    ///
    /// The machine has no port to give or cannot make keys.
    pub async fn start() -> Result<Self, StartError> {
        Self::start_with(Options::ephemeral()).await
    }

    /// Binds both loopback addresses and serves in the background.
    ///
    /// `::1` is left out, with a warning, on a machine without IPv6. The first start makes the
    /// signing keys, which takes a part of a second.
    ///
    /// # Errors
    ///
    /// A port is taken, the keys cannot be read or made, or a redirect URI is unusable.
    pub async fn start_with(options: Options) -> Result<Self, StartError> {
        if let Some(uri) = options.spa_redirect_uris.iter().find(|uri| origin(uri).is_none()) {
            return Err(BadRedirectUri { uri: uri.clone() }.into());
        }
        let directory = options.directory.with_swagger_ui_at(&options.spa_redirect_uris);
        let (port, plain) = bind::bind(options.port).await?;
        let secure = match options.https_port {
            Some(port) => Some(bind::bind(port).await?),
            None => None,
        };
        let folder = options.data_dir.clone();
        let with_tls = secure.is_some();
        // A panic in there is a bug in key generation; it must not take the caller down.
        let (keys, authority) = spawn_blocking(move || {
            let authority = with_tls.then(|| CertificateAuthority::open(folder.as_deref()));
            Ok((KeyRing::open(folder.as_deref())?, authority.transpose()?))
        })
        .await
        .unwrap_or(Err(KeyError::Generate))?;

        let urls = Urls::new(port, secure.as_ref().map(|(port, _)| *port));
        let base_url = match options.access_token_issuer {
            Scheme::Http => urls.http.clone(),
            Scheme::Https => urls.https.clone().ok_or(StartError::NoHttps)?,
        };
        let clock = Arc::new(ShiftedClock::new(options.clock));
        let issuer = Issuer::new(base_url, keys, clock, directory);
        let context = Arc::new(Context::new(urls, issuer));

        let (stop, _) = watch::channel(false);
        let mut tenant = Self {
            context,
            ca: authority.as_ref().map(|authority| authority.certificate.clone()),
            ca_file: options.data_dir.filter(|_| with_tls).map(|folder| folder.join(CA_FILE)),
            stop,
            served: JoinSet::new(),
        };
        tenant.serve(plain);
        if let (Some((_, acceptor)), Some(authority)) = (secure, authority) {
            tenant.serve_secure(acceptor, authority);
        }
        tracing::warn!(
            base_url = tenant.base_url(),
            "a development tenant is running: anybody on this machine can sign in as anybody"
        );
        Ok(tenant)
    }

    fn serve(&mut self, acceptor: BoxAcceptor) {
        self.served.spawn(serve(acceptor, Arc::clone(&self.context), self.stop.subscribe()));
    }

    /// The certificate takes most of the time of a start, so that nobody waits for it but who
    /// connects to this listener: the system keeps them until it is there.
    fn serve_secure(&mut self, acceptor: BoxAcceptor, authority: CertificateAuthority) {
        let certified = spawn_blocking(move || authority.certify(year(SystemClock.now())));
        let context = Arc::clone(&self.context);
        let stopped = self.stop.subscribe();
        self.served.spawn(async move {
            match certified.await {
                Ok(Ok(config)) => {
                    let acceptor = CertificateFirst::on(acceptor).rustls(stream::iter([config]));
                    serve(acceptor.boxed(), context, stopped).await;
                }
                _ => tracing::error!("the development tenant cannot make a certificate: no HTTPS"),
            }
        });
    }

    /// The URL everything hangs from: `http://localhost:8001`, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.context.urls.http
    }

    /// The same over TLS, where there is a listener for it: `https://localhost:8443`.
    pub fn https_url(&self) -> Option<&str> {
        self.context.urls.https.as_deref()
    }

    /// The certificate, in PEM, that clients of [`https_url`](Self::https_url) are to trust.
    pub fn ca_certificate(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// The file with that certificate, where there is a folder for it.
    pub fn ca_file(&self) -> Option<&std::path::Path> {
        self.ca_file.as_deref()
    }

    /// Everybody who can sign in, in the order of the account page.
    pub fn people(&self) -> &[Arc<Person>] {
        self.context.directory().people()
    }

    /// The access token this person would get by signing in as Swagger UI; see
    /// [`access_token`], which needs no running tenant but a key folder.
    ///
    /// # Errors
    ///
    /// The person is not known; the error lists who is.
    pub fn access_token(&self, person: &str) -> Result<String, ForgeError> {
        self.forge(&Forgery::of(person))
    }

    /// A token for tests of what an API does with tokens that no sign-in would give.
    ///
    /// # Errors
    ///
    /// The forgery names a person or app that is not there.
    pub fn forge(&self, forgery: &Forgery) -> Result<String, ForgeError> {
        self.context.issuer.forge(forgery)
    }

    /// Lets the next key sign from now on; the key that signed so far stays published where there
    /// is an overlap, as in Entra, and is gone at once where there is none.
    ///
    /// # Errors
    ///
    /// The machine fails to make an RSA key.
    pub async fn rotate_keys(&self, overlap: bool) -> Result<(), KeyError> {
        let context = Arc::clone(&self.context);
        spawn_blocking(move || context.issuer.keys.rotate(overlap))
            .await
            .unwrap_or(Err(KeyError::Generate))
    }

    /// Lets an endpoint fail from now on; `None` lets it work again.
    pub fn plan_fault(&self, endpoint: Endpoint, plan: Option<FaultPlan>) {
        self.context.faults.plan(endpoint, plan);
    }

    /// The last 200 requests, the newest first: what was asked, and why it was refused.
    pub fn audit(&self) -> Vec<AuditEntry> {
        self.context.audit.entries()
    }

    /// Moves the tenant's clock: so many seconds ahead of [`Options::clock`], or, negative, behind.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.context.issuer.clock.set_offset(seconds);
    }

    /// Stops accepting, and waits up to 5 seconds for requests to end.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let all_served = async { while self.served.join_next().await.is_some() {} };
        // What is left is dropped, and ends with it.
        timeout(DRAIN + Duration::from_secs(1), all_served).await.ok();
    }
}

/// Serves until it is told to stop, or the tenant is dropped.
async fn serve(acceptor: BoxAcceptor, context: Arc<Context>, mut stopped: watch::Receiver<bool>) {
    let server = Server::new_with_acceptor(acceptor).name("development tenant");
    let signal = async move {
        // An error means that the tenant was dropped.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let run = server.run_with_graceful_shutdown(http::endpoint(context), signal, Some(DRAIN));
    if let Err(error) = run.await {
        tracing::error!(%error, "the development tenant stopped serving");
    }
}

/// The access token a person would get by signing in as Swagger UI with the scope
/// `access_as_user`, without a running server.
///
/// `person` is a short name (`ada`), a sign-in name or an `oid`. The keys are read from
/// `options.data_dir`, or made in it, so that a server with the same options publishes the key the
/// token was signed with. The token lives between 3600 and 5399 seconds.
///
/// # Errors
///
/// The person is not known (the error lists who is), the keys cannot be had, or the options
/// describe no server that could publish them: no folder, or port 0.
pub fn access_token(options: &Options, person: &str) -> Result<String, TokenError> {
    if options.data_dir.is_none() {
        return Err(TokenError::KeysInMemory);
    }
    let port = match options.access_token_issuer {
        Scheme::Http => options.port,
        Scheme::Https => options.https_port.unwrap_or(0),
    };
    if port == 0 {
        return Err(TokenError::AnyPort);
    }
    options.directory.person(person)?;
    let keys = KeyRing::open(options.data_dir.as_deref())?;
    let clock = Arc::new(ShiftedClock::new(Arc::clone(&options.clock)));
    let base_url = options.access_token_issuer.url(port);
    let issuer = Issuer::new(base_url, keys, clock, options.directory.clone());
    Ok(issuer.forge(&Forgery::of(person))?)
}

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The port decides the issuer, and there is none yet.
    #[error("the port must be known, since it is a part of the token's issuer")]
    AnyPort,
    /// Keys in memory are gone with this call, and nobody could verify the token.
    #[error("a folder for the keys is needed, so that a server can publish them")]
    KeysInMemory,
    /// The keys could not be read or made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The directory has no Todo API, or signing failed.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// There is no such person.
    #[error(transparent)]
    UnknownPerson(#[from] UnknownPerson),
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
    /// The signing keys, or the certificate authority, cannot be read or made.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Access tokens are to name the HTTPS listener, and there is none.
    #[error("access tokens are to be issued by the HTTPS listener, which has no port")]
    NoHttps,
    /// One of the redirect URIs cannot be registered.
    #[error(transparent)]
    RedirectUri(#[from] BadRedirectUri),
}

/// A redirect URI that cannot be registered.
#[derive(Debug, thiserror::Error)]
#[error("unusable redirect URI {uri:?}: it must be absolute, http or https, ASCII, no fragment")]
pub struct BadRedirectUri {
    uri: String,
}
