//! The cache of accepted tokens, which saves verifying their signatures again. An entry is used
//! only while the token is valid, its key is trusted and the authority's metadata is unchanged.
//! Policies are not cached: they are evaluated on every request.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use quick_cache::{Weighter, sync::Cache};

use crate::{jwk::VerifyingKey, keys::Trust, metadata::Metadata, principal::Principal};

/// Accepted tokens by their SHA-256 digest. The tokens themselves are not stored.
pub(crate) struct TokenCache(Option<Cache<Digest, Arc<Accepted>, Weight>>);

/// The SHA-256 digest of a token.
pub(crate) type Digest = [u8; SHA256_OUTPUT_LEN];

/// A cache entry: the outcome for a token, and the conditions under which it is still valid.
pub(crate) struct Accepted {
    pub(crate) principal: Principal,
    /// The `kid` and the key that verified the signature. The entry is invalid once the key is no
    /// longer trusted.
    pub(crate) kid: String,
    pub(crate) key: Arc<VerifyingKey>,
    /// The metadata that the issuer was checked against.
    pub(crate) metadata: Arc<Metadata>,
    /// When the token becomes valid, in seconds since 1970, without the leeway.
    pub(crate) not_before: u64,
    /// When the token expires, in seconds since 1970, without the leeway.
    pub(crate) expires: u64,
}

impl TokenCache {
    /// The size that an entry may have on average, in bytes. A larger entry can evict several
    /// others.
    const BYTES_PER_ENTRY: u64 = 3_072;

    /// A cache for at most this many entries; 0 turns it off.
    pub(crate) fn new(entries: usize) -> Self {
        let capacity = Self::BYTES_PER_ENTRY * entries as u64;
        Self((entries > 0).then(|| Cache::with_weighter(entries, capacity, Weight)))
    }

    /// The cache key of the token; `None` if the cache is off.
    pub(crate) fn digest(&self, token: &str) -> Option<Digest> {
        self.0.as_ref()?;
        digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()
    }

    /// The entry for this token, if it is still valid: the token has not expired, its key is
    /// trusted and the metadata has not changed. Otherwise the entry is removed.
    pub(crate) fn get(
        &self,
        digest: &Digest,
        trust: &Trust,
        now: u64,
        leeway: u64,
    ) -> Option<Arc<Accepted>> {
        let cache = self.0.as_ref()?;
        let accepted = cache.get(digest)?;
        let in_time = now <= accepted.expires + leeway && accepted.not_before <= now + leeway;
        let trusted =
            trust.key(&accepted.kid, now).is_some_and(|key| Arc::ptr_eq(key, &accepted.key))
                && Arc::ptr_eq(&trust.metadata, &accepted.metadata);
        if in_time && trusted {
            return Some(accepted);
        }
        cache.remove(digest);
        None
    }

    /// The number of entries.
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Cache::len)
    }

    pub(crate) fn insert(&self, digest: Digest, accepted: Accepted) {
        if let Some(cache) = &self.0 {
            cache.insert(digest, Arc::new(accepted));
        }
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<Digest, Arc<Accepted>> for Weight {
    /// An entry weighs at least [`TokenCache::BYTES_PER_ENTRY`], so the number of entries is also
    /// bounded.
    fn weight(&self, _: &Digest, accepted: &Arc<Accepted>) -> u64 {
        let size = size_of::<Digest>() + size_of::<Accepted>() + accepted.kid.capacity();
        TokenCache::BYTES_PER_ENTRY.max((size + accepted.principal.size()) as u64)
    }
}
