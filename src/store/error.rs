//! Errors of the store. The variants tell whose fault an error is, and whether a retry may succeed.

use std::{error::Error, io, sync::Arc};

/// The cause of an error. All changes of a failed commit share theirs.
pub(super) type Cause = Arc<dyn Error + Send + Sync>;

/// Why an operation failed. The cause is for the log, not for the client.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// There are too many operations at once. A retry may succeed.
    #[error("the database is busy")]
    Overloaded(#[source] Cause),
    /// The environment's fault, such as a full disk, a missing file or a stopped database server.
    #[error("the database cannot be used")]
    Unavailable(#[source] Cause),
    /// A bug in this program.
    #[error("the database refused a query")]
    Internal(#[source] Cause),
}

impl StoreError {
    /// The operation waited longer than [`Options::timeout`](super::Options::timeout), or too many
    /// operations were waiting already.
    pub(super) fn no_turn() -> Self {
        Self::Overloaded(Arc::new(NotRun("too many operations are waiting for the database")))
    }

    /// The store is closed.
    pub(super) fn closed() -> Self {
        Self::Unavailable(Arc::new(NotRun("the database is closed")))
    }
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

/// Why an operation did not run.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotRun(&'static str);

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder of the file cannot be created or read.
    #[error("failed to create or use the folder {folder} of DATABASE_URL")]
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
        parameter: &'static str,
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
        source: Box<dyn Error + Send + Sync>,
    },
    /// The file was not made by this program, or is incomplete. Nothing in it has been changed.
    #[error(
        "the file {database} cannot be used, because {problem}: restore a backup, or set \
         DATABASE_URL to another file; nothing was changed"
    )]
    Unusable {
        /// The file.
        database: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A later version of this program has removed or changed something in the schema.
    #[error(
        "this version of the program cannot use the schema of {database} any more, because a later \
         version has applied {migration}: run that version, or a later one"
    )]
    Newer {
        /// The file or the server, without a password.
        database: String,
        /// The file of the unknown migration.
        migration: String,
    },
    /// The migration failed.
    #[error("failed to bring the schema of {database} up to date")]
    Migrate {
        /// The file or the server, without a password.
        database: String,
        /// The error of the migration.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}
