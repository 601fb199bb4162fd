//! `todo-api explain`: what the real program says about real tokens.

mod bad_input;
mod operations;
mod output;
mod settings;
mod tokens;

use entra_dev::{DevTenant, Forgery};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::Launch;

/// What the command printed, and how it ended.
struct Explained {
    code: Option<i32>,
    text: String,
    errors: String,
}

impl Explained {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that the text contains these words, wherever its lines end.
    #[track_caller]
    fn assert_says(&self, words: &[&str], context: &str) {
        let lacks = self.lacks(words);
        assert!(lacks.is_empty(), "{context} lacks {lacks:?}: {self:?}");
    }

    /// Those of these words that the text does not contain.
    fn lacks(&self, words: &[&str]) -> Vec<String> {
        let text = one_line(&self.text);
        let all = words.iter().map(|words| one_line(words));
        all.filter(|words| !text.contains(words)).collect()
    }
}

impl std::fmt::Debug for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}\n{}\n{}", self.code, self.text, self.errors)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs the command in an empty folder.
fn explain(launch: &Launch, arguments: &[&str]) -> Explained {
    explain_in(&tempfile::tempdir().unwrap(), launch, arguments, b"")
}

/// Runs the command in this folder, with this standard input.
fn explain_in(folder: &TempDir, launch: &Launch, arguments: &[&str], input: &[u8]) -> Explained {
    let arguments = [&["explain"], arguments].concat();
    let output = launch.run_with_input(folder.path(), &arguments, input);
    Explained {
        code: output.status.code(),
        text: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A token that the tenant forges from this description.
fn forge(tenant: &DevTenant, description: &Value) -> String {
    let forgery: Forgery = serde_json::from_value(description.clone()).unwrap();
    tenant.forge(&forgery).unwrap()
}
