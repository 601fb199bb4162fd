//! Runs changes that may block.

use tokio::task::spawn_blocking;

use super::problem::{Problem, failed};

/// Runs a change on a thread that may block, since it may generate keys.
pub(super) async fn run<T, E>(
    change: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Into<Problem> + Send + 'static,
{
    let outcome = spawn_blocking(change).await;
    outcome.map_err(|_| failed("the directory could not be changed"))?.map_err(Into::into)
}
