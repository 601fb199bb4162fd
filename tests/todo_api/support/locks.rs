//! Locks that a test holds to stop a server at a certain point.

use std::fs::File;

use sqlx::{Connection, PgConnection};

use super::Database;

/// An open PostgreSQL transaction, which holds the locks of its statement.
pub(crate) struct Transaction(PgConnection);

impl Transaction {
    /// Begins a transaction and runs a statement in it.
    pub(crate) async fn begin(database: &Database, sql: &'static str) -> Self {
        let mut connection = PgConnection::connect(&database.url()).await.unwrap();
        sqlx::raw_sql("BEGIN").execute(&mut connection).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        Self(connection)
    }

    /// Commits the transaction, which releases its locks.
    pub(crate) async fn commit(mut self) {
        sqlx::raw_sql("COMMIT").execute(&mut self.0).await.unwrap();
        self.0.close().await.unwrap();
    }

    /// Rolls the transaction back, which releases its locks.
    pub(crate) async fn end(mut self) {
        sqlx::raw_sql("ROLLBACK").execute(&mut self.0).await.unwrap();
        self.0.close().await.unwrap();
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
