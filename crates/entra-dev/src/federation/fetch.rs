//! Fetches the metadata and the key set of a foreign issuer.

use std::{error::Error, sync::OnceLock, time::Duration};

use reqwest::{Client, StatusCode, header::ACCEPT, redirect};
use serde::Deserialize;
use url::Url;

use crate::{
    directory::{is_on_this_machine, may_be_fetched},
    object::Object,
};

use super::issuer_key::IssuerKeys;

/// The timeout for the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The timeout for each of the two documents.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The size limit for each of them, in bytes.
const BODY_LIMIT: usize = 256 * 1024;

/// The HTTP clients. They are created when they are needed first, because that reads the
/// certificates of the system.
#[derive(Debug, Default)]
pub(crate) struct Fetcher {
    /// For issuers on this machine, without a proxy.
    local: OnceLock<Client>,
    public: OnceLock<Client>,
}

/// Why the keys of an issuer could not be fetched. The text is part of the error response.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0} cannot be reached{1}")]
    Unreachable(String, String),
    #[error("{0} responds with the status {1}")]
    Status(String, u16),
    #[error("{0} is larger than 256 KiB")]
    TooLarge(String),
    #[error("{0} is not the metadata of an issuer: it needs 'issuer' and 'jwks_uri'")]
    NoMetadata(String),
    #[error("the metadata of {expected} name another issuer: {found}")]
    OtherIssuer { expected: String, found: String },
    #[error("the 'jwks_uri' {0} must have https or, if the issuer is on this machine, http")]
    KeysElsewhere(String),
    #[error("{0} is not a key set")]
    NoKeySet(String),
}

/// The metadata (OpenID Connect Discovery, section 3).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl Fetcher {
    /// Fetches the keys of an issuer, which must be one that the directory names.
    pub(super) async fn keys_of(&self, issuer: &str) -> Result<IssuerKeys, FetchError> {
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let body = self.get(&url).await?;
        let Object::<Metadata>(metadata) =
            serde_json::from_slice(&body).map_err(|_| FetchError::NoMetadata(url))?;
        if metadata.issuer != issuer {
            let expected = issuer.to_owned();
            return Err(FetchError::OtherIssuer { expected, found: shortened(&metadata.issuer) });
        }
        let keys = metadata.jwks_uri;
        if !may_follow(issuer, &keys) {
            return Err(FetchError::KeysElsewhere(shortened(&keys)));
        }
        let body = self.get(&keys).await?;
        IssuerKeys::parse(&body).ok_or_else(|| FetchError::NoKeySet(shortened(&keys)))
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let shown = shortened(url);
        let unreachable = |cause: String| FetchError::Unreachable(shown.clone(), cause);
        let is_local = Url::parse(url).is_ok_and(|url| is_on_this_machine(&url));
        let client = if is_local { &self.local } else { &self.public };
        let client = match client.get() {
            Some(client) => client,
            None => {
                let new = new_client(is_local);
                let new = new.map_err(|_| unreachable(": there are no CA certificates".into()))?;
                client.get_or_init(|| new)
            }
        };
        let failed = |error: reqwest::Error| unreachable(cause_of(&error.without_url()));
        let request = client.get(url).header(ACCEPT, "application/json");
        let mut response = request.send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(shown, response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(FetchError::TooLarge(shown));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn new_client(is_local: bool) -> reqwest::Result<Client> {
    let client = Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        // A redirect could lead to an address that the directory does not name.
        .redirect(redirect::Policy::none());
    // A proxy cannot reach the loopback addresses of this machine.
    let client = if is_local { client.no_proxy() } else { client };
    client.build()
}

/// Whether an issuer may name this URL of its keys: an issuer elsewhere must not make the tenant
/// send requests to this machine.
fn may_follow(issuer: &str, keys: &str) -> bool {
    let is_local = |url: &str| Url::parse(url).is_ok_and(|url| is_on_this_machine(&url));
    Url::parse(keys).is_ok_and(|url| may_be_fetched(&url)) && (is_local(issuer) || !is_local(keys))
}

/// The innermost cause, such as "connection refused". If the CA of the issuer's certificate is
/// unknown, the text also says what to do.
fn cause_of(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let cause = cause.to_string();
    // Texts of rustls. The second one means that a known CA has the same name but another key.
    let is_unknown = ["UnknownIssuer", "BadSignature"].iter().any(|text| cause.ends_with(text));
    let fix = match is_unknown {
        true => ". Start the tenant with SSL_CERT_FILE, the path of the CA certificate to trust",
        false => "",
    };
    format!(": {cause}{fix}")
}

/// Text of the issuer for an error message.
fn shortened(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::may_follow;

    #[test]
    fn only_a_local_issuer_may_have_its_keys_on_this_machine() {
        for (issuer, keys, allowed) in [
            ("http://localhost:1", "http://localhost:1/keys", true),
            ("http://localhost:1", "http://127.0.0.1:2/keys", true),
            ("http://127.0.0.2:1", "https://keys.example/keys", true),
            ("https://issuer.example", "https://keys.example/keys", true),
            ("https://issuer.example", "http://issuer.example/keys", false),
            ("https://issuer.example", "http://localhost:1/keys", false),
            ("https://issuer.example", "https://localhost:1/keys", false),
            ("https://issuer.example", "https://127.0.0.1:1/keys", false),
            ("https://issuer.example", "http://[::1]:1/keys", false),
            ("http://localhost:1", "http://issuer.example/keys", false),
            ("http://localhost:1", "file:///etc/passwd", false),
            ("http://localhost:1", "keys", false),
        ] {
            assert_eq!(may_follow(issuer, keys), allowed, "{issuer} {keys}");
        }
    }
}
