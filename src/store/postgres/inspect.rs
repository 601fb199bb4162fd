//! Looks at a database without changing it.

use std::time::Duration;

use tokio_postgres::{Client, Error};

use crate::store::{
    OpenError, PostgresUrl, Schema,
    migrations::{POSTGRES, missing},
};

use super::{check_files, connect, connector::Connector, error::PostgresError, migrations};

const READ_ONLY: &str = "SELECT current_setting('transaction_read_only') = 'on'";
const HAS_SCHEMA: &str = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";

/// Returns what the schema of this database needs.
///
/// # Errors
///
/// [`OpenError`] if the server cannot be reached or is read-only, or if the schema is newer than
/// this program can use.
pub(in crate::store) async fn inspect(
    url: &PostgresUrl,
    timeout: Duration,
) -> Result<Schema, OpenError> {
    let database = url.without_password();
    check_files(url)?;
    let connector = Connector::new(url, timeout, &database)?;
    let (client, connection) = connect(&connector, timeout, &database).await?;
    let inspected = read(&client, &database).await;
    drop(client);
    // Nothing was changed, so an error while closing does not matter.
    let _ = connection.await;
    inspected
}

async fn read(client: &Client, database: &str) -> Result<Schema, OpenError> {
    let failed = |error: Error| OpenError::Connect {
        database: database.to_owned(),
        source: PostgresError::from(error).into(),
    };
    let is = async |query: &str| -> Result<bool, Error> {
        client.query_one(query, &[]).await?.try_get(0)
    };
    if is(READ_ONLY).await.map_err(failed)? {
        let source = "the server is read-only, as a standby is".into();
        return Err(OpenError::Connect { database: database.to_owned(), source });
    }
    if !is(HAS_SCHEMA).await.map_err(failed)? {
        return Ok(Schema::Missing);
    }
    let applied = migrations::applied(client).await.map_err(failed)?;
    Ok(Schema::with(missing(POSTGRES, &applied, database)?.len()))
}
