//! Errors of the store. The variants tell whose fault an error is, and whether a retry may succeed.

use std::{borrow::Cow, io, sync::Arc};

use sqlx::{Error, migrate::MigrateError};

/// Why an operation failed. The cause is for the log, not for the client. It is shared, because all
/// changes of a failed commit have the same cause.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// There are too many operations at once. A retry may succeed.
    #[error("the database is busy")]
    Overloaded(#[source] Arc<Error>),
    /// The environment's fault, such as a full disk, a missing file or a stopped database server.
    #[error("the database cannot be used")]
    Unavailable(#[source] Arc<Error>),
    /// A bug in this program.
    #[error("the database refused a query")]
    Internal(#[source] Arc<Error>),
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let code = error.as_database_error().and_then(|database| database.code());
        let kind = match (&error, code) {
            (Error::PoolTimedOut, _) => Self::Overloaded,
            (Error::Io(_) | Error::Tls(_) | Error::PoolClosed | Error::WorkerCrashed, _) => {
                Self::Unavailable
            }
            (_, Some(code)) => kind_of(code),
            _ => Self::Internal,
        };
        kind(Arc::new(error))
    }
}

type Kind = fn(Arc<Error>) -> StoreError;

fn kind_of(code: Cow<'_, str>) -> Kind {
    match result_code(&code) {
        Some(code) => kind_of_result_code(code),
        None => kind_of_sqlstate(&code),
    }
}

/// Returns SQLite's primary result code (<https://sqlite.org/rescode.html>). `None` for PostgreSQL,
/// whose codes have five characters. SQLite's codes are numbers below 10,000.
fn result_code(code: &str) -> Option<u32> {
    let code = code.parse::<u32>().ok().filter(|_| code.len() < 5)?;
    Some(code & 0xff)
}

/// The file of SQLite is read-only.
const READONLY: u32 = 8;

fn kind_of_result_code(code: u32) -> Kind {
    match code {
        // BUSY, LOCKED
        5 | 6 => StoreError::Overloaded,
        // PERM, NOMEM, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB
        3 | 7 | READONLY | 10 | 11 | 13 | 14 | 26 => StoreError::Unavailable,
        _ => StoreError::Internal,
    }
}

/// PostgreSQL is a standby or was set to read-only.
const READ_ONLY: &str = "25006";

/// Returns whether the database is read-only: PostgreSQL on this connection, or SQLite's file.
pub(super) fn is_read_only(error: &Error) -> bool {
    let code = error.as_database_error().and_then(|database| database.code());
    code.is_some_and(|code| code == READ_ONLY || result_code(&code) == Some(READONLY))
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn kind_of_sqlstate(code: &str) -> Kind {
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

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of the file cannot be created or read.
    #[error("failed to use the folder {folder}")]
    Folder {
        /// The folder.
        folder: String,
        /// The error of the file system.
        #[source]
        source: io::Error,
    },
    /// A file for TLS that the database URL names cannot be read.
    #[error("failed to read the file {file}, which is the {parameter} of the database URL")]
    Certificate {
        /// `sslrootcert`, `sslcert` or `sslkey`.
        parameter: String,
        /// The file.
        file: String,
        /// The error of the file system.
        #[source]
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error("failed to open the database {database}")]
    Connect {
        /// The file or the server, without a password.
        database: String,
        /// The error of the driver.
        #[source]
        source: Error,
    },
    /// A later version of this program has migrated the schema.
    #[error(
        "the schema of {database} has version {version}, which is newer than this program \
         supports: run the version that created it, or a later one"
    )]
    Newer {
        /// The file or the server, without a password.
        database: String,
        /// The unknown version.
        version: i64,
    },
    /// The migration failed.
    #[error("failed to bring the schema of {database} up to date")]
    Migrate {
        /// The file or the server, without a password.
        database: String,
        /// The error of the migration.
        #[source]
        source: MigrateError,
    },
}

impl OpenError {
    /// If the database has a migration that this program does not have, then a later version of the
    /// program has applied it.
    pub(super) fn migrate(database: String, source: MigrateError) -> Self {
        match source {
            MigrateError::VersionMissing(version) => Self::Newer { database, version },
            source => Self::Migrate { database, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_code_decides_the_kind_of_error() {
        let cause = || Arc::new(Error::RowNotFound);
        for (code, name) in [
            ("5", "busy"),
            ("517", "busy"),
            ("13", "cannot be used"),
            ("778", "cannot be used"),
            ("19", "refused"),
            ("2067", "refused"),
            ("57014", "busy"),
            ("53300", "busy"),
            ("53100", "cannot be used"),
            ("57P01", "cannot be used"),
            ("25006", "cannot be used"),
            ("23505", "refused"),
            ("42P01", "refused"),
        ] {
            let error = kind_of(code.into())(cause());
            assert!(error.to_string().contains(name), "{code}: {error}");
        }
    }
}
