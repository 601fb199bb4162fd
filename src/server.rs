//! Assembles the server from its parts. No other module knows all of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use poem::{EndpointExt, Request, endpoint::BoxEndpoint};
use poem_entra::{Clock, Settings, Validator};
use serde_json::Value;
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use url::Url;

use crate::{
    api::{
        self,
        docs::{self, DocsSettings},
        document::DocumentSettings,
        health::HealthApi,
        http::{
            cors::Cors,
            edge::{self, Edge},
            limits::Limits,
        },
        metadata, security,
        todos::TodosApi,
    },
    config::{Config, ServerConfig},
    listener::{self, Listener, Stop},
    store::{self, Store},
    telemetry,
    workers::Workers,
};

/// A server that is ready to run.
pub struct Server {
    listener: Listener,
    workers: Workers,
    endpoint: BoxEndpoint<'static>,
    store: Store,
    /// Fetches and refreshes the signing keys.
    maintenance: JoinHandle<()>,
    drain_timeout: Duration,
    /// Whether the server is shutting down, for the health checks.
    stopping: Arc<AtomicBool>,
}

impl Server {
    /// Assembles the server: opens the store and starts to fetch the signing keys, without waiting
    /// for them.
    ///
    /// # Errors
    ///
    /// [`StartError`] says which part failed.
    pub async fn new(
        config: &Config,
        listener: Listener,
        workers: Workers,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let url = config.server.public_url.clone().unwrap_or_else(|| listener.url());
        let settings = Settings { resource: Some(url.clone()), ..config.entra.clone() };
        let validator = Validator::builder(settings).clock(Arc::clone(&clock)).build()?;
        let validator = Arc::new(validator);
        let store = store::open(&config.database, workers.threads(), Arc::new(move || clock.now()));
        let store = store.await?;
        let stopping = Arc::<AtomicBool>::default();
        let health = HealthApi {
            validator: Arc::clone(&validator),
            store: Arc::clone(&store),
            stopping: Arc::clone(&stopping),
        };
        let endpoint = endpoint(config, &url, health);
        let ServerConfig { max_connections, trusted_proxies, drain_timeout, .. } = &config.server;
        let listener = listener.with_limits(*max_connections, trusted_proxies.clone());
        let (maintenance, drain_timeout) = (validator.maintain(), *drain_timeout);
        Ok(Self { listener, workers, endpoint, store, maintenance, drain_timeout, stopping })
    }

    /// The endpoint of all paths, with all layers. It answers requests without a connection.
    pub fn endpoint(&self) -> &BoxEndpoint<'static> {
        &self.endpoint
    }

    /// The URL of the server: `http://{host}:{port}`, or `https` if it has a certificate.
    pub fn url(&self) -> String {
        self.listener.url()
    }

    /// Serves until `stop` completes, then shuts down gracefully: reports that it is not ready,
    /// lets the requests in progress complete for at most `DRAIN_TIMEOUT`, and closes the store.
    ///
    /// `stop` returns a second future. If that completes before the requests, this method stops
    /// waiting for them and returns within a second. They run on until then. Changes that were
    /// reported as successful are on disk already.
    pub async fn run<C: Future<Output = ()>>(self, stop: impl Future<Output = (Stop, C)>) {
        // The requests that are cut off may still get their responses while the store closes.
        let _workers = self.workers.clone();
        let (begin, begun) = oneshot::channel();
        let cut_off = async {
            let (stop, cut_off) = stop.await;
            self.stopping.store(true, Ordering::Relaxed);
            // The receiver exists as long as the listener serves.
            let _ = begin.send(stop);
            cut_off.await;
        };
        let begun = async { begun.await.unwrap_or(Stop::AtOnce) };
        let shutdown = async {
            self.listener.serve(self.endpoint, self.workers, self.drain_timeout, begun).await;
            self.maintenance.abort();
            self.store.close().await;
        };
        tokio::select! {
            () = shutdown => {}
            () = cut_off => {
                tracing::warn!(
                    "ending because of a second signal, without waiting for requests in progress"
                );
                self.maintenance.abort();
                let _ = timeout(CUT_OFF_TIMEOUT, self.store.close()).await;
            }
        }
    }
}

/// How long the store may take to close after a second signal. Usually it takes milliseconds,
/// but another process may have locked the database.
const CUT_OFF_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The validator rejected its settings, or could not create its HTTP client.
    #[error("failed to prepare the validation of tokens")]
    Validator(#[from] poem_entra::StartError),
    /// The store could not be opened.
    #[error(transparent)]
    Store(#[from] store::OpenError),
    /// The OpenAPI document could not be written.
    #[error("failed to write the OpenAPI document")]
    Document(#[from] serde_json::Error),
}

/// The OpenAPI document for these settings, as the server would publish it.
///
/// # Errors
///
/// [`StartError`] says which part failed.
pub fn document(config: &Config) -> Result<Value, StartError> {
    let validator = Validator::builder(config.entra.clone()).build()?;
    let ServerConfig { host, port, public_url, tls, .. } = &config.server;
    let url = public_url.clone().unwrap_or_else(|| listener::url(host, *port, tls.as_ref()));
    Ok(api::document(&document_settings(&validator, &url))?)
}

fn document_settings(validator: &Validator, url: &str) -> DocumentSettings {
    DocumentSettings {
        server: url.to_owned(),
        authority: validator.authority().url(),
        app_id_uri: validator.challenge().app_id_uri.clone(),
    }
}

/// The layers, from the outside in: the log line, the edge, the routes.
fn endpoint(config: &Config, public_url: &str, health: HealthApi) -> BoxEndpoint<'static> {
    let (validator, store) = (Arc::clone(&health.validator), Arc::clone(&health.store));
    let scope = validator.challenge().full_scope(security::ACCESS_AS_USER);
    let settings = document_settings(&validator, public_url);
    let document = move || serde_json::to_vec(&api::document(&settings)?);
    let authority = validator.authority();
    let docs_settings = DocsSettings {
        client_id: config.swagger_ui_client_id.clone(),
        scope,
        authority_origin: authority.origin(),
    };
    let todos = TodosApi { store: Arc::clone(&store), base: path(public_url) };
    let mut pages = docs::pages(&docs_settings, document);
    if let Some(metadata) = validator.resource_metadata(&[security::ACCESS_AS_USER]) {
        pages = metadata::add_to(pages, &metadata);
    }
    let routes = api::endpoint(todos, health, pages);
    let ServerConfig { cors_origins, cors_headers, trusted_proxies, rate_limit, tls, .. } =
        &config.server;
    let edge = Arc::new(Edge {
        limits: Limits::new(trusted_proxies.clone(), *rate_limit),
        cors: Cors::new(cors_origins, cors_headers),
        requires_tls: tls.is_some(),
        explains_refusals: config.server.explains_refusals,
    });
    let edge = move |next, mut request: Request| {
        // Not with `data()`: each of its layers copies the request and the future around it.
        request.set_data(Arc::clone(&validator));
        request.set_data(Arc::clone(&store));
        edge::around_routes(Arc::clone(&edge), next, request)
    };
    routes.around(edge).around(telemetry::trace).boxed()
}

/// The path of a URL, without a slash at the end.
fn path(url: &str) -> String {
    let path = Url::parse(url).map(|url| url.path().trim_end_matches('/').to_owned());
    path.unwrap_or_default()
}
