//! The signing keys of a running tenant.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::error::KeyError;
use super::key_set::Keys;
use super::signing_key::SigningKey;
use super::store;

/// The tenant's keys, as in Entra: general ones and one that vouches for personal accounts only.
pub(crate) struct KeyRing {
    keys: RwLock<Keys>,
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
