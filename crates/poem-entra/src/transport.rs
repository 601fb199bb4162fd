//! Fetches the authority's documents, with a size limit and timeouts.

use std::{error::Error, pin::Pin, time::Duration};

use reqwest::{Client, redirect};

/// The size of the largest discovery document or key set, in bytes.
pub const BODY_LIMIT: usize = 256 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The timeout for one document, from resolving the host to the last byte.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Fetches documents. Implement it for tests, or to reach the authority in a different way.
pub trait Transport: Send + Sync {
    /// Fetches the document at this URL and returns its body, which must have at most
    /// [`BODY_LIMIT`] bytes. It must not follow redirects, which could lead to somebody else's
    /// keys.
    fn get<'a>(&'a self, url: &'a str) -> Fetch<'a>;
}

/// The future that [`Transport::get`] returns.
pub type Fetch<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;

/// Why a document could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There was no response, or it could not be read.
    #[error("the authority could not be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// The status was not 200.
    #[error("the authority responded with {0} instead of 200")]
    Status(u16),
    /// The body has more than [`BODY_LIMIT`] bytes.
    #[error("the authority's response is larger than 256 KiB")]
    TooLarge,
}

/// Fetches documents over the network with reqwest. Redirects are not followed.
#[derive(Debug, Clone)]
pub struct HttpTransport(Client);

impl HttpTransport {
    /// Creates the client. Set `plain_http` if the authority is on this machine: CA certificates
    /// are then not needed, and proxies are not used.
    ///
    /// # Errors
    ///
    /// If `plain_http` is false and the machine has no CA certificates.
    pub fn new(plain_http: bool) -> Result<Self, reqwest::Error> {
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            // Entra never redirects, and a forged redirect could lead to other keys.
            .redirect(redirect::Policy::none());
        if plain_http {
            // A proxy cannot reach the loopback addresses of this machine.
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
