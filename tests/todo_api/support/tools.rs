//! Tools that some tests need besides Rust. If one is missing, the test is skipped and reports
//! this; with `CI=true`, it fails.

use std::{
    env,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// What `make tools` installs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tool {
    Chromium,
    Curl,
    Node,
    SpecValidator,
    Schemathesis,
    Playwright,
    Redocly,
    Spectral,
    IbmValidator,
    FastapiAzureAuth,
    Jose,
    OidcProvider,
    MsalPython,
    AzureIdentity,
    MsalNode,
    MsalBrowser,
    OpenidClient,
    McpSdk,
    Oauth4webapi,
    Axe,
    OpenapiTypescript,
    HeyApi,
    OpenapiZodClient,
    /// Microsoft's types of Graph, and the generator that makes schemas of them.
    GraphTypes,
    /// What the single-page app in `examples/spa` depends on.
    SpaPackages,
    /// The same of `examples/testing/node`.
    NodeExamplePackages,
    /// The same of `examples/testing/playwright`.
    PlaywrightExamplePackages,
    Pytest,
    OpenapiPythonClient,
    OpenapiGenerator,
    /// The compiler and the libraries of generated clients.
    Java,
    /// The compiler and the libraries of generated clients.
    Go,
    /// The folder with the programs of the server.
    Postgres,
    Nginx,
    Haproxy,
    SystemdAnalyze,
    /// Runs a command on a terminal.
    Script,
    Hadolint,
    Yamllint,
    CheckJsonschema,
    /// What containers are made of, and the right to use it.
    Namespaces,
}

impl Tool {
    /// The path of the tool, or its name if it is missing.
    fn find(self) -> Result<PathBuf, &'static str> {
        let installed = |path: &str| Some(folder().join("tools").join(path));
        let (name, path) = match self {
            Self::Chromium => ("Chromium", chromium()),
            Self::Curl => ("curl", on_path("curl")),
            Self::Node => ("Node", installed("bin/node")),
            // The Python interpreter that has it as a module.
            Self::SpecValidator => ("openapi-spec-validator", installed("python/bin/python")),
            Self::Playwright => ("Playwright", installed("node/node_modules/playwright-core")),
            Self::Redocly => ("Redocly", installed("node/node_modules/@redocly/cli/bin/cli.js")),
            // The same; an older installation may not have this module.
            Self::FastapiAzureAuth => (
                "fastapi-azure-auth",
                installed("python/bin/python").filter(|_| has_module("fastapi_azure_auth")),
            ),
            Self::Schemathesis => (
                "schemathesis",
                installed("python/bin/python").filter(|_| has_module("schemathesis")),
            ),
            Self::Spectral => {
                ("Spectral", installed("node/node_modules/@stoplight/spectral-cli/dist/index.js"))
            }
            Self::IbmValidator => (
                "ibm-openapi-validator",
                installed("node/node_modules/ibm-openapi-validator/src/cli-validator/index.js"),
            ),
            Self::Jose => ("jose", installed("node/node_modules/jose")),
            Self::Postgres => ("PostgreSQL", postgres()),
            Self::Nginx => ("nginx", on_path("nginx")),
            Self::Haproxy => ("HAProxy", on_path("haproxy")),
            Self::SystemdAnalyze => ("systemd-analyze", on_path("systemd-analyze")),
            Self::Script => ("script", on_path("script")),
            Self::Hadolint => ("hadolint", installed("python/bin/hadolint")),
            Self::Yamllint => ("yamllint", installed("python/bin/yamllint")),
            Self::CheckJsonschema => ("check-jsonschema", installed("python/bin/check-jsonschema")),
            Self::Namespaces => ("root with unshare and ip", namespaces()),
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
            Self::McpSdk => ("MCP SDK", installed("node/node_modules/@modelcontextprotocol/sdk")),
            Self::Oauth4webapi => ("oauth4webapi", installed("node/node_modules/oauth4webapi")),
            Self::Axe => ("axe-core", installed("node/node_modules/axe-core")),
            Self::OpenapiTypescript => {
                ("openapi-typescript", installed("node/node_modules/openapi-typescript"))
            }
            Self::HeyApi => ("openapi-ts", installed("node/node_modules/@hey-api/openapi-ts")),
            Self::OpenapiZodClient => {
                ("openapi-zod-client", installed("node/node_modules/openapi-zod-client"))
            }
            Self::GraphTypes => (
                "Microsoft Graph's types",
                installed("node/node_modules/@microsoft/microsoft-graph-types"),
            ),
            Self::SpaPackages => ("packages of examples/spa", packages("spa")),
            Self::NodeExamplePackages => {
                ("packages of examples/testing/node", packages("testing/node"))
            }
            Self::PlaywrightExamplePackages => {
                ("packages of examples/testing/playwright", packages("testing/playwright"))
            }
            Self::Pytest => {
                ("pytest", installed("python/bin/python").filter(|_| has_module("pytest")))
            }
            Self::OpenapiPythonClient => {
                ("openapi-python-client", installed("python/bin/openapi-python-client"))
            }
            Self::OpenapiGenerator => {
                ("openapi-generator", installed("python/bin/openapi-generator-cli"))
            }
            Self::Java => (
                "Java with its libraries",
                on_path("javac").filter(|_| {
                    let libraries = ["jackson-databind", "jakarta-annotation-api"];
                    libraries
                        .iter()
                        .all(|it| Path::new("/usr/share/java").join(format!("{it}.jar")).exists())
                }),
            ),
            Self::Go => (
                "Go with its libraries",
                on_path("go")
                    .filter(|_| Path::new("/usr/share/gocode/src/golang.org/x/oauth2").exists()),
            ),
        };
        path.filter(|path| path.exists()).ok_or(name)
    }
}

