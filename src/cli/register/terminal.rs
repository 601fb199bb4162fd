//! What people see while the command runs.

use std::{
    io::{self, Write},
    sync::Mutex,
};

use super::super::progress::Progress;

/// What most of the work waits for.
pub(super) const GRAPH: &str = "waiting for Microsoft Graph";

/// Prints lines, and shows at a terminal how long the current call takes.
#[derive(Default)]
pub(super) struct Terminal {
    /// What the command waits for.
    progress: Mutex<Option<(&'static str, Progress)>>,
    changes: Mutex<usize>,
}

impl Terminal {
    /// From now on, shows how long this takes: a phrase such as [`GRAPH`].
    pub(super) fn start(&self, what: &'static str) {
        self.replace(Some(what));
    }

    pub(super) fn stop(&self) {
        self.replace(None);
    }

    /// Prints a change that was made.
    pub(super) fn changed(&self, change: &str) {
        let mut changes = self.changes.lock().unwrap_or_else(|error| error.into_inner());
        *changes += 1;
        self.print(&format!("  {change}"));
    }

    /// How many changes were made.
    pub(super) fn changes(&self) -> usize {
        *self.changes.lock().unwrap_or_else(|error| error.into_inner())
    }

    /// Prints a line of the result.
    pub(super) fn print(&self, line: &str) {
        self.between(|| writeln!(io::stdout(), "{line}"));
    }

    /// Prints a line about what is going on.
    pub(super) fn note(&self, line: &str) {
        self.between(|| writeln!(io::stderr(), "{line}"));
    }

    /// If the terminal is gone, the work goes on: a change that was begun is completed.
    fn between(&self, print: impl FnOnce() -> io::Result<()>) {
        let before = self.replace(None);
        let _ = print();
        self.replace(before);
    }

    /// Returns what was shown before.
    fn replace(&self, what: Option<&'static str>) -> Option<&'static str> {
        let mut current = self.progress.lock().unwrap_or_else(|error| error.into_inner());
        // Dropping it waits until the line is gone.
        let before = current.take().map(|(what, _)| what);
        *current = what.map(|what| (what, Progress::start(what)));
        before
    }
}
