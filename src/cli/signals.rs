//! The signals that stop the program.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use crate::listener::Stop;

/// Completes on SIGINT or SIGTERM. The handlers are installed immediately, before anything is
/// started.
///
/// A supervisor sends SIGTERM, so the stop is announced to load balancers. SIGINT comes from a
/// person at a terminal.
///
/// # Errors
///
/// The system's error if a handler cannot be installed.
pub(super) fn stop_signal() -> io::Result<impl Future<Output = Stop>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Stop::AtOnce,
            _ = terminate.recv() => Stop::Announced,
        }
    })
}
