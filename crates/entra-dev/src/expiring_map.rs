//! A map whose entries expire: codes, refresh tokens, sessions.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The maximum number of entries. If the map is full, the oldest is evicted. A tenant that runs for
/// months in CI must not need more and more memory.
const CAPACITY: usize = 2_000;

/// A bounded map from random keys to values, each of which expires.
#[derive(Debug)]
pub(crate) struct ExpiringMap<T> {
    /// In seconds.
    lifetime: u64,
    entries: Mutex<Entries<T>>,
}

impl<T> ExpiringMap<T> {
    /// A map whose entries expire after this many seconds.
    pub(crate) fn new(lifetime: u64) -> Self {
        let entries = Entries { by_key: HashMap::new(), order: VecDeque::new() };
        Self { lifetime, entries: Mutex::new(entries) }
    }

    /// Inserts or replaces a value.
    pub(crate) fn insert(&self, key: String, value: T, now: u64) {
        let mut entries = self.lock();
        entries.evict(self.lifetime, now);
        let key: Arc<str> = key.into();
        if entries.by_key.insert(Arc::clone(&key), Entry { value, created: now }).is_none() {
            entries.order.push_back(key);
        }
    }

    /// Calls `access` with the value and its age in seconds; `None` if there is no such entry.
    ///
    /// The lock is held during the call, so simultaneous calls run one after the other.
    pub(crate) fn access<R>(
        &self,
        key: &str,
        now: u64,
        access: impl FnOnce(&mut T, u64) -> R,
    ) -> Option<R> {
        let mut entries = self.lock();
        let Entry { value, created } = entries.by_key.get_mut(key)?;
        let age = now.saturating_sub(*created);
        (age < self.lifetime).then(|| access(value, age))
    }

    /// Calls `keep` with every value, and removes those for which it returns `false`.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&mut T) -> bool) {
        let Entries { by_key, order } = &mut *self.lock();
        by_key.retain(|_, entry| keep(&mut entry.value));
        order.retain(|key| by_key.contains_key(key));
    }

    fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        // No operation leaves the entries half-changed, so a poisoned lock is safe to use.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Entries<T> {
    by_key: HashMap<Arc<str>, Entry<T>>,
    /// The keys of `by_key`, oldest first.
    order: VecDeque<Arc<str>>,
}

impl<T> Entries<T> {
    /// Removes expired entries, and the oldest if the map is full.
    fn evict(&mut self, lifetime: u64, now: u64) {
        while let Some(oldest) = self.order.front() {
            let entry = self.by_key.get(oldest);
            let expired = entry.is_none_or(|entry| now.saturating_sub(entry.created) >= lifetime);
            if !expired && self.order.len() < CAPACITY {
                break;
            }
            if let Some(oldest) = self.order.pop_front() {
                self.by_key.remove(&oldest);
            }
        }
    }
}

#[derive(Debug)]
struct Entry<T> {
    value: T,
    /// In seconds since the epoch.
    created: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_map_evicts_the_oldest_entry() {
        let map = ExpiringMap::new(60);
        for number in 0..=CAPACITY {
            map.insert(number.to_string(), (), 0);
        }
        assert_eq!(map.lock().by_key.len(), CAPACITY);
        assert_eq!(map.lock().order.len(), CAPACITY);
        assert_eq!(map.access("0", 0, |_, _| ()), None);
        assert_eq!(map.access(&CAPACITY.to_string(), 0, |_, _| ()), Some(()));
    }

    #[test]
    fn entries_expire() {
        let map = ExpiringMap::new(60);
        map.insert("one".to_owned(), (), 0);
        assert_eq!(map.access("one", 59, |_, age| age), Some(59));
        assert_eq!(map.access("one", 60, |_, _| ()), None);
        map.insert("two".to_owned(), (), 60);
        assert_eq!(map.lock().by_key.len(), 1);
    }

    #[test]
    fn removed_entries_take_no_room() {
        let map = ExpiringMap::new(60);
        for number in 0..CAPACITY {
            map.insert(number.to_string(), number, 0);
        }
        map.retain(|number| *number == 0);
        assert_eq!(map.lock().order.len(), 1);
        map.insert("new".to_owned(), 0, 0);
        assert_eq!(map.access("0", 0, |_, _| ()), Some(()));
        assert_eq!(map.access("1", 0, |_, _| ()), None);
    }

    #[test]
    fn inserting_a_key_twice_keeps_one_entry() {
        let map = ExpiringMap::new(60);
        map.insert("one".to_owned(), 1, 0);
        map.insert("one".to_owned(), 2, 1);
        assert_eq!(map.lock().order.len(), 1);
        assert_eq!(map.access("one", 1, |value, _| *value), Some(2));
    }
}
