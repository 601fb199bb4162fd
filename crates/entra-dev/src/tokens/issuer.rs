//! Signs tokens, and verifies them.

use std::sync::Arc;

use crate::{
    clock::ShiftedClock,
    directory::{App, Directory, LiveDirectory},
    ids::{API_CLIENT_ID, SWAGGER_UI_CLIENT_ID},
    jws::UnverifiedJws,
    keys::{Jwk, KeyRing, SignError, SigningKey},
    options::Scheme,
    token_issuer::TokenIssuer,
};

use super::claims::Claims;

/// The URLs that can be the issuer of access tokens, without trailing slashes.
#[derive(Clone)]
pub(crate) struct IssuerUrls {
    /// For APIs that do not say which one they expect.
    pub(crate) default: TokenIssuer,
    pub(crate) http: String,
    /// `None` if no API expects it.
    pub(crate) https: Option<String>,
}

impl IssuerUrls {
    fn of<'a>(&'a self, api: &'a App) -> &'a str {
        match (api.token_issuer.as_ref().unwrap_or(&self.default), &self.https) {
            (TokenIssuer::Url(url), _) => url,
            (TokenIssuer::Listener(Scheme::Https), Some(https)) => https,
            (TokenIssuer::Listener(_), _) => &self.http,
        }
    }
}

/// Issues the tokens of all tenants.
pub(crate) struct Issuer {
    urls: IssuerUrls,
    pub(crate) keys: KeyRing,
    pub(crate) clock: Arc<ShiftedClock>,
    pub(crate) directory: LiveDirectory,
    pub(super) defaults: Defaults,
}

/// The apps of forged tokens that name no app.
#[derive(Debug, Clone)]
pub(crate) struct Defaults {
    /// The client id of the API.
    pub(crate) resource: String,
    /// The client id of the client.
    pub(crate) client: String,
}

impl Issuer {
    pub(crate) fn new(
        urls: IssuerUrls,
        keys: KeyRing,
        clock: Arc<ShiftedClock>,
        directory: Directory,
    ) -> Self {
        let defaults = Defaults {
            resource: API_CLIENT_ID.to_owned(),
            client: SWAGGER_UI_CLIENT_ID.to_owned(),
        };
        Self { urls, keys, clock, directory: LiveDirectory::new(directory), defaults }
    }

    /// An issuer with the same URLs for another directory. It begins with the same keys, as the
    /// tenants of Entra share theirs, but they are rotated separately, and so is its clock.
    pub(crate) fn fork(&self, directory: Directory, defaults: Defaults) -> Self {
        Self {
            urls: self.urls.clone(),
            keys: self.keys.fork(),
            clock: Arc::new(self.clock.fork()),
            directory: LiveDirectory::new(directory),
            defaults,
        }
    }

    /// The base URL of the issuer of access tokens for this API, without a trailing slash.
    pub(super) fn base_url<'a>(&'a self, api: &'a App) -> &'a str {
        self.urls.of(api)
    }

    /// The issuer of access tokens for APIs that do not say which one they expect.
    pub(crate) fn default_issuer(&self) -> &TokenIssuer {
        &self.urls.default
    }

    /// The time in seconds since the epoch.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// The key set with which tokens can be verified, as published by the listener with this URL:
    /// that of the app with this client id, if it has its own, otherwise that of the tenant.
    pub(crate) fn published_keys(&self, base_url: &str, client_id: Option<&str>) -> Vec<Jwk> {
        let keys = self.keys.now();
        let own = client_id.and_then(|client_id| keys.published_for(client_id, base_url));
        own.unwrap_or_else(|| {
            let directory = self.directory.now();
            let personal = directory.tenants().iter().find(|tenant| tenant.personal);
            keys.published(base_url, personal.map(|tenant| tenant.id.as_str()))
        })
    }

    /// A token for this app with these claims.
    pub(super) fn sign(
        &self,
        app: &App,
        tenant: &str,
        claims: Claims,
    ) -> Result<String, SignError> {
        let key = self.key_for(app, tenant);
        key.sign(&key.header(), &claims.into_inner())
    }

    /// The key that signs tokens for this app and for accounts of this tenant.
    pub(super) fn key_for(&self, app: &App, tenant: &str) -> Arc<SigningKey> {
        let keys = self.keys.now();
        Arc::clone(keys.signing(Some(&app.client_id), self.is_personal(tenant)))
    }

    fn is_personal(&self, tenant: &str) -> bool {
        self.directory.now().tenant(tenant).is_some_and(|tenant| tenant.personal)
    }

    /// Verifies the signature and the times of a token.
    pub(crate) fn verify<'a>(&self, token: &'a str) -> Result<UnverifiedJws<'a>, VerifyError> {
        let jws = UnverifiedJws::parse(token).ok_or(VerifyError::Malformed)?;
        let keys = self.keys.now();
        let personal = jws.claim("tid").is_some_and(|tenant| self.is_personal(tenant));
        // The own key of an app is only good for tokens for that app.
        let directory = self.directory.now();
        let app = jws.claim("aud").and_then(|audience| directory.resource(audience));
        let client_id = app.map(|app| app.client_id.as_str());
        let key = jws.header("kid").and_then(|kid| keys.find(kid, client_id, personal));
        let key = key.ok_or(VerifyError::Signature)?;
        let (message, signature) = jws.signature();
        if jws.header("alg") != Some("RS256") || !key.verifies(message, signature) {
            return Err(VerifyError::Signature);
        }
        let now = self.now();
        let valid = jws.time("exp").is_some_and(|exp| now < exp)
            && jws.time("nbf").is_none_or(|nbf| nbf <= now);
        if valid { Ok(jws) } else { Err(VerifyError::Time) }
    }
}

/// Why a token is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VerifyError {
    Malformed,
    Signature,
    Time,
}
