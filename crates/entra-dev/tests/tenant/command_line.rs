//! The program `entra-dev`.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use entra_dev::Directory;
use entra_dev::ids::CONTOSO;
use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::support::{Answer, TestTenant, as_json, trusting};

#[tokio::test]
async fn the_printed_example_is_a_valid_directory_file() {
    let folder = tempfile::tempdir().unwrap();
    let example = run(&folder, &["--example"]).await;
    assert!(example.status.success());
    assert_eq!(String::from_utf8_lossy(&example.stdout), Directory::EXAMPLE);
    fs::write(folder.path().join("mine.toml"), &example.stdout).unwrap();
    let checked = run(&folder, &["--check", "--config", "mine.toml"]).await;
    assert!(checked.status.success(), "{}", said(&checked));
    assert_eq!(said(&checked), "7 people; no faults found\n");
    let both = run(&folder, &["--example", "--check"]).await;
    assert_eq!(both.status.code(), Some(2), "{}", said(&both));
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "no other file is created");
}

#[tokio::test]
async fn every_fault_of_a_file_is_reported_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let faulty = Directory::EXAMPLE
        .replacen("id = \"11111111-1111-4111-8111-111111111111\"", "id = \"1\"", 1)
        .replacen("groups = [\"Sales\"]", "groups = [\"Marketing\"]", 1);
    let line_of = |text: &str| faulty.lines().position(|line| line.contains(text)).unwrap() + 1;
    let lines = [line_of("id = \"1\""), line_of("Marketing")];
    fs::write(folder.path().join("faulty.toml"), &faulty).unwrap();
    for arguments in
        [["--check", "--config", "faulty.toml"], ["--port=0", "--config", "faulty.toml"]]
    {
        let output = run(&folder, &arguments).await;
        assert_eq!(output.status.code(), Some(1));
        let said = said(&output);
        assert!(!said.contains("backtrace"), "{said}");
        assert!(said.contains(&format!("line {}: an id must be a GUID", lines[0])), "{said}");
        let missing = format!("line {}: there is no group \"Marketing\"", lines[1]);
        assert!(said.contains(&missing), "{said}");
    }
    let output = run(&folder, &["--check", "--config", "absent.toml"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("absent.toml"), "{}", said(&output));
}

#[tokio::test]
async fn the_directory_file_can_be_json() {
    let folder = tempfile::tempdir().unwrap();
    let mine = as_json(Directory::EXAMPLE).replace("Ada Adler", "Anna Adler");
    fs::write(folder.path().join("people.json"), &mine).unwrap();
    let checked = run(&folder, &["--check", "--config", "people.json"]).await;
    assert!(checked.status.success(), "{}", said(&checked));
    assert_eq!(said(&checked), "7 people; no faults found\n");

    let faulty =
        mine.replace("\"Sales\"", "\"Marketing\"").replacen("\"Marketing\"", "\"Sales\"", 1);
    let lines = faulty.lines().zip(1..).filter(|(line, _)| line.contains("Marketing"));
    let [(_, line)] = lines.collect::<Vec<_>>()[..] else { panic!("{faulty}") };
    fs::write(folder.path().join("faulty.JSON"), &faulty).unwrap();
    let output = run(&folder, &["--check", "--config", "faulty.JSON"]).await;
    assert_eq!(output.status.code(), Some(1));
    let missing = format!("line {line}: there is no group \"Marketing\"");
    assert!(said(&output).contains(&missing), "{}", said(&output));

    let arguments = ["--port", "0", "--https-port", "0", "--config", "people.json"];
    let program = Program::start_in(folder, &arguments).await;
    assert_eq!(program.forged_claims().await["name"], "Anna Adler");
}

#[tokio::test]
async fn hosts_other_than_loopback_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for host in ["0.0.0.0", "::", "[::]", "192.168.1.10", "10.0.0.1", "example.com", ""] {
        let output = run(&folder, &["--check", "--host", host]).await;
        assert_eq!(output.status.code(), Some(2), "{host}");
        let said = said(&output);
        assert!(said.contains("sign in as anybody, so it only binds 127.0.0.1 and"), "{said}");
    }
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "::1", "[::1]"] {
        let output = run(&folder, &["--check", "--host", host]).await;
        assert!(output.status.success(), "{host}: {}", said(&output));
    }
}

