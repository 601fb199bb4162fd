//! The signals that stop the program, or make it read its certificate again.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{Signal, SignalKind, signal};

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

/// SIGHUP, which a server gets for one of two reasons.
pub(super) struct Hangups {
    signal: Signal,
    had_terminal: bool,
}

/// Why a server got SIGHUP.
pub(super) enum Hangup {
    /// A person or a supervisor wants it to read its files again.
    Reload,
    /// Its terminal was closed.
    TerminalClosed,
}

impl Hangups {
    /// Installs the handler.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { signal: signal(SignalKind::hangup())?, had_terminal: has_terminal() })
    }

    /// Completes on the next signal.
    pub(super) async fn next(&mut self) -> Hangup {
        self.signal.recv().await;
        match self.had_terminal && !has_terminal() {
            true => Hangup::TerminalClosed,
            false => Hangup::Reload,
        }
    }
}

/// Whether one of the standard streams is a terminal that is still open.
fn has_terminal() -> bool {
    io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
}
