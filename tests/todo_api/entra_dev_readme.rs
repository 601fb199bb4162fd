//! The programs with which entra-dev's README begins. Those in Rust are doc tests.

use std::process::Command;

use entra_dev::{DevTenant, Options};

use crate::support::{Tool, require, root, run, test_name};

#[tokio::test]
async fn the_first_programs_in_the_readme_get_a_token() {
    let tools = [Tool::MsalPython, Tool::Node, Tool::MsalNode];
    let Some([python, node, _]) = require(test_name!(), tools) else { return };
    let folder = tempfile::tempdir().unwrap();
    let options = Options { data_dir: Some(folder.path().to_owned()), ..Options::ephemeral() };
    let tenant = DevTenant::start_with(options).await.unwrap();
    for (heading, interpreter, arguments) in
        [("Python", python, &["-c"][..]), ("Node.js", node, &["--input-type=module", "-e"])]
    {
        let Start { variable, program } = Start::of(heading);
        let host = tenant.https_url().unwrap().strip_prefix("https://").unwrap();
        let mut command = Command::new(interpreter);
        command.args(arguments).arg(program.replace("localhost:8443", host));
        // Node looks for packages in the current folder.
        command.current_dir(root().join("target/tools/node"));
        command.env(variable, tenant.ca_file().unwrap());
        let output = run(command).await;
        let shown = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        let is_token = shown.starts_with("eyJ") && shown.trim().split('.').count() == 3;
        assert!(is_token, "{heading}: {shown}{errors}");
    }
    tenant.stop().await;
}

/// A program in the README.
struct Start {
    /// The environment variable with the path of the certificate authority.
    variable: &'static str,
    program: &'static str,
}

impl Start {
    fn of(heading: &str) -> Self {
        let readme = include_str!("../../crates/entra-dev/README.md");
        let (_, rest) = readme.split_once(&format!("### {heading}\n")).unwrap();
        let (block, _) = rest.split_once("\n```\n\n").unwrap();
        let (head, program) = block.split_once(" - <<'END'\n").unwrap();
        let (head, ca) = head.rsplit_once('\n').unwrap().1.split_once('=').unwrap();
        assert!(ca.starts_with("data/dev-tenant/ca.pem "), "{ca}");
        Self { variable: head, program: program.strip_suffix("\nEND").unwrap() }
    }
}
