//! What must be in the database after a crash.

use std::collections::BTreeMap;

/// What is known about a todo. Its last request may have had no response.
#[derive(Debug, Clone, Default)]
pub(crate) struct Item {
    pub(crate) id: Option<i64>,
    pub(crate) complete: Sent,
    pub(crate) deleted: Sent,
}

/// How far a request got.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) enum Sent {
    /// It was not sent.
    #[default]
    No,
    /// It was sent without a response, so the server may have received it.
    InDoubt,
    /// The server responded.
    Acknowledged,
}

/// The todos that must be there, and every id so far.
#[derive(Default)]
pub(crate) struct Kept {
    items: BTreeMap<String, Item>,
    /// Every id that was ever returned, with the name of its todo.
    ids: BTreeMap<i64, String>,
    /// The highest id of the rounds before this one.
    highest: i64,
}

impl Kept {
    /// Adds what a round has sent, by the name of the todo.
    pub(crate) fn add(&mut self, known: BTreeMap<String, Item>) {
        self.highest = self.ids.last_key_value().map_or(0, |(id, _)| *id);
        for (name, item) in &known {
            item.id.into_iter().for_each(|id| self.claim(id, name));
        }
        self.items.extend(known);
    }

    /// Asserts that an id belongs to one todo only, and is higher than all ids that existed when
    /// the todo was created.
    fn claim(&mut self, id: i64, name: &str) {
        match self.ids.get(&id) {
            Some(owner) => assert_eq!(owner, name, "two todos have the id {id}"),
            None => {
                assert!(id > self.highest, "the id {id} of {name} was used before");
                self.ids.insert(id, name.to_owned());
            }
        }
    }

    /// Compares with what the server returns: the id of each todo, and whether it is complete.
    pub(crate) fn compare(&mut self, mut found: BTreeMap<String, (i64, bool)>, round: u64) {
        for (name, item) in &self.items.clone() {
            let context = format!("round {round}: {name}: {item:?}");
            let Some((id, complete)) = found.remove(name) else {
                assert!(item.id.is_none() || item.deleted != Sent::No, "lost in {context}");
                continue;
            };
            self.claim(id, name);
            assert!(item.deleted != Sent::Acknowledged, "deleted but still there in {context}");
            match item.complete {
                Sent::No => assert!(!complete, "complete without a request in {context}"),
                Sent::InDoubt => {}
                Sent::Acknowledged => assert!(complete, "the change was lost in {context}"),
            }
        }
        assert!(found.is_empty(), "round {round}: todos that were never sent: {found:?}");
    }

    /// Forgets all todos, but not their ids.
    pub(crate) fn forget(&mut self) {
        self.items.clear();
    }
}
