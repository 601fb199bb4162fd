//! A development tenant that runs in the background.

use std::{path::Path, sync::Arc, time::Duration};

use poem::EndpointExt;
use tokio::{
    sync::watch,
    task::{JoinSet, spawn_blocking},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::{
    audit::Entry as AuditEntry,
    clock::ShiftedClock,
    directory::Person,
    faults::{Endpoint, FaultPlan},
    host_name::HostNames,
    http::{self, Context, Control, Tenants, Urls},
    keys::KeyError,
    options::Options,
    tls::CA_FILE,
    tokens::{ForgeError, Forgery, Issuer, IssuerUrls},
};

use super::{
    bind::{Bound, bind},
    checks::{check_ports, check_reach, directory_of, warn_of_reach},
    connections::{Connections, SocketServer},
    error::StartError,
    open_keys::open_keys,
};

/// How long requests may take to finish when the tenant is stopped.
const DRAIN: Duration = Duration::from_millis(500);

/// A running development tenant. Dropping it stops it without waiting for requests to finish.
pub struct DevTenant {
    pub(super) tenants: Arc<Tenants>,
    pub(super) context: Arc<Context>,
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

    /// Binds both loopback addresses, and `Options::host`, and serves in the background.
    ///
    /// On a machine without IPv6 it logs a warning and binds `127.0.0.1` only. The first start
    /// generates the signing keys, which takes a fraction of a second.
    ///
    /// # Errors
    ///
    /// A port is taken, both listeners have the same port, the keys cannot be read or generated, a
    /// redirect URI, an App ID URI or the issuer of access tokens is unusable, or other machines
    /// could reach the tenant although it has no control token.
    pub async fn start_with(options: Options) -> Result<Self, StartError> {
        let names = HostNames::with(options.answer_to.clone());
        let directory = directory_of(&options)?;
        check_reach(&directory, &options, &names)?;
        check_ports(&options)?;
        let (folder, with_tls) = (options.data_dir.clone(), options.https_port.is_some());
        // A panic while generating keys would be a bug, but it must not end the caller.
        let own = options.directory.own_signing_keys();
        let permitted = names.clone();
        let open = move || open_keys(folder.as_deref(), &own, with_tls.then_some(&permitted));
        let (keys, tls) = spawn_blocking(open).await.unwrap_or(Err(KeyError::Generate))?;
        let http = bind(options.host, options.port).await?;
        let https = match options.https_port.zip(tls) {
            Some((port, tls)) => Some((bind(options.host, port).await?, tls)),
            None => None,
        };
        let urls = Urls::new(http.port, https.as_ref().map(|(bound, _)| bound.port), names);
        let issuer_urls = IssuerUrls {
            default: options.access_token_issuer.clone(),
            http: urls.http.clone(),
            https: urls.https.clone(),
        };
        let clock = Arc::new(ShiftedClock::new(options.clock));
        let issuer = Issuer::new(issuer_urls, keys, clock, directory);
        let (https, tls) = https.unzip();
        let ca_is_saved = tls.as_ref().is_some_and(|tls| tls.ca_is_saved);
        let ca = tls.as_ref().map(|tls| tls.ca.clone());
        let ca_file = options.data_dir.filter(|_| ca_is_saved);
        let ca_file = ca_file.map(|folder| folder.join(CA_FILE));
        let control = options.control_token.clone().map(Control::new);
        let context = Context::new(urls, issuer, (ca, ca_file), options.identity_header);
        let tenants = Arc::new(Tenants::new(context, control));
        let mut tenant = Self {
            context: Arc::clone(&tenants.shared),
            tenants,
            stop: watch::channel(false).0,
            servers: JoinSet::new(),
        };
        for warning in tenant.context.directory().warnings() {
            tracing::warn!("{warning}");
        }
        tenant.serve(http, https.zip(tls.map(|tls| tls.config)));
        tracing::warn!(
            base_url = tenant.base_url(),
            "a development tenant is running: anybody who can reach it can sign in as anybody"
        );
        warn_of_reach(&tenant.context.urls, options.host, options.control_token.as_ref());
        Ok(tenant)
    }

    fn serve(&mut self, http: Bound, https: Option<(Bound, Arc<ServerConfig>)>) {
        let endpoint = Arc::new(http::endpoint(Arc::clone(&self.tenants)).boxed());
        let connections = Arc::new(Connections::default());
        let https = https.map(|(bound, config)| (bound, Some(TlsAcceptor::from(config))));
        for (bound, tls) in [(http, None)].into_iter().chain(https) {
            for socket in bound.sockets {
                let server = SocketServer {
                    endpoint: Arc::clone(&endpoint),
                    tls: tls.clone(),
                    stop: self.stop.subscribe(),
                    connections: Arc::clone(&connections),
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
        self.context.ca.as_deref()
    }

    /// The file with that certificate, if there is a folder for it.
    pub fn ca_file(&self) -> Option<&Path> {
        self.context.ca_file.as_deref()
    }

    /// The names, besides the loopback ones, that it answers to, as a sentence.
    pub fn notice(&self) -> Option<String> {
        self.context.urls.notice().map(|notice| notice.to_string())
    }

    /// All people, in the order of the account page.
    pub fn people(&self) -> Vec<Arc<Person>> {
        self.context.directory().people().to_vec()
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
    /// published. Without one, it is removed at once, and so are all keys that signed before it.
    /// Each app that has its own signing key gets a new one, in the same way.
    ///
    /// # Errors
    ///
    /// An RSA key could not be generated.
    pub async fn rotate_keys(&self, overlap: bool) -> Result<(), KeyError> {
        self.context.rotate_keys(overlap).await
    }

    /// Makes an endpoint fail from now on. `None` makes it work again.
    pub fn plan_fault(&self, endpoint: Endpoint, plan: Option<FaultPlan>) {
        self.context.faults.plan(endpoint, plan);
    }

    /// The last 200 requests, newest first, with the reason if they were refused.
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
