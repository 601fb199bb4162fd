//! Which URL access tokens name as their issuer.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{host_name::HostNames, options::Scheme};

/// The issuer that an API expects in its access tokens: the URL from which it reads the metadata.
///
/// Its text form is `http`, `https` or a URL.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub enum TokenIssuer {
    /// One of the two listeners, as `localhost`.
    Listener(Scheme),
    /// The URL of a listener under another name, without a trailing slash:
    /// `https://entra-dev:8443`. The tenant must answer to the name.
    Url(String),
}

impl Default for TokenIssuer {
    fn default() -> Self {
        Self::Listener(Scheme::default())
    }
}

impl From<Scheme> for TokenIssuer {
    fn from(scheme: Scheme) -> Self {
        Self::Listener(scheme)
    }
}

impl TokenIssuer {
    /// The listener that this URL belongs to.
    pub(crate) fn scheme(&self) -> Scheme {
        match self {
            Self::Listener(scheme) => *scheme,
            Self::Url(url) if url.starts_with("https:") => Scheme::Https,
            Self::Url(_) => Scheme::Http,
        }
    }

    /// Checks that the tenant can be reached at this URL: it must have such a listener, and answer
    /// to the name.
    pub(crate) fn check_reach(
        &self,
        names: &HostNames,
        has_https: bool,
    ) -> Result<(), UnreachableIssuer> {
        match self {
            _ if self.scheme() == Scheme::Https && !has_https => Err(UnreachableIssuer::NoHttps),
            Self::Url(url) if !names.admit_url(url) => {
                Err(UnreachableIssuer::UnknownName(url.clone()))
            }
            Self::Url(_) | Self::Listener(_) => Ok(()),
        }
    }
}

/// Why nobody could read metadata from the issuer of access tokens.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreachableIssuer {
    #[error("there is no HTTPS listener")]
    NoHttps,
    #[error("{0} has a name that the tenant does not answer to")]
    UnknownName(String),
}

impl FromStr for TokenIssuer {
    type Err = BadTokenIssuer;

    fn from_str(text: &str) -> Result<Self, BadTokenIssuer> {
        match text {
            "http" => Ok(Scheme::Http.into()),
            "https" => Ok(Scheme::Https.into()),
            _ => {
                let is_origin = |url: &Url| {
                    matches!(url.scheme(), "http" | "https")
                        && url.as_str() == format!("{}/", url.origin().ascii_serialization())
                };
                let url = Url::parse(text).ok().filter(is_origin);
                let url = url.ok_or_else(|| BadTokenIssuer(text.to_owned()))?;
                Ok(Self::Url(url.origin().ascii_serialization()))
            }
        }
    }
}

impl TryFrom<String> for TokenIssuer {
    type Error = BadTokenIssuer;

    fn try_from(text: String) -> Result<Self, BadTokenIssuer> {
        text.parse()
    }
}

impl fmt::Display for TokenIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listener(Scheme::Http) => f.write_str("http"),
            Self::Listener(Scheme::Https) => f.write_str("https"),
            Self::Url(url) => f.write_str(url),
        }
    }
}

impl From<TokenIssuer> for String {
    fn from(issuer: TokenIssuer) -> Self {
        issuer.to_string()
    }
}

/// Text that is not the issuer of access tokens.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{0:?} is not an issuer: it must be \"http\", \"https\" or a URL without a path, such as \
     \"https://entra-dev:8443\""
)]
pub struct BadTokenIssuer(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_a_listener_or_an_origin() {
        for (text, issuer) in [
            ("http", "http"),
            ("https", "https"),
            ("https://entra-dev:8443", "https://entra-dev:8443"),
            ("https://Entra-Dev:8443/", "https://entra-dev:8443"),
            ("http://10.0.0.5:8001", "http://10.0.0.5:8001"),
            ("https://entra-dev", "https://entra-dev"),
        ] {
            assert_eq!(text.parse::<TokenIssuer>().unwrap().to_string(), issuer);
        }
        for text in [
            "",
            "HTTP",
            "entra-dev",
            "ftp://entra-dev",
            "https://entra-dev:8443/v2.0",
            "https://entra-dev:8443/?a",
            "https://entra-dev:8443/#a",
            "https://user@entra-dev:8443",
        ] {
            assert!(text.parse::<TokenIssuer>().is_err(), "{text:?}");
        }
    }
}
