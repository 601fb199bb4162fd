//! Asks a server on this machine how it is.

use std::time::Duration;

use reqwest::Client;
use serde_json::Value;

/// The timeout for a response, in which the server checks its database.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Returns the status and the body of the response to `GET` at this URL. The body is null if it is
/// not JSON. No proxy is used, because none could reach this machine. Any certificate is accepted:
/// the server's is for the name that clients use, and the request contains nothing secret.
///
/// # Errors
///
/// If the server does not respond.
pub(super) async fn get(url: &str) -> Result<(u16, Value), reqwest::Error> {
    let client = Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        .tls_certs_only([])
        .tls_danger_accept_invalid_certs(true)
        .build()?;
    // The caller's error contains the URL.
    let response = client.get(url).send().await.map_err(reqwest::Error::without_url)?;
    let status = response.status().as_u16();
    let body = response.bytes().await?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}
