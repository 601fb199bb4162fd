//! Whether a tenant in another process works.

use std::io::{self, ErrorKind};

use super::local_request::send;

/// Checks that a development tenant answers at this HTTP port of this machine. Blocks for some
/// seconds if it does not answer. For containers.
///
/// # Errors
///
/// Nothing listens there, it does not answer, or it is another program.
pub fn check_health(port: u16) -> Result<(), Unhealthy> {
    match send("GET", port, "/", "") {
        Ok(response) if response.status == 200 && response.body.contains("development tenant") => {
            Ok(())
        }
        Ok(_) => Err(Unhealthy { port, source: another_program() }),
        Err(error) => Err(Unhealthy { port, source: in_words(error) }),
    }
}

/// The system's words for a timeout would be "resource temporarily unavailable".
fn in_words(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            io::Error::other("it does not respond in time")
        }
        ErrorKind::InvalidData => another_program(),
        _ => error,
    }
}

fn another_program() -> io::Error {
    io::Error::other("another program answers")
}

/// No development tenant answers.
#[derive(Debug, thiserror::Error)]
#[error("no development tenant answers at port {port}")]
pub struct Unhealthy {
    port: u16,
    source: io::Error,
}
