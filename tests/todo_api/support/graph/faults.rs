//! What goes wrong on request.

use std::collections::{HashMap, VecDeque};

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is closed without a response.
    Drop(Moment),
    /// The response has this status, an error.
    Status(Moment, u16),
    /// The call is refused with this status, 429 or 503, and this `Retry-After`.
    Throttle(u16, Option<&'static str>),
    /// The call waits until the test releases it. Then it continues normally.
    Hold(Moment),
}

/// Whether the call has changed something when it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Before,
    After,
}

impl Moment {
    pub(crate) const BOTH: [Self; 2] = [Self::Before, Self::After];
}

/// The faults that are still to come.
#[derive(Default)]
pub(super) struct Faults {
    /// By the number of the call; the first has the number 1.
    at: HashMap<usize, Fault>,
    /// For the next calls with this method whose path contains this text.
    on: Vec<(&'static str, &'static str, VecDeque<Fault>)>,
    /// For the first calls of each method and path.
    each: Option<(usize, Fault)>,
    /// How often a method and path was called.
    called: HashMap<String, usize>,
}

impl Faults {
    pub(super) fn add_at(&mut self, number: usize, fault: Fault) {
        self.at.insert(number, fault);
    }

    pub(super) fn add_on(
        &mut self,
        method: &'static str,
        path: &'static str,
        faults: impl IntoIterator<Item = Fault>,
    ) {
        self.on.push((method, path, faults.into_iter().collect()));
    }

    pub(super) fn add_each(&mut self, times: usize, fault: Fault) {
        self.each = Some((times, fault));
    }

    /// The fault of a call with this number.
    pub(super) fn take(&mut self, number: usize, method: &str, path: &str) -> Option<Fault> {
        let called = self.called.entry(format!("{method} {path}")).or_default();
        *called += 1;
        if let Some((times, fault)) = self.each
            && *called <= times
        {
            return Some(fault);
        }
        let mut on = self.on.iter_mut();
        let on =
            on.find(|(on, part, left)| *on == method && path.contains(part) && !left.is_empty());
        on.and_then(|(_, _, left)| left.pop_front()).or_else(|| self.at.remove(&number))
    }
}
