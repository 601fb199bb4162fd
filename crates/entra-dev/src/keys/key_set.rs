//! The set of signing keys at one point in time.

use std::{collections::BTreeMap, sync::Arc};

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
    /// The keys of the apps that have their own, by client id. They are in a key set of their own.
    pub(crate) own: BTreeMap<String, OwnKeys>,
    /// Not published: for forged tokens that cannot be verified.
    pub(crate) stranger: Option<Arc<SigningKey>>,
}

/// The keys of one app.
#[derive(Clone)]
pub(crate) struct OwnKeys {
    /// Signs the tokens for the app.
    pub(crate) current: Arc<SigningKey>,
    /// Former signing keys that are still published.
    pub(crate) retired: Vec<Arc<SigningKey>>,
}

impl OwnKeys {
    fn all(&self) -> impl Iterator<Item = &Arc<SigningKey>> {
        [&self.current].into_iter().chain(&self.retired)
    }
}

impl Keys {
    /// The key that signs tokens for this app and this kind of account. The own key of an app signs
    /// for all accounts.
    pub(crate) fn signing(&self, client_id: Option<&str>, personal: bool) -> &Arc<SigningKey> {
        match client_id.and_then(|client_id| self.own.get(client_id)) {
            Some(own) => &own.current,
            None if personal => &self.personal,
            None => &self.general,
        }
    }

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

    /// The key set of an app that has its own keys.
    pub(crate) fn published_for(&self, client_id: &str, base_url: &str) -> Option<Vec<Jwk>> {
        let any_tenant = format!("{base_url}/{{tenantid}}/v2.0");
        let own = self.own.get(client_id)?;
        Some(own.all().map(|key| key.published(any_tenant.clone())).collect())
    }

    /// The published key with this id, among the keys for personal accounts or for all others, and
    /// among those of the app with this client id.
    pub(crate) fn find(
        &self,
        kid: &str,
        client_id: Option<&str>,
        personal: bool,
    ) -> Option<&SigningKey> {
        let own = client_id.and_then(|client_id| self.own.get(client_id));
        let general = [&self.general, &self.next].into_iter().chain(&self.retired);
        general
            .filter(|_| !personal)
            .chain(Some(&self.personal).filter(|_| personal))
            .chain(own.into_iter().flat_map(OwnKeys::all))
            .find(|key| key.kid() == kid)
            .map(Arc::as_ref)
    }
}
