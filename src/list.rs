//! The domain: a page of a list of todos. This module depends only on [`mod@crate::todo`] and does
//! no I/O.

use crate::todo::Todo;

/// The page size if the caller does not set one, in todos.
pub const DEFAULT_LIMIT: u16 = 100;

/// A page of a list of todos, in ascending order of id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The todos on the page.
    pub todos: Vec<Todo>,
    /// Identifies the state of the list after this page. `None` on the last page.
    pub rest: Option<Rest>,
}

/// A number that changes whenever a todo is added to the list. The entity tag of a page depends on
/// it, so a client notices that more todos follow the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest(i64);

impl Rest {
    /// Returns a number that the store computed.
    pub fn from_stored(number: i64) -> Self {
        Self(number)
    }

    /// Returns the number.
    pub fn get(self) -> i64 {
        self.0
    }
}
