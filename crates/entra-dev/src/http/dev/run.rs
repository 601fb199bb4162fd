//! Runs changes that may block.

use tokio::task::spawn_blocking;

use crate::directory::EditError;

use super::problem::{Problem, failed};

/// Runs a change on a thread that may block, since it may generate keys.
pub(super) async fn run<T: Send + 'static>(
    change: impl FnOnce() -> Result<T, EditError> + Send + 'static,
) -> Result<T, Problem> {
    let outcome = spawn_blocking(change).await;
    Ok(outcome.map_err(|_| failed("the directory could not be changed"))??)
}
