//! What is trusted: the discovery document and the keys, replaced as a whole by each refresh.

use std::{collections::HashMap, sync::Arc};

use crate::{jwk::VerifyingKey, metadata::Metadata};

use super::Schedule;

/// The discovery document and the signing keys.
pub(crate) struct Trust {
    /// The same pointer as before the refresh if nothing in it changed.
    pub(crate) metadata: Arc<Metadata>,
    keys: HashMap<String, TrustedKey>,
}

#[derive(Clone)]
struct TrustedKey {
    /// The same pointer as before the refresh if the key did not change.
    key: Arc<VerifyingKey>,
    /// The first refresh without the key; `None` for a key of the newest set.
    missing_since: Option<u64>,
    until: u64,
}

impl Trust {
    /// What is trusted after a refresh at `now`, in seconds since 1970: the published keys, and the
    /// keys trusted `before` until their retention ends. Entra's replicas publish different subsets
    /// of the keys minutes apart, so a key that is missing may be published again.
    pub(super) fn merge(
        before: Option<&Self>,
        metadata: Metadata,
        published: HashMap<String, VerifyingKey>,
        schedule: &Schedule,
        now: u64,
    ) -> Self {
        // A key of the newest set stays trusted through at least one failed refresh.
        let lifetime = schedule.retention.max(schedule.refresh.saturating_mul(2));
        let until = now.saturating_add(lifetime);
        let mut keys = HashMap::with_capacity(published.len());
        for (kid, key) in published {
            let known = before.and_then(|trust| trust.keys.get(&kid));
            let same = known.filter(|trusted| *trusted.key == key);
            let key = same.map_or_else(|| Arc::new(key), |trusted| Arc::clone(&trusted.key));
            keys.insert(kid, TrustedKey { key, missing_since: None, until });
        }
        for (kid, trusted) in before.into_iter().flat_map(|trust| &trust.keys) {
            // The key may have been published until a moment ago. Retention starts at this refresh,
            // so a key that is published again within that time is never lost.
            let since = trusted.missing_since.unwrap_or(now);
            let until = since.saturating_add(schedule.retention);
            if now < until && !keys.contains_key(kid) {
                let missing_since = Some(since);
                keys.insert(kid.clone(), TrustedKey { missing_since, until, ..trusted.clone() });
            }
        }
        let unchanged = before.filter(|trust| *trust.metadata == metadata);
        let metadata =
            unchanged.map_or_else(|| Arc::new(metadata), |trust| Arc::clone(&trust.metadata));
        Self { metadata, keys }
    }

    /// The key with this `kid`, while it is trusted.
    pub(crate) fn key(&self, kid: &str, now: u64) -> Option<&Arc<VerifyingKey>> {
        self.keys.get(kid).filter(|trusted| now <= trusted.until).map(|trusted| &trusted.key)
    }

    /// Whether any key is trusted.
    pub(super) fn has_keys(&self, now: u64) -> bool {
        self.keys.values().any(|trusted| now <= trusted.until)
    }
}
