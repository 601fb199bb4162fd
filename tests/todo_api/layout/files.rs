//! The files of the repository. Tests run in its root folder.

use std::{fs, path::Path};

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files in a folder and in its subfolders, without build output.
pub(crate) fn files(folder: impl AsRef<Path>) -> Vec<String> {
    let mut entries: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let nested = entries.into_iter().filter(|path| !path.ends_with("target")).flat_map(|path| {
        if path.is_dir() { files(path) } else { vec![path.to_str().unwrap().to_owned()] }
    });
    nested.collect()
}

/// The Rust files in a folder and in its subfolders.
pub(super) fn sources(folder: &str) -> Vec<String> {
    files(folder).into_iter().filter(|file| file.ends_with(".rs")).collect()
}

/// The pages of the repository.
pub(crate) fn pages() -> Vec<String> {
    let files = ["docs", "crates", "examples", "benches"].into_iter().flat_map(files);
    let pages = files.filter(|file| file.ends_with(".md") && !file.contains("/node_modules/"));
    pages.chain(["README.md", "SECURITY.md", "CHANGELOG.md"].map(str::to_owned)).collect()
}
