//! A change in the queue of the writer.

use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use crate::store::StoreError;

/// A change, and whoever waits for it.
pub(super) trait QueuedChange: Send {
    /// Nobody waits any more.
    fn is_abandoned(&self) -> bool;

    /// Makes the change within the transaction that is open.
    ///
    /// # Errors
    ///
    /// Only what ends the transaction for all. A change that fails for itself keeps its error.
    fn apply<'c>(
        &'c mut self,
        connection: &'c mut SqliteConnection,
    ) -> BoxFuture<'c, Result<(), StoreError>>;

    /// Tells the outcome to whoever waits.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

pub(super) struct Pending<T, F> {
    change: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Pending<T, F> {
    /// Returns the change, and the receiver of its result.
    pub(super) fn new(change: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, result) = oneshot::channel();
        (Self { change: Some(change), outcome: None, reply }, result)
    }
}

impl<T, F> QueuedChange for Pending<T, F>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, sqlx::Result<T>> + Send,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn apply<'c>(
        &'c mut self,
        connection: &'c mut SqliteConnection,
    ) -> BoxFuture<'c, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(change) = self.change.take() else { return Ok(()) };
            match change(connection).await.map_err(StoreError::from) {
                // SQLite undoes what the statement did, and the transaction goes on
                // (<https://sqlite.org/lang_transaction.html>, section 3).
                outcome @ (Ok(_) | Err(StoreError::Internal(_))) => {
                    self.outcome = Some(outcome);
                    Ok(())
                }
                Err(error) => Err(error),
            }
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let never_begun = || Err(sqlx::Error::WorkerCrashed.into());
        let Self { outcome, reply, .. } = *self;
        // Whoever waited may have gone.
        let _ = reply.send(committed.and_then(|()| outcome.unwrap_or_else(never_begun)));
    }
}
