//! The API under test.

use std::net::TcpListener;

use poem::{Server, listener::TcpAcceptor};
use poem_entra::Settings;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use tokio::task::JoinHandle;

/// A running API. Dropping it stops it.
pub struct Api {
    url: String,
    client: Client,
    served: JoinHandle<()>,
}

impl Api {
    /// Starts the API on a free port.
    pub fn start(instance: &str, tenant: &str, client_id: &str) -> Self {
        let mut settings = Settings::new(tenant, client_id);
        settings.instance = instance.to_owned();
        let routes = tested_api::routes(&settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::new_with_acceptor(TcpAcceptor::from_std(listener).unwrap());
        let served = tokio::spawn(async move { server.run(routes).await.unwrap() });
        Self { url, client: Client::new(), served }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// The status of a request by the bearer of this token.
    pub async fn status(&self, method: Method, path: &str, token: &str) -> StatusCode {
        self.request(method, path).bearer_auth(token).send().await.unwrap().status()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.served.abort();
    }
}
