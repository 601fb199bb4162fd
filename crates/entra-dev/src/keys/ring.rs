//! The signing keys of a running tenant.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use super::{
    error::KeyError,
    key_set::{Keys, OwnKeys},
    signing_key::SigningKey,
    store,
};

/// The signing keys, which can be rotated.
pub(crate) struct KeyRing {
    /// Where the keys are kept; `None` if they are only in memory.
    folder: Option<PathBuf>,
    keys: RwLock<Keys>,
}

impl KeyRing {
    /// Reads the keys from this folder, or generates them there. Without a folder, they are only in
    /// memory. `own` are the client ids of the apps that have a key of their own.
    ///
    /// Blocks while it reads files or generates RSA keys: three, and one for each of these apps.
    pub(crate) fn open(folder: Option<&Path>, own: &[String]) -> Result<Self, KeyError> {
        let keys = match folder {
            Some(folder) => store::open(folder)?,
            None => store::generate()?.into_keys().map_err(|_| KeyError::Generate)?,
        };
        let ring = Self { folder: folder.map(Path::to_owned), keys: RwLock::new(keys) };
        ring.set_own(own)?;
        Ok(ring)
    }

    /// Gives a key of their own to the apps with these client ids, unless they have one, and takes
    /// it from all others.
    ///
    /// Blocks while it reads files or generates RSA keys, one for each app.
    pub(crate) fn set_own(&self, client_ids: &[String]) -> Result<(), KeyError> {
        let known = self.now().own;
        let mut new = Vec::new();
        for client_id in client_ids.iter().filter(|client_id| !known.contains_key(*client_id)) {
            let current = match &self.folder {
                Some(folder) => store::open_own(folder, client_id)?,
                None => store::generate_one()?,
            };
            let keys = OwnKeys { current: Arc::new(current), retired: Vec::new() };
            new.push((client_id.clone(), keys));
        }
        let mut keys = self.write();
        keys.own.retain(|client_id, _| client_ids.contains(client_id));
        keys.own.extend(new);
        Ok(())
    }

    /// A copy that is only in memory, and whose keys are rotated separately. No app has its own
    /// key.
    pub(crate) fn fork(&self) -> Self {
        let keys = Keys { own: BTreeMap::new(), ..self.now() };
        Self { folder: None, keys: RwLock::new(keys) }
    }

    /// The current keys.
    pub(crate) fn now(&self) -> Keys {
        self.read().clone()
    }

    /// Signs with the next key from now on, and publishes a new next key. With an overlap, the old
    /// key stays published. Without one, it is removed at once, and so are all keys that signed
    /// before it. Each app that has its own key gets a new one, in the same way.
    ///
    /// Blocks while it generates RSA keys. The key file does not change, so a restart undoes the
    /// rotation.
    pub(crate) fn rotate(&self, overlap: bool) -> Result<(), KeyError> {
        let new = Arc::new(store::generate_one()?);
        let apps = self.read().own.len();
        let mut own = Vec::new();
        for _ in 0..apps {
            own.push(Arc::new(store::generate_one()?));
        }
        let mut keys = self.write();
        let next = std::mem::replace(&mut keys.next, new);
        let general = std::mem::replace(&mut keys.general, next);
        if overlap {
            keys.retired.push(general);
        } else {
            keys.retired.clear();
        }
        for (keys, new) in keys.own.values_mut().zip(own) {
            let old = std::mem::replace(&mut keys.current, new);
            if overlap {
                keys.retired.push(old);
            } else {
                keys.retired.clear();
            }
        }
        Ok(())
    }

    /// The unpublished key. The first call blocks while it generates the key.
    pub(crate) fn stranger(&self) -> Result<Arc<SigningKey>, KeyError> {
        if let Some(stranger) = &self.read().stranger {
            return Ok(Arc::clone(stranger));
        }
        let stranger = Arc::new(store::generate_one()?);
        Ok(Arc::clone(self.write().stranger.get_or_insert(stranger)))
    }

    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        // No operation leaves the keys half-changed, so a poisoned lock is safe to use.
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }
}
