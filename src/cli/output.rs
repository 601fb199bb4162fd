//! Standard output, whose reader may have gone.

use std::io;

/// The result of writing to standard output. If its reader needs no more, as in
/// `todo-api explain - | head -1`, that is not an error: the command ends as if it had been read.
pub(super) fn printed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
