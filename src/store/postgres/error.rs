//! What the errors of PostgreSQL and its driver mean
//! (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).

use std::sync::Arc;

use sqlx::{Error, migrate::MigrateError};

use crate::store::{OpenError, StoreError, error::Cause};

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::PoolTimedOut => Self::Overloaded,
            Error::Io(_) | Error::Tls(_) | Error::PoolClosed | Error::WorkerCrashed => {
                Self::Unavailable
            }
            Error::Database(database) => match database.code() {
                Some(code) => kind_of(&code),
                None => Self::Internal,
            },
            _ => Self::Internal,
        };
        kind(Arc::new(error))
    }
}

/// The server is a standby or was set to read-only.
const READ_ONLY: &str = "25006";

/// Returns whether the database is read-only on this connection.
pub(super) fn is_read_only(error: &Error) -> bool {
    let code = error.as_database_error().and_then(|database| database.code());
    code.is_some_and(|code| code == READ_ONLY)
}

fn kind_of(code: &str) -> fn(Cause) -> StoreError {
    match code {
        // Statement timeout, lock not available, too many connections, serialization failure,
        // deadlock.
        "57014" | "55P03" | "53300" | "40001" | "40P01" => StoreError::Overloaded,
        // The server ended a transaction in which the client had stopped.
        READ_ONLY | "25P03" => StoreError::Unavailable,
        _ => match code.get(..2) {
            // Connection, insufficient resources, operator intervention, system error, internal
            // error such as a damaged table. 3D and 28: the database or the user does not exist.
            Some("08" | "53" | "57" | "58" | "XX" | "3D" | "28") => StoreError::Unavailable,
            _ => StoreError::Internal,
        },
    }
}

/// If the database has a migration that this program does not have, then a later version of the
/// program has applied it.
pub(super) fn migration(database: String, source: MigrateError) -> OpenError {
    match source {
        MigrateError::VersionMissing(version) => OpenError::Newer { database, version },
        source => OpenError::Migrate { database, source: source.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_decides_the_kind_of_error() {
        let cause = || Arc::new(Error::RowNotFound);
        for (code, name) in [
            ("57014", "busy"),
            ("53300", "busy"),
            ("53100", "cannot be used"),
            ("57P01", "cannot be used"),
            ("25006", "cannot be used"),
            ("23505", "refused"),
            ("42P01", "refused"),
        ] {
            let error = kind_of(code)(cause());
            assert!(error.to_string().contains(name), "{code}: {error}");
        }
    }
}
