//! Tools that some tests need beside Rust. Where one is missing, its test is left out and says so,
//! except with `CI=true`: then it fails.

use std::{
    env,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// What `make tools` installs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tool {
    Chromium,
    Node,
    SpecValidator,
    Playwright,
    Redocly,
    FastapiAzureAuth,
    Jose,
    OidcProvider,
    MsalPython,
    AzureIdentity,
    MsalNode,
    MsalBrowser,
    OpenidClient,
    Axe,
    /// The folder with its programs.
    Postgres,
    Nginx,
}

impl Tool {
    /// Where it is, or its name where it is not.
    fn find(self) -> Result<PathBuf, &'static str> {
        let installed = |path: &str| Some(folder().join("tools").join(path));
        let (name, path) = match self {
            Self::Chromium => ("Chromium", chromium()),
            Self::Node => ("Node", installed("bin/node")),
            // The Python that has it as a module.
            Self::SpecValidator => ("openapi-spec-validator", installed("python/bin/python")),
            Self::Playwright => ("Playwright", installed("node/node_modules/playwright-core")),
            Self::Redocly => ("Redocly", installed("node/node_modules/@redocly/cli/bin/cli.js")),
            // As above; an older Python may be there without it.
            Self::FastapiAzureAuth => (
                "fastapi-azure-auth",
                installed("python/bin/python").filter(|_| has_module("fastapi_azure_auth")),
            ),
            Self::Jose => ("jose", installed("node/node_modules/jose")),
            Self::Postgres => ("PostgreSQL", postgres()),
            Self::Nginx => ("nginx", on_path("nginx")),
            Self::OidcProvider => ("oidc-provider", installed("node/node_modules/oidc-provider")),
            Self::MsalPython => {
                ("msal", installed("python/bin/python").filter(|_| has_module("msal")))
            }
            Self::AzureIdentity => (
                "azure-identity",
                installed("python/bin/python").filter(|_| has_module("azure/identity")),
            ),
            Self::MsalNode => ("msal-node", installed("node/node_modules/@azure/msal-node")),
            Self::MsalBrowser => {
                ("msal-browser", installed("node/node_modules/@azure/msal-browser"))
            }
            Self::OpenidClient => ("openid-client", installed("node/node_modules/openid-client")),
            Self::Axe => ("axe-core", installed("node/node_modules/axe-core")),
        };
        path.filter(|path| path.exists()).ok_or(name)
    }
}

/// Where the tools that a test needs are. `None` where one is missing: the test is to return, and
/// is on the list of those left out.
///
/// # Panics
///
/// With `CI=true` where one is missing.
pub(crate) fn require<const N: usize>(test: &str, tools: [Tool; N]) -> Option<[PathBuf; N]> {
    let missing: Vec<_> = tools.iter().filter_map(|tool| tool.find().err()).collect();
    if missing.is_empty() {
        return Some(tools.map(|tool| tool.find().unwrap()));
    }
    let missing = missing.join(", ");
    assert!(
        environment("CI").as_deref() != Some("true"),
        "{test} needs what is missing here: {missing}. `make tools` installs it."
    );
    let line = format!("{test}: {missing} is missing\n");
    let list = folder().join("left-out.txt");
    // One write, so that tests in parallel do not mix their lines.
    let list = OpenOptions::new().create(true).append(true).open(list);
    list.and_then(|mut list| list.write_all(line.as_bytes())).unwrap();
    // Not `eprint!`, which is not shown for a test that passes.
    io::stderr().write_all(format!("SKIPPED: {line}").as_bytes()).unwrap();
    None
}

fn chromium() -> Option<PathBuf> {
    if let Some(chosen) = environment("CHROMIUM") {
        return Some(chosen.into());
    }
    on_path("chromium")
}

/// Debian puts servers where only root looks.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = environment("PATH")? + ":/usr/sbin";
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.exists())
}

/// The newest version that Debian's packages have installed, or the one on the path.
fn postgres() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|version| version.path()).max_by_key(number);
    let complete = |folder: &PathBuf| folder.join("initdb").exists();
    let newest = newest.map(|version| version.join("bin")).filter(complete);
    newest.or_else(|| on_path("initdb")?.parent().map(Path::to_owned))
}

/// Whether the Python under `tools` has this package, in the folder of whichever version it is.
fn has_module(name: &str) -> bool {
    let versions = fs::read_dir(folder().join("tools/python/lib"));
    versions
        .into_iter()
        .flatten()
        .flatten()
        .any(|version| version.path().join("site-packages").join(name).exists())
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target")
}

#[allow(clippy::disallowed_methods, reason = "it is the machine that is asked, not the settings")]
fn environment(name: &str) -> Option<String> {
    env::var(name).ok()
}
