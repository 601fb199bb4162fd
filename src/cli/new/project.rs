//! The files of a new project: those of `examples/standalone-api`, which are compiled, checked and
//! tested there, with another name and other dependencies.

use std::path::Path;

use anyhow::{Context, ensure};

use super::{folder::File, name::ProjectName};

/// Where the project gets poem-entra and entra-dev from.
pub(super) enum Origin {
    /// The git repository of this program, at its version.
    Repository,
    /// The absolute path of a checkout, as text for TOML.
    Checkout(String),
}

impl Origin {
    pub(super) fn repository() -> Self {
        Self::Repository
    }

    /// The crates in this folder.
    ///
    /// # Errors
    ///
    /// There are no such crates, or the path cannot be written into a manifest.
    pub(super) fn checkout(folder: &Path) -> anyhow::Result<Self> {
        let shown = folder.display();
        let absolute = folder.canonicalize().with_context(|| format!("failed to find {shown}"))?;
        for name in CRATES {
            ensure!(
                absolute.join("crates").join(name).join("Cargo.toml").is_file(),
                "{shown} is not a checkout of {REPOSITORY}: it lacks crates/{name}/Cargo.toml"
            );
        }
        let absolute = absolute.to_str().context("the path of the checkout is not UTF-8")?;
        let is_plain =
            |character: char| !matches!(character, '"' | '\\') && !character.is_control();
        ensure!(
            absolute.chars().all(is_plain),
            "the path of the checkout has a quote, a backslash or a control character: {absolute:?}"
        );
        Ok(Self::Checkout(absolute.to_owned()))
    }

    /// A paragraph about it, for after the next steps; empty if there is nothing to say.
    pub(super) fn note(&self) -> String {
        let source = format!("{REPOSITORY}, tag v{VERSION}");
        match self {
            Self::Repository if REPOSITORY.starts_with(PLACEHOLDER) => format!(
                "
The project cannot be built yet: cargo would fetch poem-entra from {source},
and this address is a placeholder until the repository is published. Until then, create the project
with --path and a checkout of the repository.
"
            ),
            Self::Repository => format!(
                "
Cargo fetches poem-entra from {source}.
If it cannot, create the project with --path and a checkout of the repository.
"
            ),
            Self::Checkout(_) => String::new(),
        }
    }

    /// The source of a crate in a manifest.
    fn of(&self, name: &str) -> String {
        match self {
            Self::Repository => format!(r#"git = "{REPOSITORY}", tag = "v{VERSION}""#),
            Self::Checkout(folder) => format!(r#"path = "{folder}/crates/{name}""#),
        }
    }
}

/// The files of the project with this name.
pub(super) fn files(name: &ProjectName, origin: &Origin) -> Vec<File> {
    let files = TEMPLATE.iter().map(|&(path, content)| {
        let content = match path {
            "Cargo.toml" => manifest(content, origin),
            "README.md" => without_comments(content),
            _ => content.to_owned(),
        };
        (path, renamed(&content, name))
    });
    let locked = ("Cargo.lock", LOCK.to_owned());
    files.chain([("rustfmt.toml", RUSTFMT.to_owned()), locked]).collect()
}

fn renamed(content: &str, name: &ProjectName) -> String {
    // The new name may contain one of those that are replaced, so it is inserted last.
    let (package, library) = ("\u{1}", "\u{2}");
    content
        .replace("standalone-api", package)
        .replace("standalone_api", library)
        .replace(package, name.as_str())
        .replace(library, &name.crate_name())
        // The example is used with the daemon of the Todo API, and so with its app role.
        .replace("Todos.ReadWrite.All", "Runs.ReadWrite.All")
}

/// The README without the comments, which say how the tests of this repository run its commands.
fn without_comments(readme: &str) -> String {
    readme.split_inclusive('\n').filter(|line| !line.starts_with("<!-- ")).collect()
}

fn manifest(example: &str, origin: &Origin) -> String {
    let sources = CRATES.map(|name| (format!(r#"path = "../../crates/{name}""#), origin.of(name)));
    let manifest = sources
        .iter()
        .fold(example.to_owned(), |manifest, (here, there)| manifest.replace(here, there));
    manifest + WORKSPACE
}

const CRATES: [&str; 2] = ["poem-entra", "entra-dev"];
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How the address begins before the repository is published. It is reserved for examples (RFC
/// 2606).
const PLACEHOLDER: &str = "https://example.com/";

macro_rules! template {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../../examples/standalone-api/", $path)))),+]
    };
}

const TEMPLATE: &[(&str, &str)] = template![
    ".env.sample",
    ".gitignore",
    "Cargo.toml",
    "README.md",
    "dev-tenant.toml",
    "examples/dev.rs",
    "examples/token.rs",
    "src/lib.rs",
    "src/main.rs",
    "tests/api.rs",
];

/// What the manifest of a member of a workspace cannot have.
const WORKSPACE: &str = include_str!("workspace.toml");
const RUSTFMT: &str = include_str!("../../../rustfmt.toml");

/// The versions with which this program was tested. cargo removes what the project does not need
/// when it first builds it.
const LOCK: &str = include_str!("../../../Cargo.lock");
