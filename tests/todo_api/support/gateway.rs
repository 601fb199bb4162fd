//! An authority in front of the development tenant, as a gateway is.

use std::sync::Arc;

use poem::{
    Request, Response, Route, Server,
    endpoint::make_sync,
    listener::{Listener, TcpListener},
};
use reqwest::Url;
use serde_json::Value;
use tokio::task::AbortHandle;

use super::free_ports;

/// A document of the tenant. In the discovery document, `jwks_uri` leads to the gateway.
#[derive(Clone)]
pub(crate) struct Document {
    /// `openid-configuration` or `keys`.
    pub(crate) name: &'static str,
    pub(crate) body: Value,
    /// Its URL at the tenant.
    pub(crate) url: Url,
}

/// Starts a gateway to this tenant and returns its URL. It responds to requests for the discovery
/// document and the keys of Contoso, and stops with the test's runtime.
pub(crate) async fn gateway(
    tenant: &str,
    respond: impl Fn(&Request, Document) -> Response + Send + Sync + 'static,
) -> String {
    let [port] = free_ports();
    gateway_at(port, tenant, respond).await;
    format!("http://127.0.0.1:{port}")
}

/// Starts a gateway on this port. It stops when the task is aborted.
pub(super) async fn gateway_at(
    port: u16,
    tenant: &str,
    respond: impl Fn(&Request, Document) -> Response + Send + Sync + 'static,
) -> AbortHandle {
    let address = format!("127.0.0.1:{port}");
    let acceptor = TcpListener::bind(&address).into_acceptor().await.unwrap();
    let base = format!("http://{address}");
    let path = format!("/{}/v2.0/.well-known/openid-configuration", entra_dev::ids::CONTOSO);
    let mut discovery = fetch("openid-configuration", &format!("{tenant}{path}")).await;
    let keys = fetch("keys", discovery.body["jwks_uri"].as_str().unwrap()).await;
    discovery.body["jwks_uri"] = format!("{base}/keys").into();
    let respond = Arc::new(respond);
    let endpoint = |document: Document| {
        let respond = Arc::clone(&respond);
        make_sync(move |request: Request| respond(&request, document.clone()))
    };
    let routes = Route::new().at(path, endpoint(discovery)).at("/keys", endpoint(keys));
    tokio::spawn(Server::new_with_acceptor(acceptor).run(routes)).abort_handle()
}

async fn fetch(name: &'static str, url: &str) -> Document {
    let body = reqwest::get(url).await.unwrap().json().await.unwrap();
    Document { name, body, url: Url::parse(url).unwrap() }
}
