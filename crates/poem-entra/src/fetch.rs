//! Fetches a document with bounded time and size (rule C4).

use std::time::Duration;

use reqwest::{Client, redirect};
use url::Url;

/// Bytes of a discovery document or key set.
pub(crate) const BODY_LIMIT: usize = 256 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// For one document, from the name look-up to the last byte.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);
const REDIRECTS: usize = 3;

/// The HTTP client for an authority's documents.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher(Client);

impl Fetcher {
    /// Makes the client. `plain_http` says that the authority is on this machine: then no
    /// certificates are needed, and a machine that has none still works.
    pub(crate) fn new(plain_http: bool) -> Result<Self, reqwest::Error> {
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .redirect(redirect::Policy::custom(same_scheme));
        if plain_http {
            // A proxy for the outside world has no business with loopback addresses.
            builder = builder.tls_certs_only([]).no_proxy();
        }
        builder.build().map(Self)
    }

    /// The body of a 200 answer of at most [`BODY_LIMIT`] bytes.
    pub(crate) async fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
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

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the authority could not be reached")]
    Transport(#[from] reqwest::Error),
    #[error("the authority answered {0} instead of 200")]
    Status(u16),
    #[error("the authority's answer is larger than 256 KiB")]
    TooLarge,
}

fn same_scheme(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let same = |previous: &Url| previous.scheme() == attempt.url().scheme();
    if attempt.previous().len() > REDIRECTS || !attempt.previous().iter().all(same) {
        attempt.stop()
    } else {
        attempt.follow()
    }
}
