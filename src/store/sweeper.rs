//! Removes, little by little, what nobody sees any more: the todos of a tenant that deleted all of
//! them, and idempotency keys whose time is over.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{sync::Notify, task::JoinHandle};

use crate::causes::Causes;

use super::StoreError;

/// A task that sweeps at start, where an earlier server may have left off, when it is told that
/// there is something, and every now and then.
pub(super) struct Sweeper {
    wake: Arc<Notify>,
    task: JoinHandle<()>,
}

/// Keys grow old without anybody saying so, and another server may have stopped in the middle.
const INTERVAL: Duration = Duration::from_secs(600);

impl Sweeper {
    /// `sweep` removes a little, and says whether there was something.
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
                        tracing::warn!(error = %Causes(&error), "failed to sweep; later again");
                    }
                }
                // Elapsed or woken: both are a reason to look.
                let _ = tokio::time::timeout(INTERVAL, woken.notified()).await;
            }
        });
        Self { wake, task }
    }

    /// There is something to remove.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Leaves the rest to the next start.
    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.stop();
    }
}
