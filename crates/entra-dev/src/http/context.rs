//! What all handlers share.

use poem::{Request, http::uri::Scheme as UriScheme};

use crate::{
    audit::{Audit, Entry},
    devices::Devices,
    directory::Directory,
    faults::Faults,
    grants::{Codes, RefreshTokens},
    options::Scheme,
    sessions::{Consents, Sessions},
    tokens::Issuer,
};

/// The state of a running tenant.
pub(crate) struct Context {
    pub(crate) urls: Urls,
    pub(crate) issuer: Issuer,
    pub(crate) faults: Faults,
    pub(crate) audit: Audit,
    pub(super) codes: Codes,
    pub(super) consents: Consents,
    pub(super) devices: Devices,
    pub(super) refresh_tokens: RefreshTokens,
    pub(super) sessions: Sessions,
}

impl Context {
    pub(crate) fn new(urls: Urls, issuer: Issuer) -> Self {
        Self {
            urls,
            issuer,
            faults: Faults::default(),
            audit: Audit::default(),
            codes: Codes::new(),
            consents: Consents::default(),
            devices: Devices::new(),
            refresh_tokens: RefreshTokens::new(),
            sessions: Sessions::new(),
        }
    }

    /// Tenants, people, groups and apps.
    pub(crate) fn directory(&self) -> &Directory {
        &self.issuer.directory
    }

    /// The time in seconds since the epoch.
    pub(super) fn now(&self) -> u64 {
        self.issuer.now()
    }

    /// Adds a request that ends now to the audit trail.
    pub(super) fn record(&self, entry: Entry) {
        self.audit.record(Entry { time: self.now(), ..entry });
    }
}

/// The URLs of the listeners, without trailing slashes.
pub(crate) struct Urls {
    pub(crate) http: String,
    pub(crate) https: Option<String>,
}

impl Urls {
    pub(crate) fn new(port: u16, https_port: Option<u16>) -> Self {
        Self { http: Scheme::Http.url(port), https: https_port.map(|port| Scheme::Https.url(port)) }
    }

    /// The URL of the listener that received this request.
    pub(super) fn of(&self, request: &Request) -> &str {
        match &self.https {
            Some(https) if *request.scheme() == UriScheme::HTTPS => https,
            _ => &self.http,
        }
    }

    /// The URLs of all listeners.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        [Some(&self.http), self.https.as_ref()].into_iter().flatten().map(String::as_str)
    }
}
