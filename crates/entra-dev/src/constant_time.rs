//! Comparison of secrets.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};

/// Whether the text that a client sent is the expected secret. The time of the comparison does not
/// depend on how much of the text is right, so nobody can guess the secret piece by piece.
pub(crate) fn is_secret(expected: &str, given: &str) -> bool {
    let [expected, given] = [expected, given].map(|text| digest(&SHA256, text.as_bytes()));
    verify_slices_are_equal(expected.as_ref(), given.as_ref()).is_ok()
}
