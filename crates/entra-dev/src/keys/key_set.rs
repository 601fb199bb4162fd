//! The set of signing keys at one point in time.

use std::sync::Arc;

use super::signing_key::{Jwk, SigningKey};

/// The keys at one time.
#[derive(Clone)]
pub(crate) struct Keys {
    /// Signs for all work and school accounts.
    pub(crate) general: Arc<SigningKey>,
    /// Published, and signing nothing: clients must not expect a single key.
    pub(crate) next: Arc<SigningKey>,
    /// Signs for personal accounts.
    pub(crate) personal: Arc<SigningKey>,
    /// Signed once, and still published.
    pub(crate) retired: Vec<Arc<SigningKey>>,
    /// Is not published: for tokens that nobody can verify.
    pub(crate) stranger: Option<Arc<SigningKey>>,
}

impl Keys {
    /// The published form of all keys (RFC 7517 section 5), each with the issuer it vouches for:
    /// the tenant of personal accounts, or any other.
    pub(crate) fn published(&self, base_url: &str, personal_tenant: Option<&str>) -> Vec<Jwk> {
        let any_tenant = format!("{base_url}/{{tenantid}}/v2.0");
        let general = [&self.general, &self.next].into_iter().chain(&self.retired);
        let mut published: Vec<_> = general.map(|key| key.published(any_tenant.clone())).collect();
        if let Some(tenant) = personal_tenant {
            published.push(self.personal.published(format!("{base_url}/{tenant}/v2.0")));
        }
        published
    }

    /// The published key with this id, among those that vouch for personal accounts or among those
    /// that vouch for all others.
    pub(crate) fn find(&self, kid: &str, personal: bool) -> Option<&SigningKey> {
        let general = [&self.general, &self.next].into_iter().chain(&self.retired);
        general
            .filter(|_| !personal)
            .chain(Some(&self.personal).filter(|_| personal))
            .find(|key| key.kid() == kid)
            .map(Arc::as_ref)
    }
}
