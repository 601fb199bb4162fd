//! The runner of the conformance vectors in `vectors/`. The README there describes the format.

mod case;
mod key_ring;
mod outcome;
mod policies;
mod runner;
mod verdicts;

pub(crate) use case::{Case, Expect, groups};
pub(crate) use runner::Runner;
pub(crate) use verdicts::{Verdict, Verdicts};

/// Fails with a message if the values differ.
pub(super) fn equal<T: PartialEq<U> + std::fmt::Debug, U: std::fmt::Debug>(
    what: &str,
    found: &T,
    expected: &U,
) -> Result<(), String> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: found {found:?}, expected {expected:?}")),
    }
}
