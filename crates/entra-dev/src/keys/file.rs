//! Writes files so that a reader sees all of the content or none of it.

use std::{
    fs::Permissions,
    io::{self, Write},
    path::Path,
};

use tempfile::{Builder, NamedTempFile};

use super::error::{KeyError, failed};

/// Creates a file that only this user can read; an existing file is kept.
///
/// If two processes do this at the same time, the first file is kept.
pub(crate) fn create(path: &Path, content: &[u8]) -> Result<(), KeyError> {
    // Temporary files have the mode 600.
    let draft = write_draft(&Builder::new(), path, content)?;
    match draft.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => {
            Err(failed("create", path)(error.error))
        }
        _ => Ok(()),
    }
}

/// Creates or replaces a file with the default mode, so that other users can read it.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), KeyError> {
    let mut builder = Builder::new();
    #[cfg(unix)]
    builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    let draft = write_draft(&builder, path, content)?;
    draft.persist(path).map(drop).map_err(|error| failed("write", path)(error.error))
}

fn write_draft(
    builder: &Builder<'_, '_>,
    path: &Path,
    content: &[u8],
) -> Result<NamedTempFile, KeyError> {
    let write = || {
        let mut draft = builder.tempfile_in(path.parent().unwrap_or(Path::new("")))?;
        draft.write_all(content)?;
        draft.as_file().sync_all()?;
        Ok(draft)
    };
    write().map_err(failed("write", path))
}
