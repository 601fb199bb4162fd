//! The examples in `examples/testing`, which show how to test an app with the development tenant.

use std::{
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{join, time::sleep};

use crate::support::{
    Elsewhere, EntraDev, Tool, cargo, client, leads_somewhere, only_browser, require, root, run,
    test_name, wait_until,
};

const CONTROL_TOKEN: &str = "the-token-of-the-tests";

#[tokio::test]
async fn all_examples_pass_with_one_tenant_process_under_two_names() {
    let Some(examples) = Examples::find(test_name!()) else { return };
    let _browser = only_browser().await;
    let elsewhere = Elsewhere::knowing("entra-dev", "127.0.0.2", examples.folder.path());
    let arguments = ["--host=127.0.0.2", "--answer-to=entra-dev", "--control-token", CONTROL_TOKEN];
    let tenant = EntraDev::start(examples.folder.path(), &arguments).await;
    let ca = examples.folder.path().join("data/dev-tenant/ca.pem");
    let other_url = tenant.https_url.replace("localhost", "entra-dev");

    let here = |mut command: Command| {
        command.env("ENTRA_DEV_URL", &tenant.url).env("ENTRA_DEV_CONTROL_TOKEN", CONTROL_TOKEN);
        command
    };
    let there = |command: Command| {
        let mut command = elsewhere.run(&here(command));
        command.env("ENTRA_DEV_URL", &other_url);
        command.env("SSL_CERT_FILE", &ca).env("NODE_EXTRA_CA_CERTS", &ca);
        command
    };
    let rust = cargo(&["test", "--test=running_tenant"]);
    join!(
        assert_passes(there(examples.pytest()), "test_a_signed_in_user_is_admitted PASSED"),
        assert_passes(there(examples.node()), "a signed-in user is admitted"),
        assert_passes(here(examples.playwright()), "a person adds a todo"),
        assert_passes(here(rust), "a_tenant_in_another_process_is_used_over_http ... ok"),
    );

    let tenants = client().get(format!("{}/_dev/tenants", tenant.url)).bearer_auth(CONTROL_TOKEN);
    let left: Value = tenants.send().await.unwrap().json().await.unwrap();
    assert_eq!(left, json!({ "tenants": [] }));
}

#[tokio::test]
async fn an_example_starts_a_tenant_and_leaves_nothing_running_if_it_is_killed() {
    let Some(examples) = Examples::find(test_name!()) else { return };
    let program = EntraDev::build().await;
    let with_own_tenant = |mut command: Command| {
        command.env("ENTRA_DEV", &program);
        command
    };
    // Playwright takes the longest, and starts its tenant in the same way as Node.
    assert_passes(with_own_tenant(examples.pytest()), "test_a_token_expires PASSED").await;
    assert_passes(with_own_tenant(examples.node()), "a token expires").await;

    for (name, mut command) in examples.each() {
        let id_file = examples.folder.path().join(format!("{name}.id"));
        let script = format!("echo $$ >{}\nexec {} \"$@\"", id_file.display(), program.display());
        command.env("ENTRA_DEV", examples.script(&format!("{name}.sh"), &script));
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let id = || fs::read_to_string(&id_file).unwrap_or_default();
        poll("the tenant runs", || id().ends_with('\n')).await;
        process.kill().unwrap();
        process.wait().unwrap();
        // The command line of an ended process is empty, even before its parent collects it.
        let command_line = Path::new("/proc").join(id().trim()).join("cmdline");
        poll("the tenant ends", || fs::read(&command_line).unwrap_or_default().is_empty()).await;
    }
}

#[tokio::test]
async fn an_example_says_why_there_is_no_tenant() {
    let Some(examples) = Examples::find(test_name!()) else { return };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let program = EntraDev::build().await;
    let folder = examples.folder.path().display();
    let script = format!("cd {folder} && exec {} --port={port} --https-port=0", program.display());
    let script = examples.script("port-is-taken.sh", &script);
    let reason = format!("failed to listen on 127.0.0.1:{port}");
    let missing = Path::new("/nowhere/entra-dev");
    let hint = "/nowhere/entra-dev is not installed. Set ENTRA_DEV to the path of entra-dev.";
    for (program, reason) in [(missing, hint), (&script, &reason)] {
        for (name, mut command) in examples.each() {
            command.env("ENTRA_DEV", program);
            let output = run(command).await;
            let printed = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
            assert!(!output.status.success(), "{name}");
            assert!(printed.concat().contains(reason), "{name}: {printed:?}");
        }
    }
}

#[test]
fn the_types_of_the_playwright_example_are_right() {
    let Some(examples) = Examples::find(test_name!()) else { return };
    let mut check = examples.node_command("playwright");
    let output = check.arg("node_modules/typescript/bin/tsc").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_versions_of_the_pytest_example_are_those_that_are_tested() {
    let tested = include_str!("../tools/requirements.txt");
    let example = include_str!("../../examples/testing/pytest/requirements.txt");
    let versions: Vec<_> = example.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(versions.len() >= 4, "{versions:?}");
    for version in versions {
        assert!(tested.contains(&format!("\n{version} \\\n")), "{version}");
    }
}

#[test]
fn the_readme_of_the_development_tenant_leads_to_each_example() {
    let readme = include_str!("../../crates/entra-dev/README.md");
    let mut examples = 0;
    for folder in fs::read_dir(root().join("examples/testing")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let link = format!("](../../examples/testing/{name}/README.md)");
        assert!(readme.contains(&link), "no link to {name}");
        let folder = format!("examples/testing/{name}");
        let page = fs::read_to_string(root().join(&folder).join("README.md")).unwrap();
        let links = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("http")) {
            assert!(leads_somewhere(link, &folder), "{name}: {link}");
        }
        examples += 1;
    }
    assert_eq!(examples, 4);
}

/// The examples that are not in Rust, with what they need.
struct Examples {
    python: PathBuf,
    node: PathBuf,
    chromium: PathBuf,
    /// Where they write.
    folder: tempfile::TempDir,
}

impl Examples {
    fn find(test: &str) -> Option<Self> {
        let tools = [
            Tool::FastapiAzureAuth,
            Tool::Node,
            Tool::Chromium,
            Tool::Pytest,
            Tool::NodeExamplePackages,
            Tool::PlaywrightExamplePackages,
            Tool::SpaPackages,
        ];
        let [python, node, chromium, ..] = require(test, tools)?;
        Some(Self { python, node, chromium, folder: tempfile::tempdir().unwrap() })
    }

    fn each(&self) -> [(&'static str, Command); 3] {
        [("pytest", self.pytest()), ("node", self.node()), ("playwright", self.playwright())]
    }

    fn pytest(&self) -> Command {
        let mut command = self.command(&self.python, "pytest");
        command.args(["-B", "-m", "pytest", "-v", "-p", "no:cacheprovider"]);
        // Plugins of other packages.
        command.env("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1");
        command
    }

    fn node(&self) -> Command {
        let mut command = self.node_command("node");
        command.args(["--test", "--test-reporter=spec"]);
        command
    }

    fn playwright(&self) -> Command {
        let mut command = self.node_command("playwright");
        command
            .args(["node_modules/@playwright/test/cli.js", "test", "--output"])
            .arg(self.folder.path().join("playwright"))
            .env("CHROMIUM", &self.chromium)
            .env("TODO_API", env!("CARGO_BIN_EXE_todo-api"));
        command
    }

    fn node_command(&self, example: &str) -> Command {
        self.command(&self.node, example)
    }

    /// A command in the folder of an example.
    fn command(&self, program: &Path, example: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(root().join("examples/testing").join(example))
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.folder.path())
            .env_remove("ENTRA_DEV_URL")
            .env_remove("ENTRA_DEV_CONTROL_TOKEN");
        command
    }

    /// A program that is a shell script.
    fn script(&self, name: &str, script: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        path
    }
}

/// The example must pass, and run this test.
async fn assert_passes(command: Command, test: &str) {
    let output = run(command).await;
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    assert!(printed.contains(test), "{test}: {printed}");
}

/// Another process cannot notify the test.
async fn poll(what: &str, check: impl Fn() -> bool) {
    wait_until(what, async || {
        sleep(Duration::from_millis(20)).await;
        check()
    })
    .await;
}
