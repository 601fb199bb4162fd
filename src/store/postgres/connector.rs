//! Connects to the server.

use std::{pin::Pin, str::FromStr, time::Duration};

use deadpool_postgres::Connect;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    causes::Causes,
    store::{OpenError, PostgresUrl},
};

use super::{error::PostgresError, tls::tls};

/// Opens connections to one database.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    /// The settings of a session, as SQL.
    session: String,
}

impl Connector {
    /// A statement may take up to `timeout`. `database` is the name for errors.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if a parameter of the URL is invalid.
    pub(super) fn new(
        url: &PostgresUrl,
        timeout: Duration,
        database: &str,
    ) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Connect { database: database.to_owned(), source };
        let mut config = Config::from_str(&url.without_tls())
            .map_err(|error| failed(PostgresError::from(error).into()))?;
        let (mode, tls) = tls(url).map_err(failed)?;
        config.application_name("todo-api").ssl_mode(mode);
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(timeout);
        }
        Ok(Self { config, tls, session: session(timeout) })
    }

    /// The driver's settings.
    pub(super) fn config(&self) -> Config {
        self.config.clone()
    }

    /// Opens a connection without a statement timeout. The returned task runs until the client is
    /// dropped or the connection breaks.
    pub(super) async fn connect(&self) -> Result<(Client, JoinHandle<()>), Error> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        let task = tokio::spawn(async move {
            // The requests that used the connection report the error too.
            if let Err(error) = connection.await {
                tracing::debug!(error = %Causes(&error), "a connection to PostgreSQL broke");
            }
        });
        Ok((client, task))
    }

    /// Opens a connection with the settings of a session.
    pub(super) async fn start_session(&self) -> Result<(Client, JoinHandle<()>), Error> {
        let (client, task) = self.connect().await?;
        client.batch_execute(&self.session).await?;
        Ok((client, task))
    }
}

impl Connect for Connector {
    fn connect(
        &self,
        _config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        Box::pin(self.start_session())
    }
}

/// The settings of a session, whatever the defaults of the server, the database and the role are:
///
/// - A lock is held before the snapshot of the next statement is taken, which is only true at this
///   isolation level.
/// - No statement takes longer than a request may wait, and a server that stops in the middle of a
///   transaction does not keep its lock.
fn session(timeout: Duration) -> String {
    let milliseconds = timeout.as_millis();
    format!(
        "SET default_transaction_isolation = 'read committed';
         SET statement_timeout = {milliseconds};
         SET idle_in_transaction_session_timeout = {milliseconds}"
    )
}