#[tokio::test]
async fn help_explains_every_option() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&folder, &["--help"]).await;
    assert!(output.status.success());
    let help = said(&output);
    for option in [
        "--config <FILE>",
        "--port <PORT>",
        "--https-port <HTTPS_PORT>",
        "--host <HOST>",
        "--access-token-issuer <ACCESS_TOKEN_ISSUER>",
        "--data <FOLDER>",
        "--example",
        "--check",
        "FOR DEVELOPMENT ONLY",
        "8001",
        "8443",
        "data/dev-tenant",
    ] {
        assert!(help.contains(option), "{help} lacks {option}");
    }
    let output = run(&folder, &["--prot", "8001"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("'--port'"), "{}", said(&output));
}

#[tokio::test]
async fn it_prints_its_urls_and_stops_on_a_signal() {
    for signal in ["TERM", "INT"] {
        let mut program = Program::start(&["--port", "0", "--https-port", "0"]).await;
        for shown in ["FOR DEVELOPMENT ONLY", &format!("{}/_dev", program.url)] {
            assert!(program.log().contains(shown), "{} lacks {shown}", program.log());
        }
        let ca = program.folder.path().join("data/dev-tenant/ca.pem");
        assert!(program.log().contains("data/dev-tenant/ca.pem"), "{}", program.log());
        let browser = trusting(&fs::read_to_string(ca).unwrap());
        for url in [&program.url, &program.https_url] {
            let answer = Answer::of(browser.get(url)).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body.contains("ada@contoso.example"));
        }
        let status = program.stop(signal).await;
        assert!(status.success(), "{status}\n{}", program.log());
        assert!(!program.log().contains("poem"), "no log lines of poem: {}", program.log());
        assert!(!program.log().contains('\u{1b}'), "colours in a file: {}", program.log());
        let left = Client::builder().no_proxy().build().unwrap().get(&program.url).send().await;
        assert!(left.unwrap_err().is_connect(), "the port is closed");
    }
}

#[tokio::test]
async fn ports_people_and_folder_can_be_configured() {
    let ports = free_ports();
    let folder = tempfile::tempdir().unwrap();
    let mine = Directory::EXAMPLE.replace("Ada Adler", "Anna Adler");
    fs::write(folder.path().join("mine.toml"), mine).unwrap();
    let [port, https_port] = ports.map(|port| port.to_string());
    let arguments = [
        "--port",
        &port,
        "--https-port",
        &https_port,
        "--config",
        "mine.toml",
        "--data",
        "kept",
        "--host",
        "127.0.0.1",
    ];
    let mut program = Program::start_in(folder, &arguments).await;
    assert_eq!(program.url, format!("http://localhost:{port}"));
    assert_eq!(program.https_url, format!("https://localhost:{https_port}"));
    assert!(program.folder.path().join("kept/signing-keys.json").exists());
    let claims = program.forged_claims().await;
    assert_eq!(claims["name"], "Anna Adler");
    assert_eq!(claims["iss"], format!("http://localhost:{port}/{CONTOSO}/v2.0"));

    let second = run(&program.folder, &["--port", &port, "--https-port", "0"]).await;
    assert_eq!(second.status.code(), Some(1));
    assert!(said(&second).contains(&format!("127.0.0.1:{port}")), "{}", said(&second));
    assert!(program.stop("TERM").await.success());
}

#[tokio::test]
async fn access_tokens_can_be_issued_by_the_https_listener() {
    let arguments = ["--port", "0", "--https-port", "0", "--access-token-issuer", "https"];
    let program = Program::start(&arguments).await;
    let claims = program.forged_claims().await;
    assert_eq!(claims["iss"], format!("{}/{CONTOSO}/v2.0", program.https_url));
}

