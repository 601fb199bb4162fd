//! The example of an API that uses poem-entra.

use std::net::TcpListener;

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, SWAGGER_UI_CLIENT_ID};
use poem::listener::TcpAcceptor;
use poem_entra::Settings;
use reqwest::Client;
use tokio::task::JoinHandle;

use super::{Answer, client};

/// The API in `examples/standalone-api`.
pub(crate) struct StandaloneApi {
    pub(crate) url: String,
    client: Client,
    served: JoinHandle<()>,
}

impl StandaloneApi {
    /// Starts it with this development tenant.
    pub(crate) fn start(instance: &str) -> Self {
        let mut settings = Settings::new(CONTOSO, API_CLIENT_ID);
        settings.instance = instance.to_owned();
        let routes = standalone_api::routes(&settings, SWAGGER_UI_CLIENT_ID).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = poem::Server::new_with_acceptor(TcpAcceptor::from_std(listener).unwrap());
        let served = tokio::spawn(async move { server.run(routes).await.unwrap() });
        Self { url, client: client(), served }
    }

    pub(crate) async fn list_runs(&self, token: &str) -> Answer {
        let request = self.client.get(format!("{}/runs", self.url)).bearer_auth(token);
        Answer::of(request.send().await.unwrap()).await
    }
}

impl Drop for StandaloneApi {
    fn drop(&mut self) {
        self.served.abort();
    }
}
