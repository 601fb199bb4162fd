//! Locks that a test holds to stop a server at a certain point.

use std::fs::File;

use tokio_postgres::Client;

use super::{Database, postgres};

/// An open PostgreSQL transaction, which holds the locks of its statement.
pub(crate) struct Transaction(Client);

impl Transaction {
    /// Begins a transaction and runs a statement in it.
    pub(crate) async fn begin(database: &Database, sql: &'static str) -> Self {
        let client = postgres::connect(&database.url()).await;
        client.batch_execute("BEGIN").await.unwrap();
        client.batch_execute(sql).await.unwrap();
        Self(client)
    }

    /// Commits the transaction, which releases its locks.
    pub(crate) async fn commit(self) {
        self.0.batch_execute("COMMIT").await.unwrap();
    }

    /// Rolls the transaction back, which releases its locks.
    pub(crate) async fn end(self) {
        self.0.batch_execute("ROLLBACK").await.unwrap();
    }
}

/// The lock that a server holds while it migrates the schema.
pub(crate) enum MigrationLock {
    Folder(File),
    Table(Transaction),
}

impl MigrationLock {
    pub(crate) async fn acquire(database: &Database) -> Self {
        match database {
            Database::Sqlite(_) => {
                let folder = File::open(database.file().parent().unwrap()).unwrap();
                folder.lock().unwrap();
                Self::Folder(folder)
            }
            Database::Postgres(_) => {
                let lock = "LOCK TABLE _sqlx_migrations IN ACCESS EXCLUSIVE MODE";
                Self::Table(Transaction::begin(database, lock).await)
            }
        }
    }

    pub(crate) async fn release(self) {
        match self {
            Self::Folder(folder) => folder.unlock().unwrap(),
            Self::Table(transaction) => transaction.end().await,
        }
    }
}

/// A lock that lets no change to the todos pass, but every read.
pub(crate) enum TodosLock {
    File(rusqlite::Connection),
    Table(Transaction),
}

impl TodosLock {
    pub(crate) async fn acquire(database: &Database) -> Self {
        match database {
            Database::Sqlite(_) => {
                let connection = database.open();
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                Self::File(connection)
            }
            Database::Postgres(_) => {
                let lock = "LOCK TABLE todos IN EXCLUSIVE MODE";
                Self::Table(Transaction::begin(database, lock).await)
            }
        }
    }

    pub(crate) async fn release(self) {
        match self {
            Self::File(connection) => connection.execute_batch("ROLLBACK").unwrap(),
            Self::Table(transaction) => transaction.end().await,
        }
    }
}
