//! The domain: a page of a list of todos. It knows only the todo and does no I/O.

use crate::todo::Todo;

/// How many todos a page has unless the caller chooses.
pub const DEFAULT_LIMIT: u16 = 100;

/// A page of a list of todos, in order of id, and what is needed to notice additions after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The todos on the page.
    pub todos: Vec<Todo>,
    /// Present if there are more todos after this page.
    pub rest: Option<Rest>,
}

/// Stands for the todos after a page. It changes with each todo that is added to the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest(i64);

impl Rest {
    /// A number that the store computed. It never takes an earlier value again.
    pub fn from_stored(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}
