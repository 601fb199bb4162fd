//! `todo-api register` against a strict Microsoft Graph.

mod app_id_uri;
mod bad_input;
mod by_hand;
mod env_file;
mod interruption;
mod throttling;
mod values;
mod waiting;

use std::{
    fs,
    path::PathBuf,
    process::{Child, Output},
};

use tempfile::TempDir;

use crate::support::{Launch, graph::StrictGraph};

/// The names of the two registrations in Graph.
pub(crate) const API: &str = "todo-api";
pub(crate) const SWAGGER_UI: &str = "todo-api-swagger-ui";

/// Arguments for everything that the command can register.
pub(crate) const EVERYTHING: &[&str] = &[
    "--allow-azure-cli",
    "--admin-consent",
    "--assign",
    "ada@contoso.example=Admin",
    "--assign",
    "uma@contoso.example=User",
    // In the list of assignments, the third entry is on the second page.
    "--assign",
    "ida@contoso.example=Auditor",
    "--with-secret",
];

/// A folder in which the command runs, and the Graph that it calls.
pub(crate) struct Setup {
    pub(crate) graph: StrictGraph,
    pub(crate) folder: TempDir,
    /// The token and other environment variables.
    pub(crate) launch: Launch,
}

impl Setup {
    /// A new tenant and an empty folder. `None` if a tool is missing: then the test must return.
    pub(crate) async fn new(test: &str) -> Option<Self> {
        let graph = StrictGraph::start(test).await?;
        let launch = Launch::default().with("GRAPH_TOKEN", graph.token());
        Some(Self { graph, folder: tempfile::tempdir().unwrap(), launch })
    }

    /// With another token or none.
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.launch.variables.retain(|(name, _)| *name != "GRAPH_TOKEN");
        self.launch = self.launch.with("GRAPH_TOKEN", token);
        self
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        let run = Run::of(&self.launch.run(self.folder.path(), &self.arguments(arguments)));
        for (_, token) in self.launch.variables.iter().filter(|(name, _)| *name == "GRAPH_TOKEN") {
            run.assert_keeps(token);
        }
        run
    }

    /// Starts the command.
    pub(crate) fn begin(&self, arguments: &[&str]) -> Child {
        self.launch.begin(self.folder.path(), &self.arguments(arguments))
    }

    fn arguments<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        [&["register", "--graph-url", self.graph.url()], arguments].concat()
    }

    pub(crate) fn env_file(&self) -> PathBuf {
        self.folder.path().join(".env")
    }

    /// The text of `.env`; empty if there is none.
    pub(crate) fn env(&self) -> String {
        fs::read_to_string(self.env_file()).unwrap_or_default()
    }

    /// The value of a setting in `.env`; empty if there is none.
    pub(crate) fn setting(&self, name: &str) -> String {
        let line = self.env().lines().find_map(|line| {
            line.strip_prefix(name)?
                .strip_prefix('=')
                .map(|value| value.trim_matches('"').to_owned())
        });
        line.unwrap_or_default()
    }
}

/// What a run of the command did.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Asserts that the command succeeded.
    #[track_caller]
    pub(crate) fn assert_done(&self) {
        assert_eq!(self.code, Some(0), "{self:#?}");
    }

    /// Asserts that the command failed with an error that contains these texts.
    #[track_caller]
    pub(crate) fn assert_failed(&self, texts: &[&str]) {
        assert_eq!(self.code, Some(1), "{self:#?}");
        assert!(self.stderr.contains("Error: "), "{self:#?}");
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is missing: {self:#?}");
        }
    }

    /// Asserts that nothing secret was printed.
    #[track_caller]
    pub(crate) fn assert_keeps(&self, secret: &str) {
        assert!(!secret.is_empty());
        assert!(!self.stdout.contains(secret) && !self.stderr.contains(secret), "{self:#?}");
    }
}
