//! Changes in the writer's queue.

use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use crate::store::StoreError;

/// A change in the queue. Hides the type of its result, so that one queue holds all changes.
pub(super) trait QueuedChange: Send {
    /// Returns whether the caller has stopped waiting for the result.
    fn is_abandoned(&self) -> bool;

    /// Makes the change in the current transaction.
    ///
    /// # Errors
    ///
    /// Only errors that end the transaction. If only this change has failed, its error is the
    /// result of the change, and the transaction continues.
    fn apply<'c>(
        &'c mut self,
        connection: &'c mut SqliteConnection,
    ) -> BoxFuture<'c, Result<(), StoreError>>;

    /// Sends the result to the caller: the error of the commit or, if it succeeded, the result of
    /// the change.
    fn reply(self: Box<Self>, committed: Result<(), StoreError>);
}

/// A change and the sender of its result.
pub(super) struct Pending<T, F> {
    change: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Pending<T, F> {
    /// Returns the change, and the receiver of its result.
    pub(super) fn new(change: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, result) = oneshot::channel();
        (Self { change: Some(change), result: None, reply }, result)
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
                // SQLite undoes only the failed statement, and the transaction continues
                // (<https://sqlite.org/lang_transaction.html>, section 3).
                result @ (Ok(_) | Err(StoreError::Internal(_))) => {
                    self.result = Some(result);
                    Ok(())
                }
                Err(error) => Err(error),
            }
        })
    }

    fn reply(self: Box<Self>, committed: Result<(), StoreError>) {
        let not_applied = || Err(sqlx::Error::WorkerCrashed.into());
        let Self { result, reply, .. } = *self;
        // The caller may have stopped waiting.
        let _ = reply.send(committed.and_then(|()| result.unwrap_or_else(not_applied)));
    }
}
