//! Ends the work early if a person asks for it, and says how it ended.

use std::{pin::pin, process::ExitCode, sync::Arc, thread};

use anyhow::Context;
use tokio::sync::oneshot;

use crate::{
    causes::Causes,
    register::{Failure, Stop},
};

use super::{super::signals::cancel_signal, terminal::Terminal};

/// The exit code of a program that a person stopped, as shells report it for SIGINT.
const STOPPED: u8 = 130;

/// Runs the work until it ends. A signal only asks it to stop, so that it can wait for the response
/// to a change that was sent.
pub(super) async fn interruptible<W>(
    terminal: &Arc<Terminal>,
    work: impl FnOnce(Stop) -> W,
) -> anyhow::Result<ExitCode>
where
    W: Future<Output = anyhow::Result<()>>,
{
    let (stop_now, stop) = Stop::new();
    let mut stop_now = Some(stop_now);
    let mut signal = pin!(cancel_signal()?);
    let mut work = pin!(work(stop));
    let result = loop {
        tokio::select! {
            result = &mut work => break result,
            () = &mut signal, if stop_now.is_some() => {
                if let Some(stop_now) = stop_now.take() {
                    terminal.note("Stopping after the change that was sent, if there is one.");
                    stop_now();
                }
            }
        }
    };
    terminal.stop();
    Ok(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => explain(&error, terminal),
    })
}

/// Says what is wrong, what was changed and what to do.
pub(super) fn explain(error: &anyhow::Error, terminal: &Terminal) -> ExitCode {
    let failure = error.downcast_ref::<Failure>();
    let is_stop = matches!(failure, Some(Failure::Stopped));
    match is_stop {
        true => terminal.note("Stopped."),
        false => terminal.note(&format!("Error: {}", Causes(error.as_ref()))),
    }
    let changed = match terminal.changes() {
        0 => "Nothing was changed".to_owned(),
        count => format!("Changed so far: {count}, listed above"),
    };
    let is_uncertain = failure.is_some_and(Failure::is_uncertain);
    terminal.note(&match (is_uncertain, terminal.changes()) {
        (true, 0) => "It is not known whether the change was made. Run the command again: it checks, \
            and continues."
            .to_owned(),
        (true, _) => format!(
            "{changed}. It is not known whether the next change was made. Run the command again: it \
             checks, and continues."
        ),
        (false, 0) => format!("{changed}."),
        (false, _) => format!("{changed}. Run the command again to continue."),
    });
    let advice = failure.map(Failure::advice).unwrap_or_default();
    if !advice.is_empty() {
        terminal.note(&advice);
    }
    if is_stop { ExitCode::from(STOPPED) } else { ExitCode::FAILURE }
}

/// Runs blocking work in a thread of its own. After a stop, the program does not wait for it, as it
/// would for a task of the runtime.
///
/// # Errors
///
/// If the thread cannot be started, or panics.
pub(super) async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    let (send, result) = oneshot::channel();
    let work = move || {
        // After a stop, the receiver is gone, and the result is not needed.
        let _ = send.send(work());
    };
    thread::Builder::new().spawn(work).context("failed to start a thread")?;
    result.await.context("a thread ended early")
}
