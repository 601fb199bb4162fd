use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many entries a shelf holds; the oldest goes first.
const CAPACITY: usize = 10_000;

/// Things that are kept under a key for a time: codes, refresh tokens, sessions.
#[derive(Debug)]
pub(crate) struct Shelf<T> {
    /// How long an entry is kept, in seconds.
    memory: u64,
    entries: Mutex<Entries<T>>,
}

impl<T> Shelf<T> {
    /// A shelf that keeps entries for this many seconds.
    pub(crate) fn remembering(memory: u64) -> Self {
        let entries = Entries { by_key: HashMap::new(), order: VecDeque::new() };
        Self { memory, entries: Mutex::new(entries) }
    }

    /// Puts a thing under a key. What was there before is gone.
    pub(crate) fn put(&self, key: String, thing: T, now: u64) {
        let mut entries = self.lock();
        entries.make_room(self.memory, now);
        if entries.by_key.insert(key.clone(), Entry { thing, put: now }).is_none() {
            entries.order.push_back(key);
        }
    }

    /// What `look` makes of the thing under this key and its age in seconds; `None` where there is
    /// nothing.
    ///
    /// It looks, and changes, under the lock: of any number of simultaneous calls one is first.
    pub(crate) fn look<R>(
        &self,
        key: &str,
        now: u64,
        look: impl FnOnce(&mut T, u64) -> R,
    ) -> Option<R> {
        let mut entries = self.lock();
        let Entry { thing, put } = entries.by_key.get_mut(key)?;
        let age = now.saturating_sub(*put);
        (age < self.memory).then(|| look(thing, age))
    }

    fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        // No operation leaves the shelf half-changed, so a panic elsewhere does not spoil it.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Entries<T> {
    by_key: HashMap<String, Entry<T>>,
    /// The keys from the oldest to the newest; the same ones as in `by_key`.
    order: VecDeque<String>,
}

impl<T> Entries<T> {
    fn make_room(&mut self, memory: u64, now: u64) {
        while let Some(oldest) = self.order.front() {
            let stale =
                self.by_key.get(oldest).is_none_or(|entry| now.saturating_sub(entry.put) >= memory);
            if !stale && self.order.len() < CAPACITY {
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
    thing: T,
    put: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_is_bounded_and_the_oldest_goes_first() {
        let shelf = Shelf::remembering(60);
        for number in 0..=CAPACITY {
            shelf.put(number.to_string(), (), 0);
        }
        assert_eq!(shelf.lock().by_key.len(), CAPACITY);
        assert_eq!(shelf.lock().order.len(), CAPACITY);
        assert_eq!(shelf.look("0", 0, |_, _| ()), None);
        assert_eq!(shelf.look(&CAPACITY.to_string(), 0, |_, _| ()), Some(()));
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let shelf = Shelf::remembering(60);
        shelf.put("one".to_owned(), (), 0);
        assert_eq!(shelf.look("one", 59, |_, age| age), Some(59));
        assert_eq!(shelf.look("one", 60, |_, _| ()), None);
        shelf.put("two".to_owned(), (), 60);
        assert_eq!(shelf.lock().by_key.len(), 1);
    }

    #[test]
    fn a_key_that_is_used_again_takes_no_second_place() {
        let shelf = Shelf::remembering(60);
        shelf.put("one".to_owned(), 1, 0);
        shelf.put("one".to_owned(), 2, 1);
        assert_eq!(shelf.lock().order.len(), 1);
        assert_eq!(shelf.look("one", 1, |thing, _| *thing), Some(2));
    }
}
