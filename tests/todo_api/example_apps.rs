//! The example apps, with the real server and the development tenant.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, Stdio},
};

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET};
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::support::{App, StandaloneApi, TestClock, Tool, require, root, run, test_name};

const DESKTOP_CLIENT_ID: &str = "66666666-6666-4666-8666-666666666666";

#[tokio::test]
async fn the_python_command_line_signs_in_with_a_device_code() {
    let Some([python]) = require(test_name!(), [Tool::MsalPython]) else { return };
    let app = App::start_at(TestClock::real(), |same| same).await;
    let todo = async |command: &[&str]| python_command_line(&app, &python, command).await;
    assert_eq!(todo(&["add", "Walk the dog"]).await, Ok("1 [ ] Walk the dog\n".to_owned()));
    assert_eq!(todo(&["done", "1"]).await, Ok("1 [x] Walk the dog\n".to_owned()));
    assert_eq!(todo(&["list"]).await, Ok("1 [x] Walk the dog\n".to_owned()));
    assert_eq!(todo(&["delete", "1"]).await, Ok(String::new()));
    assert_eq!(
        todo(&["done", "1"]).await,
        Err("not_found: There is no todo with this id.\n".to_owned())
    );
}

#[tokio::test]
async fn the_rust_command_line_signs_in_with_a_device_code() {
    let app = App::start().await;
    let todo = async |command: &[&str]| rust_command_line(&app, command).await;
    assert_eq!(todo(&["add", "Walk the dog"]).await, Ok("1 [ ] Walk the dog".to_owned()));
    assert_eq!(todo(&["done", "1"]).await, Ok("1 [x] Walk the dog".to_owned()));
    assert_eq!(todo(&["list"]).await, Ok("1 [x] Walk the dog".to_owned()));
    assert_eq!(todo(&["delete", "1"]).await, Ok(String::new()));
    let missing = "not_found: There is no todo with this id.".to_owned();
    assert_eq!(todo(&["done", "1"]).await, Err(missing));
    let usage = todo(&["done", "all"]).await.unwrap_err();
    assert!(usage.starts_with("usage: "), "{usage}");
}

#[tokio::test]
async fn both_command_lines_list_every_page() {
    let app = App::start_at(TestClock::real(), |same| same).await;
    for number in 1..=101 {
        app.create("uma", &format!("Todo {number}")).await;
    }
    let listed = rust_command_line(&app, &["list"]).await.unwrap();
    let last = |listed: &str| listed.lines().last().map(str::to_owned);
    assert_eq!(listed.lines().count(), 101);
    assert_eq!(last(&listed).as_deref(), Some("101 [ ] Todo 101"));

    let Some([python]) = require(test_name!(), [Tool::MsalPython]) else { return };
    let python = python_command_line(&app, &python, &["list"]).await;
    assert_eq!(python, Ok(format!("{listed}\n")));
}

#[tokio::test]
async fn the_daemon_is_refused_by_the_todo_api_and_accepted_by_the_standalone_api() {
    let Some([python]) = require(test_name!(), [Tool::MsalPython]) else { return };
    let app = App::start_at(TestClock::real(), |same| same).await;
    let api = StandaloneApi::start(app.tenant.base_url());
    let mut command = python_example(&python, "examples/daemon/daemon.py", &app);
    command
        .env("STANDALONE_API_URL", &api.url)
        .env("API_CLIENT_ID", API_CLIENT_ID)
        .env("CLIENT_ID", DAEMON_CLIENT_ID)
        .env("CLIENT_SECRET", DAEMON_SECRET);
    let output = run(command).await;
    let [stdout, stderr] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
    assert!(output.status.success(), "{stdout}{stderr}");
    assert_eq!(stdout, "list todos: 403 insufficient_scope\nrecord a run: 200\n");

    let runs = api.list_runs(&app.token("uma").await).await;
    assert_eq!(runs.body, json!([{ "summary": "Tidied up" }]));
}

/// What the Rust example prints, or its error. Uma signs in.
async fn rust_command_line(app: &App, command: &[&str]) -> Result<String, String> {
    let settings = todo_cli::Settings {
        api_url: app.url.clone(),
        scope: format!("api://{API_CLIENT_ID}/access_as_user"),
        instance: app.tenant.base_url().to_owned(),
        tenant: CONTOSO.to_owned(),
        client_id: DESKTOP_CLIENT_ID.to_owned(),
    };
    let sign_in = async |device: todo_cli::DeviceCode| {
        approve(&app.client, &device.page, &device.code).await;
    };
    let lines = todo_cli::run(&settings, command, sign_in).await;
    lines.map(|lines| lines.join("\n")).map_err(|error| error.to_string())
}

/// The same of the Python example.
async fn python_command_line(app: &App, python: &Path, command: &[&str]) -> Result<String, String> {
    let mut process = python_example(python, "examples/python-cli/todo.py", app);
    process.args(command).env("CLIENT_ID", DESKTOP_CLIENT_ID);
    signed_in(app, process).await
}

/// A command that runs a Python script of an example with this API and its tenant.
fn python_example(python: &Path, script: &str, app: &App) -> Command {
    let mut command = Command::new(python);
    command
        .arg(root().join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("REQUESTS_CA_BUNDLE", app.tenant.ca_file().unwrap())
        .env("API_URL", &app.url)
        .env("API_SCOPE", format!("api://{API_CLIENT_ID}/access_as_user"))
        .env("AAD_INSTANCE", app.tenant.https_url().unwrap())
        .env("AAD_TENANT_ID", CONTOSO);
    command
}

/// Runs a command that prints where to sign in, and signs Uma in there. Returns its output, or what
/// it prints when it fails.
async fn signed_in(app: &App, mut command: Command) -> Result<String, String> {
    let started = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut process = started.unwrap();
    let mut errors = BufReader::new(process.stderr.take().unwrap());
    let mut prompt = String::new();
    let (mut errors, prompt) = spawn_blocking(move || {
        errors.read_line(&mut prompt).unwrap();
        (errors, prompt)
    })
    .await
    .unwrap();
    let words: Vec<_> = prompt.split_whitespace().collect();
    let ["To", "sign", "in,", "open", page, "and", "enter", "the", "code", code] = words[..] else {
        panic!("unexpected prompt: {prompt}");
    };
    approve(&trusting(app), page, code).await;
    spawn_blocking(move || {
        let mut rest = String::new();
        errors.read_to_string(&mut rest).unwrap();
        let output = process.wait_with_output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        if output.status.success() { Ok(printed) } else { Err(rest) }
    })
    .await
    .unwrap()
}

/// Enters the code on the device page, and picks Uma's account.
async fn approve(client: &Client, page: &str, code: &str) {
    let form = [("user_code", code), ("account", "uma")];
    let answer = client.post(page).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let page = answer.text().await.unwrap();
    assert!(page.contains("You have signed in"), "{page}");
}

/// A client that trusts the tenant's certificate.
fn trusting(app: &App) -> Client {
    let authority = std::fs::read(app.tenant.ca_file().unwrap()).unwrap();
    let authority = reqwest::Certificate::from_pem(&authority).unwrap();
    Client::builder().tls_certs_only([authority]).no_proxy().build().unwrap()
}
