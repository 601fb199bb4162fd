//! A disk on which each read of the SQLite file takes 200 ms.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::Launch;

/// Delays the reads of the programs that are launched with it, while it is on.
pub(crate) struct SlowDisk {
    library: PathBuf,
    /// While this file exists, reads are slow. Each adds a byte to it.
    marker: PathBuf,
}

impl SlowDisk {
    /// Prepares the disk in this folder. It is not slow yet.
    pub(crate) fn new(folder: &Path) -> Self {
        let library = folder.join("slow_disk.so");
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "tests/todo_api/support/slow_disk.c", "-o"]);
        assert!(compile.arg(&library).status().unwrap().success());
        Self { library, marker: folder.join("marker") }
    }

    /// The same launch, of a program that uses this disk.
    pub(crate) fn under(&self, launch: Launch) -> Launch {
        launch
            .with("LD_PRELOAD", self.library.to_str().unwrap())
            .with("SLOW_DISK", self.marker.to_str().unwrap())
    }

    pub(crate) fn turn_on(&self) {
        fs::write(&self.marker, "").unwrap();
    }

    pub(crate) fn turn_off(&self) {
        fs::remove_file(&self.marker).unwrap();
    }

    /// The number of slow reads since it was turned on.
    pub(crate) fn reads(&self) -> u64 {
        fs::metadata(&self.marker).unwrap().size()
    }
}
