//! What the errors of PostgreSQL, its driver and the pool mean
//! (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).

use std::{error::Error as _, fmt, io, sync::Arc};

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::{Error, error::SqlState};

use crate::{
    causes::Causes,
    store::{StoreError, error::Cause},
};

/// An error of PostgreSQL or its driver, in one line. The details and hints that PostgreSQL adds
/// are left out, because they may contain stored values.
#[derive(Debug)]
pub(super) struct PostgresError(Error);

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_db_error() {
            Some(error) => write!(f, "{} (SQLSTATE {})", error.message(), error.code().code()),
            None => Causes(&self.0).fmt(f),
        }
    }
}

impl std::error::Error for PostgresError {}

impl From<Error> for PostgresError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let is_io = error.source().is_some_and(|source| source.is::<io::Error>());
        let kind = match error.code() {
            Some(code) => kind_of(code),
            None if error.is_closed() || is_io => Self::Unavailable,
            None => Self::Internal,
        };
        kind(Arc::new(PostgresError(error)))
    }
}

impl From<PoolError> for StoreError {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Timeout(TimeoutType::Wait) => Self::no_turn(),
            PoolError::Closed => Self::closed(),
            PoolError::Backend(error) => error.into(),
            error => Self::Unavailable(Arc::new(error)),
        }
    }
}

/// Returns whether the server is a standby or was set to read-only.
pub(super) fn is_read_only(error: &Error) -> bool {
    error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION)
}

fn kind_of(code: &SqlState) -> fn(Cause) -> StoreError {
    match code.code() {
        // Statement timeout, lock not available, too many connections, serialization failure,
        // deadlock.
        "57014" | "55P03" | "53300" | "40001" | "40P01" => StoreError::Overloaded,
        // The server is read-only, or it ended a transaction in which the client had stopped.
        "25006" | "25P03" => StoreError::Unavailable,
        code => match code.get(..2) {
            // Connection, insufficient resources, operator intervention, system error, internal
            // error such as a damaged table. 3D and 28: the database or the user does not exist.
            Some("08" | "53" | "57" | "58" | "XX" | "3D" | "28") => StoreError::Unavailable,
            _ => StoreError::Internal,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_decides_the_kind_of_error() {
        let cause = || Arc::new(io::Error::other("any cause"));
        for (code, name) in [
            ("57014", "busy"),
            ("53300", "busy"),
            ("53100", "cannot be used"),
            ("57P01", "cannot be used"),
            ("25006", "cannot be used"),
            ("23505", "refused"),
            ("42P01", "refused"),
        ] {
            let error = kind_of(&SqlState::from_code(code))(cause());
            assert!(error.to_string().contains(name), "{code}: {error}");
        }
    }
}
