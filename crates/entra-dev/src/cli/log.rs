//! The log, on standard error.

use std::{
    io::{self, IsTerminal},
    sync::mpsc,
    thread,
    time::Duration,
};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// The maximum number of lines that wait to be written. Further lines are lost, so that a log that
/// nobody reads never blocks a request.
const LINE_LIMIT: usize = 1_000;
/// How long the program waits on exit for these lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(200);

/// Writes log lines until it is dropped.
pub(crate) struct Log(Option<WorkerGuard>);

/// Starts logging.
pub(crate) fn start() -> Log {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = NonBlockingBuilder::default().buffered_lines_limit(LINE_LIMIT);
    let (writer, guard) = builder.finish(io::stderr());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        // Otherwise it would panic if the log cannot be written.
        .log_internal_errors(false);
    // On a terminal, the subscriber respects NO_COLOR.
    if io::stderr().is_terminal() {
        log.init()
    } else {
        log.with_ansi(false).init()
    }
    Log(Some(guard))
}

impl Drop for Log {
    fn drop(&mut self) {
        let guard = self.0.take();
        let (written, wait) = mpsc::channel();
        // If the log is blocked, dropping the guard may wait forever.
        let flush = thread::Builder::new().spawn(move || {
            drop(guard);
            written.send(())
        });
        if flush.is_ok() {
            let _ = wait.recv_timeout(FLUSH_TIMEOUT);
        }
    }
}
