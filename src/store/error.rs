//! What goes wrong with a database, in terms of whose fault it is and whether it may pass.

use std::{borrow::Cow, io, sync::Arc};

use sqlx::{Error, migrate::MigrateError};

/// Why the store did not do as asked. The causes are for the log, not for the client; they are
/// shared, since one commit may fail for many.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// Too many at once; it may work in a moment.
    #[error("the database is busy")]
    Overloaded(#[source] Arc<Error>),
    /// The environment's fault: a full disk, a missing file, a database that is gone.
    #[error("the database cannot be used")]
    Unavailable(#[source] Arc<Error>),
    /// Ours.
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

/// The primary one (<https://sqlite.org/rescode.html>) of SQLite, whose codes are numbers below
/// 10,000. PostgreSQL's have five characters.
fn result_code(code: &str) -> Option<u32> {
    let code = code.parse::<u32>().ok().filter(|_| code.len() < 5)?;
    Some(code & 0xff)
}

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

/// Of a PostgreSQL that is a standby, or was set to read only.
const READ_ONLY: &str = "25006";

/// Whether the database can only be read: PostgreSQL on this connection, or the file of SQLite.
pub(super) fn is_read_only(error: &Error) -> bool {
    let code = error.as_database_error().and_then(|database| database.code());
    code.is_some_and(|code| code == READ_ONLY || result_code(&code) == Some(READONLY))
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn kind_of_sqlstate(code: &str) -> Kind {
    match code {
        // Cancelled for its time-out, lock not available, too many connections, and transactions
        // that lost against each other.
        "57014" | "55P03" | "53300" | "40001" | "40P01" => StoreError::Overloaded,
        READ_ONLY => StoreError::Unavailable,
        _ => match code.get(..2) {
            // Connections, resources, the operator, the system, damage. 3D and 28: the database
            // or the user is not there (any more).
            Some("08" | "53" | "57" | "58" | "XX" | "3D" | "28") => StoreError::Unavailable,
            _ => StoreError::Internal,
        },
    }
}

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of the file is not there and cannot be made, or cannot be read.
    #[error("failed to use the folder {folder}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the file system says.
        #[source]
        source: io::Error,
    },
    /// A file for TLS that the URL names cannot be read.
    #[error("failed to read the file {file}, the {parameter} of the database URL")]
    Certificate {
        /// `sslrootcert`, `sslcert` or `sslkey`.
        parameter: String,
        /// The file.
        file: String,
        /// What the file system says.
        #[source]
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error("failed to open the database {database}")]
    Connect {
        /// The file or the server, without a password.
        database: String,
        /// What the driver says.
        #[source]
        source: Error,
    },
    /// The schema was made by a newer program.
    #[error(
        "the schema of {database} has version {version}, which is newer than this program knows: \
         run the program that made it, or a later one"
    )]
    Newer {
        /// The file or the server, without a password.
        database: String,
        /// The version that is not known.
        version: i64,
    },
    /// The schema cannot be brought to this version.
    #[error("failed to bring the schema of {database} up to date")]
    Migrate {
        /// The file or the server, without a password.
        database: String,
        /// What is wrong.
        #[source]
        source: MigrateError,
    },
}

impl OpenError {
    /// A migration that the database has and this program does not comes from a later one.
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
    fn a_code_says_whose_fault_it_is() {
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
