//! How the authority's documents are fetched: with bounded time and size (rule C4).

use std::{error::Error, pin::Pin, time::Duration};

use reqwest::{Client, redirect};

/// Bytes of the largest discovery document or key set.
pub const BODY_LIMIT: usize = 256 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For one document, from the name look-up to the last byte.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Fetches documents. The network comes in from outside, so that a test, or an API behind a
/// gateway of its own, can bring another one.
pub trait Transport: Send + Sync {
    /// The body of the document at this URL, of at most [`BODY_LIMIT`] bytes.
    fn get<'a>(&'a self, url: &'a str) -> Fetch<'a>;
}

/// What [`Transport::get`] returns.
pub type Fetch<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No answer, or none that could be read.
    #[error("the authority could not be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// Another status than 200.
    #[error("the authority answered {0} instead of 200")]
    Status(u16),
    /// More than [`BODY_LIMIT`] bytes.
    #[error("the authority's answer is larger than 256 KiB")]
    TooLarge,
}

/// The network, through reqwest.
#[derive(Debug, Clone)]
pub struct HttpTransport(Client);

impl HttpTransport {
    /// Makes the client. `plain_http` says that the authority is on this machine: then no
    /// certificates are needed, and a machine that has none still works.
    ///
    /// # Errors
    ///
    /// When the machine has no CA certificates and `plain_http` is false.
    pub fn new(plain_http: bool) -> Result<Self, reqwest::Error> {
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            // C4: Entra sends none, and whoever can send one could name other keys.
            .redirect(redirect::Policy::none());
        if plain_http {
            // A proxy for the outside world has no business with loopback addresses.
            builder = builder.tls_certs_only([]).no_proxy();
        }
        builder.build().map(Self)
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let mut response = self.0.get(url).header("accept", "application/json").send().await?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl Transport for HttpTransport {
    fn get<'a>(&'a self, url: &'a str) -> Fetch<'a> {
        Box::pin(self.fetch(url))
    }
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreachable(error.into())
    }
}