#[tokio::test]
async fn it_serves_even_if_it_cannot_write_its_output() {
    let folder = tempfile::tempdir().unwrap();
    let [port, https_port] = free_ports().map(|port| port.to_string());
    let full_disk = || File::options().write(true).open("/dev/full").unwrap();
    let mut command = entra_dev(&folder);
    command.args(["--port", &port, "--https-port", &https_port]);
    let process = command.stdout(full_disk()).stderr(full_disk()).spawn().unwrap();
    let (url, https_url) = (format!("http://localhost:{port}"), String::new());
    let mut program = Program { url, https_url, folder, process };
    program.wait_until_it_answers().await;
    let refused = format!("{}/{CONTOSO}/oauth2/v2.0/token", program.url);
    let client = Client::builder().no_proxy().build().unwrap();
    for _ in 0..3 {
        assert_eq!(Answer::of(client.post(&refused)).await.status, 400);
    }
    assert!(program.stop("TERM").await.success());
}

/// `entra-dev` in its own process and folder. Dropping it kills the process.
struct Program {
    url: String,
    https_url: String,
    folder: TempDir,
    process: Child,
}

impl Program {
    async fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments).await
    }

    async fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        let log = File::create(folder.path().join(LOG)).unwrap();
        let mut command = entra_dev(&folder);
        command.args(arguments).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap();
        let (url, https_url) = (String::new(), String::new());
        let mut program = Self { url, https_url, folder, process };
        program.wait_until_ready().await;
        program
    }

    /// When it serves, it prints the URLs and then the warning.
    async fn wait_until_ready(&mut self) {
        for _ in 0..TRIES {
            let log = self.log();
            if log.contains("FOR DEVELOPMENT ONLY") {
                let url = |title| {
                    let line = log.lines().find(|line| line.trim_start().starts_with(title));
                    line.unwrap().split_whitespace().last().unwrap().to_owned()
                };
                (self.url, self.https_url) = (url("HTTP "), url("HTTPS "));
                return;
            }
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before it was ready:\n{log}");
            sleep(BETWEEN_TRIES).await;
        }
        panic!("it did not become ready:\n{}", self.log());
    }

    /// Waits without reading the log.
    async fn wait_until_it_answers(&mut self) {
        let client = Client::builder().no_proxy().build().unwrap();
        for _ in 0..TRIES {
            if client.get(&self.url).send().await.is_ok() {
                return;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "it ended before it answered");
            sleep(BETWEEN_TRIES).await;
        }
        panic!("it does not answer");
    }

    /// The claims of a forged token.
    async fn forged_claims(&self) -> Value {
        let client = Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("{}/_dev/tokens", self.url));
        let request = request.header("content-type", "application/json").body("{}");
        TestTenant::claims(&Answer::of(request).await.token("access_token"))
    }

    /// Sends a signal, as a supervisor or a terminal would, and waits until the process ends.
    async fn stop(&mut self, signal: &str) -> ExitStatus {
        // `kill` is built into the shell, but not every machine has it as a program.
        let kill = format!("kill -{signal} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let ended = wait_for(&mut self.process).await;
        ended.unwrap_or_else(|| panic!("it did not end:\n{}", self.log()))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // An error means that the process has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const LOG: &str = "server.log";

/// Ten seconds in all. The tests poll, because the process cannot notify them.
const TRIES: u32 = 200;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Runs the program until it ends. It must not serve.
async fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = entra_dev(folder);
    let mut process =
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if wait_for(&mut process).await.is_none() {
        process.kill().unwrap();
        panic!("{arguments:?} makes it serve");
    }
    process.wait_with_output().unwrap()
}

/// The exit status; `None` if the process does not end.
async fn wait_for(process: &mut Child) -> Option<ExitStatus> {
    for _ in 0..TRIES {
        if let Some(status) = process.try_wait().unwrap() {
            return Some(status);
        }
        sleep(BETWEEN_TRIES).await;
    }
    None
}

fn entra_dev(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entra-dev"));
    // Developers often set it; errors must not print a backtrace anyway.
    command.current_dir(folder).env_clear().env("RUST_BACKTRACE", "1");
    command
}

/// Everything the program has printed.
fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).unwrap()
}

/// Free ports. They differ because they are bound at the same time.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
