//! Collects the faults of a directory file.

use std::{fmt, ops::Range};

/// A fault in a directory file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what is expected instead.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// A fault at a byte position of the source.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) position: usize,
    pub(super) text: String,
}

impl Finding {
    /// The fault with its line in this source.
    pub(super) fn into_fault(self, source: &str) -> Fault {
        Fault { line: line_at(source, self.position), text: self.text }
    }
}

/// Collects faults, so that all of them are reported together.
#[derive(Default)]
pub(super) struct Checks(Vec<Finding>);

impl Checks {
    /// Reports a fault at this byte range of the source.
    pub(super) fn report(&mut self, span: Range<usize>, text: impl Into<String>) {
        self.0.push(Finding { position: span.start, text: text.into() });
    }

    /// All faults, in the order of the source.
    pub(super) fn into_findings(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| finding.position);
        self.0
    }
}

/// The line, counted from 1, of this byte position.
fn line_at(source: &str, position: usize) -> usize {
    let before = source.get(..position).unwrap_or(source);
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}
