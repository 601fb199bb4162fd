//! The request to stop early.

use std::future::pending;

use tokio::sync::watch;

/// Says whether a person wants the program to stop. A change that was sent is awaited all the same:
/// otherwise nobody would know whether it was made.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A request to stop, and the function that makes it.
    pub fn new() -> (impl FnOnce() + Send, Self) {
        let (sender, receiver) = watch::channel(false);
        let stop = move || {
            // Without a receiver, the work has ended already.
            let _ = sender.send(true);
        };
        (stop, Self(receiver))
    }

    /// Never stops.
    pub fn never() -> Self {
        Self::new().1
    }

    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes when the program is to stop.
    pub(crate) async fn requested(&self) {
        if self.0.clone().wait_for(|stop| *stop).await.is_err() {
            // The sender is gone, so nobody will ask any more.
            pending().await
        }
    }
}
