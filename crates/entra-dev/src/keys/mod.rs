//! The signing keys: what they are here, where they are kept in `store`.

mod signing_key;
mod store;

pub(crate) use signing_key::{Jwk, SignError, SigningKey, unsigned};
pub use store::KeyError;
pub(crate) use store::{failed, replace, write_once};

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The tenant's keys, as in Entra: general ones and one that vouches for personal accounts only.
pub(crate) struct KeyRing {
    keys: RwLock<Keys>,
}

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

impl KeyRing {
    /// The keys in this folder, which are made when there are none; new ones in memory for `None`.
    ///
    /// Blocks for the time it takes to read a file, or to make three RSA keys.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Self, KeyError> {
        let keys = match folder {
            Some(folder) => store::open(folder)?,
            None => store::generate()?.into_keys().map_err(|_| KeyError::Generate)?,
        };
        Ok(Self { keys: RwLock::new(keys) })
    }

    /// The keys as they are now.
    pub(crate) fn now(&self) -> Keys {
        self.read().clone()
    }

    /// Lets the next key sign from now on, and publishes a new next one. The key that signed so
    /// far stays published where there is an overlap, and is gone at once where there is none.
    ///
    /// Blocks for the time it takes to make an RSA key. The folder keeps the keys it had: a restart
    /// undoes the rotation.
    pub(crate) fn rotate(&self, overlap: bool) -> Result<(), KeyError> {
        let new = Arc::new(store::generate_one()?);
        let mut keys = self.write();
        let next = std::mem::replace(&mut keys.next, new);
        let general = std::mem::replace(&mut keys.general, next);
        if overlap {
            keys.retired.push(general);
        } else {
            keys.retired.clear();
        }
        Ok(())
    }

    /// A key that is not published, made at the first call, which blocks for a while.
    pub(crate) fn stranger(&self) -> Result<Arc<SigningKey>, KeyError> {
        if let Some(stranger) = &self.read().stranger {
            return Ok(Arc::clone(stranger));
        }
        let stranger = Arc::new(store::generate_one()?);
        Ok(Arc::clone(self.write().stranger.get_or_insert(stranger)))
    }

    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        // No operation leaves the keys half-changed, so a panic elsewhere does not spoil them.
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }
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
