use std::fmt;
use std::ops::Range;

/// One thing that is wrong in a directory file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there, and what would be right.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}

/// Collects faults, so that all of them can be told at once.
pub(super) struct Checks<'a> {
    source: &'a str,
    faults: Vec<Fault>,
}

impl<'a> Checks<'a> {
    pub(super) fn of(source: &'a str) -> Self {
        Self { source, faults: Vec::new() }
    }

    /// Notes a fault at this place in the source, in bytes.
    pub(super) fn note(&mut self, place: Range<usize>, text: impl Into<String>) {
        let before = self.source.get(..place.start).unwrap_or(self.source);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        self.faults.push(Fault { line, text: text.into() });
    }

    /// The faults in the order of their lines.
    pub(super) fn into_faults(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| fault.line);
        self.faults
    }
}
