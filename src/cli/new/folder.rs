//! Creates a folder with files: all of them or nothing.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anyhow::{Context, ensure};

/// A path inside the folder, and the content of the file.
pub(super) type File = (&'static str, String);

/// Creates the folder in the current one. The files are written to a temporary folder beside it,
/// which is renamed when it is complete, and removed after an error.
pub(super) fn create(name: &str, files: &[File]) -> anyhow::Result<()> {
    // A link that leads nowhere also has metadata.
    ensure!(
        fs::symlink_metadata(name).is_err(),
        "failed to create {name}: it exists already; choose another name, or remove it"
    );
    write(name, files).with_context(|| format!("failed to create {name}; nothing was left behind"))
}

fn write(name: &str, files: &[File]) -> io::Result<()> {
    let temporary = tempfile::Builder::new()
        .prefix(&format!(".{name}-"))
        // Those of any new folder: the umask takes some away.
        .permissions(Permissions::from_mode(0o777))
        .tempdir_in(".")?;
    for (path, content) in files {
        let path = temporary.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("")))?;
        fs::write(path, content)?;
    }
    fs::rename(temporary.path(), name)?;
    // The temporary folder no longer exists.
    let _ = temporary.keep();
    Ok(())
}
