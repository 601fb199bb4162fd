//! Removes rows that are no longer visible, in small batches: todos that delete-all has deleted,
//! and expired idempotency keys.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{sync::Notify, task::JoinHandle};

use crate::causes::Causes;

use super::StoreError;

/// A task that removes rows when it starts, when it is woken, and every ten minutes. The first run
/// continues the work of an earlier server.
pub(super) struct Sweeper {
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

/// The time between two runs. Timed runs are needed because keys expire without waking the task,
/// and because another server may have stopped before it was done.
const INTERVAL: Duration = Duration::from_secs(600);

impl Sweeper {
    /// Starts the task. `sweep` removes one batch, and returns whether there was anything to
    /// remove.
    pub(super) fn start<F>(sweep: F) -> Self
    where
        F: Fn() -> BoxFuture<'static, Result<bool, StoreError>> + Send + 'static,
    {
        let wake = Arc::new(Notify::new());
        let woken = Arc::clone(&wake);
        let task = tokio::spawn(async move {
            loop {
                match sweep().await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => {
                        let error = Causes(&error);
                        tracing::warn!(%error, "failed to remove deleted rows; will retry");
                    }
                }
                // The result does not matter: both the timer and a wake-up start the next run.
                let _ = tokio::time::timeout(INTERVAL, woken.notified()).await;
            }
        });
        Self { wake, task }
    }

    /// Tells the task that there are rows to remove.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Stops the task. The next server continues its work.
    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.stop();
    }
}
