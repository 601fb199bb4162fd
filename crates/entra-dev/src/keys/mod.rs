//! The signing keys: what they are here, where they are kept in `store`.

mod signing_key;
mod store;

pub(crate) use signing_key::{Jwk, SignError, SigningKey};
pub use store::KeyError;

use std::path::Path;

use crate::ids::CONSUMERS;

/// The tenant's keys, as in Entra: general ones and one that vouches for personal accounts only.
pub(crate) struct KeySet {
    /// Signs for all work and school accounts.
    general: SigningKey,
    /// Published, and signing nothing: clients must not expect a single key.
    next: SigningKey,
    /// Signs for personal accounts.
    personal: SigningKey,
}

impl KeySet {
    /// The keys in this folder, which are made when there are none; new ones in memory for `None`.
    ///
    /// Blocks for the time it takes to read a file, or to make three RSA keys.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Self, KeyError> {
        match folder {
            Some(folder) => store::open(folder),
            None => store::generate()?.into_keys().map_err(|_| KeyError::Generate),
        }
    }

    /// The key that signs for people of this tenant.
    pub(crate) fn for_tenant(&self, tenant: &str) -> &SigningKey {
        if tenant == CONSUMERS { &self.personal } else { &self.general }
    }

    /// The published form of all keys (RFC 7517 section 5), each with the issuer it vouches for.
    pub(crate) fn published(&self, base_url: &str) -> Vec<Jwk<'_>> {
        let any_tenant = format!("{base_url}/{{tenantid}}/v2.0");
        let personal = format!("{base_url}/{CONSUMERS}/v2.0");
        vec![
            self.general.published(any_tenant.clone()),
            self.next.published(any_tenant),
            self.personal.published(personal),
        ]
    }
}
