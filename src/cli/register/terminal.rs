//! What people see while the command runs.

use std::{
    io::{self, Write},
    sync::Mutex,
};

use super::super::progress::Progress;

/// Prints lines, and shows at a terminal how long the current call takes.
#[derive(Default)]
pub(super) struct Terminal {
    progress: Mutex<Option<Progress>>,
    changes: Mutex<usize>,
}

impl Terminal {
    /// From now on, shows how long the work takes.
    pub(super) fn start(&self) {
        self.replace(Some(Progress::start("waiting for Microsoft Graph")));
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
        let was_running = self.replace(None);
        let _ = print();
        if was_running {
            self.start();
        }
    }

    /// Returns whether there was a progress line before.
    fn replace(&self, progress: Option<Progress>) -> bool {
        let mut current = self.progress.lock().unwrap_or_else(|error| error.into_inner());
        let before = current.take();
        let was_running = before.is_some();
        // Waits until the line is gone.
        drop(before);
        *current = progress;
        was_running
    }
}
