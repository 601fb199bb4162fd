//! The name of a new project.

use std::{fmt, str::FromStr};

/// A name with which cargo accepts a package, its library and its program without a warning:
/// lower-case words of ASCII letters and digits, separated by `-` or `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProjectName(String);

/// Why a name cannot be used. `Display` is a fragment that follows the name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NameError {
    #[error("the name is empty")]
    Empty,
    #[error("it is longer than {MAX_LENGTH} characters")]
    Long,
    #[error(
        "it is a path, not a name: change to the folder that should contain the project, and give \
         only a name"
    )]
    Path,
    #[error("it has upper-case letters: use {0:?}")]
    UpperCase(String),
    #[error("it contains {0:?}: use only the letters a to z, digits, - and _")]
    Character(char),
    #[error("it must begin with a letter")]
    Start,
    #[error("it must not end with - or _, or have two of them in a row")]
    Separator,
    #[error("it is a keyword of Rust")]
    Keyword,
    #[error("it is the name of a library that comes with Rust")]
    StandardLibrary,
    #[error("cargo uses this name for a folder in its build output")]
    BuildFolder,
    #[error("Windows reserves this name for a device")]
    Device,
    #[error("the project depends on a package with this name")]
    Dependency,
}

impl ProjectName {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the library in Rust code.
    pub(super) fn crate_name(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl FromStr for ProjectName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.contains(['/', '\\']) || [".", ".."].contains(&name) {
            return Err(NameError::Path);
        }
        if name.len() > MAX_LENGTH {
            return Err(NameError::Long);
        }
        let is_separator = |character| matches!(character, '-' | '_');
        let is_allowed =
            |character: char| character.is_ascii_alphanumeric() || is_separator(character);
        if let Some(other) = name.chars().find(|character| !is_allowed(*character)) {
            return Err(NameError::Character(other));
        }
        if name.contains(|character: char| character.is_ascii_uppercase()) {
            return Err(NameError::UpperCase(name.to_ascii_lowercase()));
        }
        if !name.starts_with(|character: char| character.is_ascii_lowercase()) {
            return Err(NameError::Start);
        }
        if name.split(is_separator).any(str::is_empty) {
            return Err(NameError::Separator);
        }
        let name = Self(name.to_owned());
        let crate_name = name.crate_name();
        match RESERVED.into_iter().find(|(names, _)| names.contains(&crate_name.as_str())) {
            Some((_, error)) => Err(error),
            None => Ok(name),
        }
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The limit of package registries.
const MAX_LENGTH: usize = 64;

/// Names that cannot be used, with `_` instead of `-`.
const RESERVED: [(&[&str], NameError); 5] = [
    (KEYWORDS, NameError::Keyword),
    (&["alloc", "core", "proc_macro", "std", "test"], NameError::StandardLibrary),
    (&["build", "deps", "examples", "incremental"], NameError::BuildFolder),
    (DEVICES, NameError::Device),
    (DEPENDENCIES, NameError::Dependency),
];

/// The keywords of all editions that pass the other checks, also those that are reserved
/// (<https://doc.rust-lang.org/reference/keywords.html>).
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>
const DEVICES: &[&str] = &[
    "aux", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "con", "lpt1",
    "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "nul", "prn",
];

/// The direct dependencies of the project.
const DEPENDENCIES: &[&str] = &[
    "anyhow",
    "dotenvy",
    "entra_dev",
    "poem",
    "poem_entra",
    "poem_openapi",
    "reqwest",
    "serde_json",
    "tokio",
    "tracing_subscriber",
];
