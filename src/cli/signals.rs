//! The signals that stop the program, or make it read its certificate again.

use std::{
    fs,
    io::{self, IsTerminal},
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};

use crate::listener::Stop;

/// SIGINT and SIGTERM.
///
/// A supervisor sends SIGTERM, so the stop is announced to load balancers. SIGINT comes from a
/// person at a terminal.
pub(super) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Installs the handlers, before anything is started.
    ///
    /// # Errors
    ///
    /// The system's error.
    pub(super) fn new() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Completes on the next signal.
    pub(super) async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.interrupt.recv() => Stop::AtOnce,
            _ = self.terminate.recv() => Stop::Announced,
        }
    }

    /// Waits until no more copies of a signal are expected, and discards those that arrived.
    pub(super) async fn discard_copies(&mut self) {
        let discard = async {
            loop {
                self.next().await;
            }
        };
        // The loop never ends by itself.
        let _: Result<(), _> = timeout(COPIES_TIMEOUT, discard).await;
    }
}

/// How long copies of a signal may arrive after it. GNU `timeout` sends SIGTERM to its child and
/// then to the process group of the child; `sudo` and `npm` pass on a Ctrl-C that the terminal has
/// already sent to the whole group.
const COPIES_TIMEOUT: Duration = Duration::from_millis(500);

/// Completes on SIGINT, SIGTERM or SIGHUP, for a command that does not serve. The handlers are
/// installed immediately. SIGHUP stays ignored if the command was started with `nohup`.
///
/// # Errors
///
/// The system's error if a handler cannot be installed.
pub(super) fn cancel_signal() -> io::Result<impl Future<Output = ()>> {
    let mut stop = StopSignals::new()?;
    let hangup = if ignores_hangup() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(async move {
        let hangup = async {
            match hangup {
                Some(mut hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = stop.next() => {}
            _ = hangup => {}
        }
    })
}

/// Whether this process was started with SIGHUP ignored. Known only on Linux.
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP has the number 1, which is the lowest bit.
    mask.is_some_and(|mask| mask & 1 == 1)
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
