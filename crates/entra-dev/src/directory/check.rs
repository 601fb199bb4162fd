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

/// Collects faults, so that all of them are reported together.
pub(super) struct Checks<'a> {
    source: &'a str,
    faults: Vec<Fault>,
}

impl<'a> Checks<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self { source, faults: Vec::new() }
    }

    /// Reports a fault at this byte range of the source.
    pub(super) fn report(&mut self, span: Range<usize>, text: impl Into<String>) {
        let line = line_at(self.source, span.start);
        self.faults.push(Fault { line, text: text.into() });
    }

    /// All faults, ordered by line.
    pub(super) fn into_faults(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| fault.line);
        self.faults
    }
}

/// The line, counted from 1, of this byte position.
pub(super) fn line_at(source: &str, position: usize) -> usize {
    let before = source.get(..position).unwrap_or(source);
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}
