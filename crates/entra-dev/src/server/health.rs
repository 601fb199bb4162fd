//! Whether a tenant in another process works.

use std::io;

use super::local_request::send;

/// Checks that a development tenant answers at this HTTP port of this machine. Blocks for some
/// seconds if it does not answer. For containers.
///
/// # Errors
///
/// Nothing listens there, it does not answer, or it is another program.
pub fn check_health(port: u16) -> Result<(), Unhealthy> {
    let response = send("GET", port, "/", "").map_err(|source| Unhealthy { port, source })?;
    if response.status == 200 && response.body.contains("development tenant") {
        return Ok(());
    }
    let source = io::Error::other("another program answers");
    Err(Unhealthy { port, source })
}

/// No development tenant answers.
#[derive(Debug, thiserror::Error)]
#[error("no development tenant answers at port {port}")]
pub struct Unhealthy {
    port: u16,
    source: io::Error,
}
