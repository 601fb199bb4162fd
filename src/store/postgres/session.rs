//! Runs statements that are prepared once per connection.

use deadpool_postgres::{ClientWrapper, Object, StatementCache, Transaction};
use tokio_postgres::{Client, Error, Row, types::ToSql};

/// A connection, which may be in a transaction.
pub(super) struct Session<'a> {
    client: &'a Client,
    statements: &'a StatementCache,
}

type Values<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Session<'_> {
    /// Returns all rows.
    pub(super) async fn rows(&self, sql: &str, values: Values<'_>) -> Result<Vec<Row>, Error> {
        let statement = self.statements.prepare(self.client, sql).await?;
        self.client.query(&statement, values).await
    }

    /// Returns the row. An error if there is another number of rows.
    pub(super) async fn row(&self, sql: &str, values: Values<'_>) -> Result<Row, Error> {
        let statement = self.statements.prepare(self.client, sql).await?;
        self.client.query_one(&statement, values).await
    }

    /// Returns the row, if there is one.
    pub(super) async fn row_if_any(
        &self,
        sql: &str,
        values: Values<'_>,
    ) -> Result<Option<Row>, Error> {
        let statement = self.statements.prepare(self.client, sql).await?;
        self.client.query_opt(&statement, values).await
    }

    /// Returns the number of changed rows.
    pub(super) async fn change(&self, sql: &str, values: Values<'_>) -> Result<u64, Error> {
        let statement = self.statements.prepare(self.client, sql).await?;
        self.client.execute(&statement, values).await
    }
}

impl<'a> From<&'a ClientWrapper> for Session<'a> {
    fn from(client: &'a ClientWrapper) -> Self {
        Self { client, statements: &client.statement_cache }
    }
}

impl<'a> From<&'a Object> for Session<'a> {
    fn from(client: &'a Object) -> Self {
        Self::from(&**client)
    }
}

impl<'a> From<&'a Transaction<'a>> for Session<'a> {
    fn from(transaction: &'a Transaction<'a>) -> Self {
        Self { client: transaction.client(), statements: &transaction.statement_cache }
    }
}
