//! Objects of a collection, which replicate late on request.

use serde_json::Value;

/// An object.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// Its newest version, as the primary replica has it.
    pub(super) value: Value,
    /// The version that reads return this many more times. `None` in place of the version: they do
    /// not find the object.
    old: Option<(Option<Value>, u32)>,
}

impl Object {
    /// An object that the next reads do not find.
    pub(super) fn new(value: Value, delay: u32) -> Self {
        Self { value, old: Some((None, delay)) }
    }

    /// Changes the object. The next reads still return the old version.
    pub(super) fn set(&mut self, value: Value, delay: u32) {
        if value == self.value {
            return;
        }
        let old = std::mem::replace(&mut self.value, value);
        // If not even the old version is visible yet, the object stays invisible.
        if !self.is_late() {
            self.old = Some((Some(old), delay));
        }
    }

    /// What a read finds.
    pub(super) fn read(&mut self) -> Option<Value> {
        match &mut self.old {
            Some((version, reads)) if *reads > 0 => {
                *reads -= 1;
                version.clone()
            }
            _ => Some(self.value.clone()),
        }
    }

    /// The same, without counting as a read.
    pub(super) fn visible(&self) -> Option<&Value> {
        match &self.old {
            Some((version, reads)) if *reads > 0 => version.as_ref(),
            _ => Some(&self.value),
        }
    }

    fn is_late(&self) -> bool {
        self.old.as_ref().is_some_and(|(_, reads)| *reads > 0)
    }

    pub(super) fn text(&self, member: &str) -> &str {
        self.value[member].as_str().unwrap_or_default()
    }

    pub(super) fn id(&self) -> &str {
        self.text("id")
    }
}
