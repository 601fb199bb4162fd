//! Clients that are generated from the document, compiled, and used with the real server. The table
//! in docs/CLIENTS.md lists the steps that each client passed.

mod bodies;
mod progenitor;

use std::{fs, process::Command};

use serde_json::Value;

use crate::support::{App, Tool, require, root, run, test_name};

use self::bodies::every_body;

#[tokio::test]
async fn openapi_typescript_generates_a_client_that_works() {
    let Some(_) = require(test_name!(), [Tool::Node, Tool::OpenapiTypescript]) else { return };
    journey("openapi-fetch").await;
}

#[tokio::test]
async fn hey_api_generates_a_client_that_works() {
    let Some(_) = require(test_name!(), [Tool::Node, Tool::HeyApi]) else { return };
    journey("hey-api").await;
}

#[tokio::test]
async fn openapi_zod_client_generates_a_client_that_works_and_parses_every_body() {
    let tools = [Tool::Node, Tool::OpenapiZodClient];
    let Some([node, _]) = require(test_name!(), tools) else { return };
    journey("openapi-zod-client").await;

    let bodies = every_body(test_name!()).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    serde_json::to_writer(&file, &bodies).unwrap();
    let mut parse = Command::new(node);
    parse
        .current_dir(root().join("target/clients/openapi-zod-client"))
        .arg("bodies.ts")
        .arg(file.path());
    assert_eq!(output(parse).await, format!("parsed: {}\n", bodies.len()));
}

#[tokio::test]
async fn openapi_python_client_generates_a_client_that_works() {
    let Some(_) = require(test_name!(), [Tool::OpenapiPythonClient]) else { return };
    journey("openapi-python-client").await;
}

#[tokio::test]
async fn openapi_generator_generates_a_java_client_that_works() {
    let Some(_) = require(test_name!(), [Tool::OpenapiGenerator, Tool::Java]) else { return };
    journey("openapi-generator-java").await;
}

#[tokio::test]
async fn openapi_generator_generates_a_go_client_that_works() {
    let Some(_) = require(test_name!(), [Tool::OpenapiGenerator, Tool::Go]) else { return };
    journey("openapi-generator-go").await;
}

#[test]
fn the_guide_shows_the_examples() {
    let guide = read_guide();
    let clients: Vec<_> = fs::read_dir(root().join("tests/generated")).unwrap().collect();
    let files = clients.into_iter().map(|client| client.unwrap().path()).filter(|p| p.is_dir());
    let mut examples = 0;
    for file in files.flat_map(|client| fs::read_dir(client).unwrap()) {
        let path = file.unwrap().path();
        if path.file_stem().is_some_and(|name| name.eq_ignore_ascii_case("example")) {
            let example = fs::read_to_string(&path).unwrap();
            assert!(guide.contains(&example), "docs/CLIENTS.md differs from {}", path.display());
            examples += 1;
        }
    }
    assert!(examples >= 6, "{examples}");
    let rust = include_str!("../../examples/rust-cli/examples/create.rs");
    let shown = rust.split("#[tokio::main").next().unwrap();
    let (_, shown) = shown.split_once("\n\n").unwrap();
    assert!(guide.contains(shown.trim_end()), "docs/CLIENTS.md differs from create.rs");
}

#[test]
fn the_guide_installs_the_tested_versions() {
    let guide = read_guide();
    let packages: Value = serde_json::from_str(include_str!("../tools/package.json")).unwrap();
    let requirements = include_str!("../tools/requirements.txt");
    let mut named = 0;
    for word in guide.split_whitespace() {
        if let Some((package, version)) = word.rsplit_once('@') {
            let Some(tested) = packages["dependencies"].get(package) else { continue };
            assert_eq!(tested, version, "{package}");
            named += 1;
        } else if let Some((package, _)) = word.split_once("==") {
            let tested = requirements.lines().any(|line| line.split(' ').next() == Some(word));
            assert!(tested, "make tools installs another version of {package} than {word}");
            named += 1;
        }
    }
    assert!(named >= 15, "{named}");
}

/// Generates and compiles the client in this folder of `tests/generated`, and runs its journey.
async fn journey(client: &str) {
    output(clients(["generate", client])).await;
    let app = App::start().await;
    let mut journey = clients(["run", client]);
    journey
        .env("API_URL", &app.url)
        .env("TOKEN", app.token("uma").await)
        .env("OTHER_TOKEN", app.token("ulf").await);
    let printed = output(journey).await;

    let lines = |prefix: &str| -> Vec<String> {
        printed.lines().filter_map(|line| line.strip_prefix(prefix)).map(str::to_owned).collect()
    };
    let versions = lines("version: ");
    let [version] = &versions[..] else { panic!("not one version: {printed}") };
    assert_eq!(lines("ok: "), documented_steps(version), "the table in docs/CLIENTS.md differs");
}

fn clients(arguments: [&str; 2]) -> Command {
    let mut command = Command::new(root().join("tests/generated/clients"));
    command.args(arguments);
    command
}

/// The output of a command that must succeed.
async fn output(command: Command) -> String {
    let output = run(command).await;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}{stderr}");
    stdout.into_owned()
}

fn read_guide() -> String {
    fs::read_to_string(root().join("docs/CLIENTS.md")).unwrap()
}

/// The steps that this version of a generator passed, according to the table in docs/CLIENTS.md.
fn documented_steps(version: &str) -> Vec<String> {
    let guide = read_guide();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let mut rows = guide.lines().filter(|line| line.starts_with('|')).map(cells);
    let steps = rows.find(|cells| cells[0] == "generator").unwrap();
    let row = rows.find(|cells| cells[0] == version);
    let row = row.unwrap_or_else(|| panic!("docs/CLIENTS.md has no row for {version}"));
    let passed = steps.into_iter().zip(row).skip(1).filter(|(_, cell)| cell == "yes");
    passed.map(|(step, _)| step).collect()
}
