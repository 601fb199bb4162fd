//! A development tenant that runs in the background.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use poem::EndpointExt;
use tokio::{
    sync::{Notify, watch},
    task::{JoinSet, spawn_blocking},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::{
    audit::Entry as AuditEntry,
    clock::{Clock, ShiftedClock, SystemClock},
    directory::{Directory, Person, is_app_id_uri, origin},
    faults::{Endpoint, FaultPlan},
    http::{self, Context, Urls},
    ids::API_CLIENT_ID,
    keys::{KeyError, KeyRing},
    options::{Options, Scheme},
    timestamp::year,
    tls::{CA_FILE, CertificateAuthority},
    tokens::{ForgeError, Forgery, Issuer, IssuerUrls},
};

use super::{
    bind::{Bound, bind},
    connections::SocketServer,
    error::{BadAppIdUri, BadRedirectUri, StartError},
};

/// How long requests may take to finish when the tenant is stopped.
const DRAIN: Duration = Duration::from_millis(500);

/// A running development tenant. Dropping it stops it without waiting for requests to finish.
pub struct DevTenant {
    context: Arc<Context>,
    ca: Option<String>,
    ca_file: Option<PathBuf>,
    stop: watch::Sender<bool>,
    servers: JoinSet<()>,
}

impl DevTenant {
    /// Starts the built-in tenant on free ports, with keys in memory: for tests. See
    /// [`Options::ephemeral`].
    ///
    /// # Errors
    ///
    /// No port is free, or the keys cannot be generated.
    pub async fn start() -> Result<Self, StartError> {
        Self::start_with(Options::ephemeral()).await
    }

    /// Binds both loopback addresses and serves in the background.
    ///
    /// On a machine without IPv6 it logs a warning and binds `127.0.0.1` only. The first start
    /// generates the signing keys, which takes a fraction of a second.
    ///
    /// # Errors
    ///
    /// A port is taken, the keys cannot be read or generated, or a redirect URI or an App ID URI is
    /// unusable.
    pub async fn start_with(options: Options) -> Result<Self, StartError> {
        if let Some(uri) = options.spa_redirect_uris.iter().find(|uri| origin(uri).is_none()) {
            return Err(BadRedirectUri { uri: uri.clone() }.into());
        }
        let directory = with_api_known_as(&options.directory, &options.api_app_id_uris)?;
        let apis = directory.apps().iter().map(|app| app.token_issuer);
        let mut issuers = apis.flatten().chain([options.access_token_issuer]);
        if options.https_port.is_none() && issuers.any(|issuer| issuer == Scheme::Https) {
            return Err(StartError::NoHttps);
        }
        let (folder, with_tls) = (options.data_dir.clone(), options.https_port.is_some());
        // A panic while generating keys would be a bug, but it must not end the caller.
        let own = options.directory.own_signing_keys();
        let (keys, tls) = spawn_blocking(move || open_keys(folder.as_deref(), &own, with_tls))
            .await
            .unwrap_or(Err(KeyError::Generate))?;
        let http = bind(options.port).await?;
        let https = match options.https_port.zip(tls) {
            Some((port, tls)) => Some((bind(port).await?, tls)),
            None => None,
        };
        let urls = Urls::new(http.port, https.as_ref().map(|(bound, _)| bound.port));
        let issuer_urls = IssuerUrls {
            default: options.access_token_issuer,
            http: urls.http.clone(),
            https: urls.https.clone(),
        };
        let clock = Arc::new(ShiftedClock::new(options.clock));
        let directory = directory.with_swagger_ui_at(&options.spa_redirect_uris);
        let issuer = Issuer::new(issuer_urls, keys, clock, directory);
        let mut tenant = Self {
            context: Arc::new(Context::new(urls, issuer)),
            ca: None,
            ca_file: options.data_dir.filter(|_| with_tls).map(|folder| folder.join(CA_FILE)),
            stop: watch::channel(false).0,
            servers: JoinSet::new(),
        };
        for warning in tenant.context.directory().warnings() {
            tracing::warn!("{warning}");
        }
        let (https, tls) = https.unzip();
        tenant.ca = tls.as_ref().map(|tls| tls.ca.clone());
        tenant.serve(http, https.zip(tls.map(|tls| tls.config)));
        tracing::warn!(
            base_url = tenant.base_url(),
            "a development tenant is running: anybody on this machine can sign in as anybody"
        );
        Ok(tenant)
    }

    fn serve(&mut self, http: Bound, https: Option<(Bound, Arc<ServerConfig>)>) {
        let endpoint = Arc::new(http::endpoint(Arc::clone(&self.context)).boxed());
        let pressure = Arc::new(Notify::new());
        let https = https.map(|(bound, config)| (bound, Some(TlsAcceptor::from(config))));
        for (bound, tls) in [(http, None)].into_iter().chain(https) {
            for socket in bound.sockets {
                let server = SocketServer {
                    endpoint: Arc::clone(&endpoint),
                    tls: tls.clone(),
                    stop: self.stop.subscribe(),
                    pressure: Arc::clone(&pressure),
                };
                self.servers.spawn(server.serve(socket));
            }
        }
    }

    /// The URL of the HTTP listener, without a trailing slash: `http://localhost:8001`.
    pub fn base_url(&self) -> &str {
        &self.context.urls.http
    }

    /// The URL of the HTTPS listener, if there is one: `https://localhost:8443`.
    pub fn https_url(&self) -> Option<&str> {
        self.context.urls.https.as_deref()
    }

    /// The certificate, in PEM, that clients of [`https_url`](Self::https_url) must trust.
    pub fn ca_certificate(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// The file with that certificate, if there is a folder for it.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// All people, in the order of the account page.
    pub fn people(&self) -> &[Arc<Person>] {
        self.context.directory().people()
    }

    /// Issues the access token that this person would get by signing in to Swagger UI. See
    /// [`access_token`](crate::access_token), which needs no running tenant.
    ///
    /// # Errors
    ///
    /// There is no such person. The error lists all people.
    pub fn access_token(&self, person: &str) -> Result<String, ForgeError> {
        self.forge(&Forgery::of(person))
    }

    /// Issues a token that no sign-in would issue, for tests of an API.
    ///
    /// # Errors
    ///
    /// The forgery names an unknown person or app.
    pub fn forge(&self, forgery: &Forgery) -> Result<String, ForgeError> {
        self.context.issuer.forge(forgery)
    }

    /// Signs with the next key from now on. With an overlap, as in Entra, the old key stays
    /// published. Without one, it is removed at once, and so are all keys that signed before it. Each
    /// app that has its own signing key gets a new one, in the same way.
    ///
    /// # Errors
    ///
    /// An RSA key could not be generated.
    pub async fn rotate_keys(&self, overlap: bool) -> Result<(), KeyError> {
        let context = Arc::clone(&self.context);
        spawn_blocking(move || context.issuer.keys.rotate(overlap))
            .await
            .unwrap_or(Err(KeyError::Generate))
    }

    /// Makes an endpoint fail from now on. `None` makes it work again.
    pub fn plan_fault(&self, endpoint: Endpoint, plan: Option<FaultPlan>) {
        self.context.faults.plan(endpoint, plan);
    }

    /// The last 200 requests, the newest first, with the reason if they were refused.
    pub fn audit(&self) -> Vec<AuditEntry> {
        self.context.audit.entries()
    }

    /// Shifts the tenant's clock: seconds ahead of [`Options::clock`], or behind if negative.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.context.issuer.clock.set_offset(seconds);
    }

    /// Stops accepting connections, and waits up to half a second for requests to finish.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let all_stopped = async { while self.servers.join_next().await.is_some() {} };
        // Dropping `self` aborts what is left.
        timeout(DRAIN, all_stopped).await.ok();
    }
}

