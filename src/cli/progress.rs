//! Tells a person at a terminal what a command is waiting for.

use std::{
    io::{self, IsTerminal, Write},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Shows what is in progress and for how long, once it has taken a second. Dropping it removes the
/// line. It shows nothing if standard error is not a terminal.
pub(super) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

/// The time until the line is shown, and between its updates.
const INTERVAL: Duration = Duration::from_secs(1);

impl Progress {
    /// `what` is a phrase such as "copying the database".
    pub(super) fn start(what: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let (done, wait) = mpsc::channel();
        let show = move || {
            let started = Instant::now();
            let mut shown = 0;
            while let Err(RecvTimeoutError::Timeout) = wait.recv_timeout(INTERVAL) {
                let line = format!("{what}, {} s", started.elapsed().as_secs());
                shown = line.len();
                write(&format!("\r{line}"));
            }
            if shown > 0 {
                write(&format!("\r{:shown$}\r", ""));
            }
        };
        // Without a thread, the command works as well.
        Self(thread::Builder::new().spawn(show).ok().map(|thread| (done, thread)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, thread)) = self.0.take() {
            drop(done);
            // The thread writes nothing after this, so the output of the command follows.
            let _ = thread.join();
        }
    }
}

fn write(text: &str) {
    // If the terminal is gone, nobody needs the line.
    let _ = io::stderr().write_all(text.as_bytes());
}
