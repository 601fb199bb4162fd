//! The set of signing keys at one point in time.

use std::sync::Arc;

use super::signing_key::{Jwk, SigningKey};

/// The signing keys. As in Entra, one of them is for personal accounts only.
#[derive(Clone)]
pub(crate) struct Keys {
    /// Signs tokens for work and school accounts.
    pub(crate) general: Arc<SigningKey>,
    /// Published, but does not sign yet: clients must not expect a single key.
    pub(crate) next: Arc<SigningKey>,
    /// Signs tokens for personal accounts.
    pub(crate) personal: Arc<SigningKey>,
    /// Former signing keys that are still published.
    pub(crate) retired: Vec<Arc<SigningKey>>,
    /// Not published: for forged tokens that cannot be verified.
    pub(crate) stranger: Option<Arc<SigningKey>>,
}

impl Keys {
    /// The key set (RFC 7517, section 5). Each key has an issuer: the tenant of personal accounts,
    /// or a template for any other tenant.
    pub(crate) fn published(&self, base_url: &str, personal_tenant: Option<&str>) -> Vec<Jwk> {
        let any_tenant = format!("{base_url}/{{tenantid}}/v2.0");
        let general = [&self.general, &self.next].into_iter().chain(&self.retired);
        let mut published: Vec<_> = general.map(|key| key.published(any_tenant.clone())).collect();
        if let Some(tenant) = personal_tenant {
            published.push(self.personal.published(format!("{base_url}/{tenant}/v2.0")));
        }
        published
    }

    /// The published key with this id, among the keys for personal accounts or for all others.
    pub(crate) fn find(&self, kid: &str, personal: bool) -> Option<&SigningKey> {
        let general = [&self.general, &self.next].into_iter().chain(&self.retired);
        general
            .filter(|_| !personal)
            .chain(Some(&self.personal).filter(|_| personal))
            .find(|key| key.kid() == kid)
            .map(Arc::as_ref)
    }
}