/// The directory in which the Todo API has these App ID URIs, if there are any.
fn with_api_known_as(directory: &Directory, uris: &[String]) -> Result<Directory, BadAppIdUri> {
    if uris.is_empty() {
        return Ok(directory.clone());
    }
    let names_another =
        |uri: &str| directory.resource(uri).is_some_and(|app| app.client_id != API_CLIENT_ID);
    match uris.iter().find(|uri| !is_app_id_uri(uri) || names_another(uri)) {
        Some(uri) => Err(BadAppIdUri { uri: uri.clone() }),
        None => Ok(directory.with_api_known_as(uris)),
    }
}

/// What the HTTPS listener needs.
struct Tls {
    config: Arc<ServerConfig>,
    /// The certificate of the authority, in PEM.
    ca: String,
}

/// Opens or generates the signing keys and the certificate, in parallel.
fn open_keys(
    folder: Option<&Path>,
    own: &[String],
    with_tls: bool,
) -> Result<(KeyRing, Option<Tls>), KeyError> {
    let open_tls = || {
        let authority = CertificateAuthority::open(folder)?;
        let ca = authority.certificate.clone();
        Ok(Tls { config: authority.certify(year(SystemClock.now()))?, ca })
    };
    thread::scope(|scope| {
        let tls = with_tls.then(|| scope.spawn(open_tls));
        let keys = KeyRing::open(folder, own)?;
        let tls = tls.map(|tls| tls.join().unwrap_or(Err(KeyError::Generate))).transpose()?;
        Ok((keys, tls))
    })
}
