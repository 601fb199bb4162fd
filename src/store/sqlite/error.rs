//! What SQLite's errors mean (<https://sqlite.org/rescode.html>).

use std::sync::Arc;

use rusqlite::{Error, ErrorCode};

use crate::store::{StoreError, error::Cause};

/// An error of SQLite. The driver's error has the result code as its cause, which repeats the
/// message.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct SqliteError(Error);

impl From<Error> for SqliteError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let kind = kind_of(error.sqlite_error_code());
        kind(Arc::new(SqliteError(error)))
    }
}

/// Returns whether the file is read-only.
pub(super) fn is_read_only(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ReadOnly)
}

fn kind_of(code: Option<ErrorCode>) -> fn(Cause) -> StoreError {
    use ErrorCode::*;

    match code {
        Some(DatabaseBusy | DatabaseLocked | OperationInterrupted) => StoreError::Overloaded,
        Some(
            PermissionDenied | OutOfMemory | ReadOnly | SystemIoFailure | DatabaseCorrupt
            | DiskFull | CannotOpen | NotADatabase,
        ) => StoreError::Unavailable,
        _ => StoreError::Internal,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_result_code_decides_the_kind_of_error() {
        for (code, name) in [
            (ffi::SQLITE_BUSY, "busy"),
            (ffi::SQLITE_BUSY_SNAPSHOT, "busy"),
            (ffi::SQLITE_INTERRUPT, "busy"),
            (ffi::SQLITE_FULL, "cannot be used"),
            (ffi::SQLITE_IOERR_WRITE, "cannot be used"),
            (ffi::SQLITE_CONSTRAINT, "refused"),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, "refused"),
        ] {
            let error = StoreError::from(Error::SqliteFailure(ffi::Error::new(code), None));
            assert!(error.to_string().contains(name), "{code}: {error}");
        }
    }
}