/// The paths of the tools that a test needs. `None` if one is missing: then the test must return,
/// and `target/left-out.txt` lists it as skipped.
///
/// # Panics
///
/// With `CI=true`, if a tool is missing.
pub(crate) fn require<const N: usize>(test: &str, tools: [Tool; N]) -> Option<[PathBuf; N]> {
    let missing: Vec<_> = tools.iter().filter_map(|tool| tool.find().err()).collect();
    if missing.is_empty() {
        return Some(tools.map(|tool| tool.find().unwrap()));
    }
    let missing = missing.join(", ");
    assert!(
        environment("CI").as_deref() != Some("true"),
        "{test} needs a missing tool: {missing}. `make tools` installs it."
    );
    let line = format!("{test}: {missing} is missing\n");
    // The folder is missing when the build uses another target directory.
    fs::create_dir_all(folder()).unwrap();
    let list = folder().join("left-out.txt");
    // A single write, so that parallel tests do not mix their lines.
    let list = OpenOptions::new().create(true).append(true).open(list);
    list.and_then(|mut list| list.write_all(line.as_bytes())).unwrap();
    // The output of `eprint!` is hidden if the test passes.
    io::stderr().write_all(format!("SKIPPED: {line}").as_bytes()).unwrap();
    None
}

/// The path of the current test or function, such as `browser::a_person_signs_in`.
macro_rules! test_name {
    () => {{
        fn here() {}
        let name = std::any::type_name_of_val(&here).trim_end_matches("::here");
        let name = name.trim_end_matches("::{{closure}}");
        name.split_once("::").map_or(name, |(_, path)| path)
    }};
}

pub(crate) use test_name;

fn chromium() -> Option<PathBuf> {
    if let Some(chosen) = environment("CHROMIUM") {
        return Some(chosen.into());
    }
    on_path("chromium")
}

/// Finds a program on the path, or in the folder where Debian puts servers.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = environment("PATH")? + ":/usr/sbin";
    env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.exists())
}

/// The program that creates namespaces, if this user may.
fn namespaces() -> Option<PathBuf> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0);
    on_path("unshare").filter(|_| is_root && on_path("ip").is_some())
}

/// The programs of the newest version that Debian's packages install, or of the one on the path.
fn postgres() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|version| version.path()).max_by_key(number);
    let complete = |folder: &PathBuf| folder.join("initdb").exists();
    let newest = newest.map(|version| version.join("bin")).filter(complete);
    newest.or_else(|| on_path("initdb")?.parent().map(Path::to_owned))
}

/// The Node packages of an example. Their copy of the lock file is written last.
fn packages(example: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
    Some(folder.join("node_modules/package-lock.json"))
}

/// Whether the Python under `tools` has this package, whatever its version.
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

/// An environment variable of the tests themselves.
#[allow(clippy::disallowed_methods, reason = "this is about the machine, not about settings")]
pub(crate) fn environment(name: &str) -> Option<String> {
    env::var(name).ok()
}
