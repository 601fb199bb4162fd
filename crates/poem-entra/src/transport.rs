//! Fetches the authority's documents, with a size limit and timeouts.

use std::{
    error::Error,
    io::{self, Read},
    pin::Pin,
    time::{Duration, UNIX_EPOCH},
};

use flate2::read::MultiGzDecoder;
use reqwest::{Client, StatusCode, header, redirect};

/// The size of the largest discovery document or key set, in bytes.
pub const BODY_LIMIT: usize = 256 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The timeout for one document, from resolving the host to the last byte.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Fetches documents. Implement it for tests, or to reach the authority in a different way.
pub trait Transport: Send + Sync {
    /// Fetches the document at this URL and returns its decoded body, which must have at most
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
    /// The status was not 200, and the response says when to try again (`Retry-After`).
    #[error("the authority responded with {status} and asks to wait {seconds} s")]
    RetryAfter {
        /// The status.
        status: u16,
        /// How many seconds to wait.
        seconds: u64,
    },
    /// The body has a content coding other than gzip, although none was requested.
    #[error("the authority's response has the unknown content coding {0:?}")]
    Coding(String),
    /// The body is not valid gzip, although its content coding is gzip.
    #[error("the authority's response is not valid gzip")]
    Gzip(#[source] io::Error),
    /// The body has more than [`BODY_LIMIT`] bytes, as it was sent or after decoding.
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

    /// Fetches the document, as [`Transport::get`] does. Also returns the authority's time, if the
    /// response has it.
    pub(crate) async fn fetch(&self, url: &str) -> Result<(Vec<u8>, Option<u64>), FetchError> {
        let request = self.0.get(url).header(header::ACCEPT, "application/json");
        // Without this field, a gateway may compress its response (RFC 9110, section 12.5.3).
        let mut response = request.header(header::ACCEPT_ENCODING, "identity").send().await?;
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            return Err(match retry_after(response.headers()) {
                Some(seconds) => FetchError::RetryAfter { status, seconds },
                None => FetchError::Status(status),
            });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let body = match content_coding(response.headers()).as_str() {
            "" | "identity" => body,
            // Some gateways compress all the same. `x-gzip` is the same coding (RFC 9110, 8.4.1.3).
            "gzip" | "x-gzip" => unzip(&body)?,
            other => return Err(FetchError::Coding(other.to_owned())),
        };
        Ok((body, date(response.headers())))
    }
}

impl Transport for HttpTransport {
    fn get<'a>(&'a self, url: &'a str) -> Fetch<'a> {
        Box::pin(async move { Ok(self.fetch(url).await?.0) })
    }
}

impl From<reqwest::Error> for FetchError {
    fn from(error: reqwest::Error) -> Self {
        // The caller's error already contains the URL.
        Self::Unreachable(error.without_url().into())
    }
}

/// The seconds until the time in `Retry-After` (RFC 9110, section 10.2.3). A date is compared with
/// the authority's own clock, in `Date`.
fn retry_after(headers: &header::HeaderMap) -> Option<u64> {
    let text = |name| headers.get(name)?.to_str().ok();
    let value = text(header::RETRY_AFTER)?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().unwrap_or(u64::MAX));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(text(header::DATE)?).ok()?;
    until.duration_since(now).ok().map(|wait| wait.as_secs())
}

/// The time of the response in seconds since 1970 (`Date`; RFC 9110, section 6.6.1).
fn date(headers: &header::HeaderMap) -> Option<u64> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let since_1970 = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(since_1970.as_secs())
}

/// The codings of the body in lower case, separated by commas.
fn content_coding(headers: &header::HeaderMap) -> String {
    let fields = headers.get_all(header::CONTENT_ENCODING).into_iter();
    let codings: Vec<_> = fields.map(|field| String::from_utf8_lossy(field.as_bytes())).collect();
    codings.join(", ").trim().to_ascii_lowercase()
}

/// Decodes gzip, but no more than the limit: a small body can expand to a huge one.
fn unzip(body: &[u8]) -> Result<Vec<u8>, FetchError> {
    let mut decoded = Vec::new();
    let mut decoder = MultiGzDecoder::new(body).take(BODY_LIMIT as u64 + 1);
    decoder.read_to_end(&mut decoded).map_err(FetchError::Gzip)?;
    if decoded.len() > BODY_LIMIT { Err(FetchError::TooLarge) } else { Ok(decoded) }
}
