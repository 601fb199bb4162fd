//! Errors in log lines.

use std::{error::Error, fmt};

/// An error and its causes in one line. Log formats differ in how they show the causes of an error.
pub(crate) struct Causes<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to {0}")]
    struct Failed(&'static str, #[source] Box<dyn Error>);

    #[test]
    fn an_error_and_all_its_causes_are_one_line() {
        let cause = Failed("connect", io::Error::other("no route").into());
        let error = Failed("fetch", cause.into());
        assert_eq!(Causes(&error).to_string(), "failed to fetch: failed to connect: no route");
    }
}
