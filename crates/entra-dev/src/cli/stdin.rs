//! The end of standard input: the process that held the other end of the pipe is gone.

use std::{future, io, thread};

use tokio::sync::oneshot;

/// Waits until standard input ends or, if that does not matter, forever. Input is discarded.
///
/// # Errors
///
/// The system has no thread left to read it.
pub(super) fn end(matters: bool) -> io::Result<impl Future<Output = ()>> {
    let (ended, end) = oneshot::channel();
    if matters {
        // Reading cannot be cancelled, so the runtime must not wait for it.
        thread::Builder::new().spawn(move || {
            // An error also means that nothing more can be read.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            ended.send(())
        })?;
        return Ok(wait(Some(end)));
    }
    Ok(wait(None))
}

async fn wait(end: Option<oneshot::Receiver<()>>) {
    match end {
        Some(end) => drop(end.await),
        None => future::pending().await,
    }
}
