//! Runs the conformance vectors in `vectors/`. Their README says what they mean.

mod case;
mod key_ring;
mod outcome;
mod policies;
mod runner;

pub(crate) use case::{Case, Expect, groups};
pub(crate) use runner::Runner;

/// Says what differs from what.
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
