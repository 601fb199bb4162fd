//! Tokens that were accepted already (rules T1 to T3). It saves the signature's check, and nothing
//! else: policies are evaluated on every request.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use quick_cache::{Weighter, sync::Cache};

use crate::{jwk::VerifyingKey, keys::Trust, metadata::Metadata, principal::Principal};

/// Accepted tokens by their SHA-256: no token is kept.
pub(crate) struct TokenCache(Option<Cache<Digest, Arc<Accepted>, Weight>>);

type Digest = [u8; SHA256_OUTPUT_LEN];

/// What was found out about a token, and under which circumstances it holds.
pub(crate) struct Accepted {
    pub(crate) principal: Principal,
    /// The `kid` and the key: the entry ends with the key's trust.
    pub(crate) kid: String,
    pub(crate) key: Arc<VerifyingKey>,
    /// The issuers that were believed in.
    pub(crate) metadata: Arc<Metadata>,
    /// Seconds since the epoch, without the leeway.
    pub(crate) not_before: u64,
    pub(crate) expires: u64,
}

impl TokenCache {
    /// Bytes that an entry may take on average; larger entries push out more than one.
    const BYTES_PER_ENTRY: u64 = 3_072;

    /// Room for this many entries; none turns the cache off.
    pub(crate) fn new(entries: usize) -> Self {
        let capacity = Self::BYTES_PER_ENTRY * entries as u64;
        Self((entries > 0).then(|| Cache::with_weighter(entries, capacity, Weight)))
    }

    /// The digest to look up and to store under; `None` when the cache is off.
    pub(crate) fn digest(&self, token: &str) -> Option<Digest> {
        self.0.as_ref()?;
        digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()
    }

    /// What is known of the token, if it still holds: in time, the key trusted, the issuers the
    /// same.
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

    /// How many tokens are remembered.
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
    /// An entry weighs at least its share, so that their number is bounded too.
    fn weight(&self, _: &Digest, accepted: &Arc<Accepted>) -> u64 {
        let size = size_of::<Digest>() + size_of::<Accepted>() + accepted.kid.capacity();
        TokenCache::BYTES_PER_ENTRY.max((size + accepted.principal.size()) as u64)
    }
}
