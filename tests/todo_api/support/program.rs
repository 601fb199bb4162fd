//! The real program in a process.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use tempfile::TempDir;
use tokio::time::sleep;

use super::{GIVE_UP_AFTER, client, free_ports};

/// `todo-api serve` in its own process and folder. Dropping it kills the process.
pub(crate) struct Program {
    pub(crate) url: String,
    pub(crate) folder: TempDir,
    pub(crate) launch: Launch,
    process: Child,
}

/// How a program is started.
#[derive(Clone, Default)]
pub(crate) struct Launch {
    /// A command with arguments that starts the program; empty to start it directly.
    pub(crate) through: Vec<&'static str>,
    /// Whether to add `--dev`, which starts a development tenant in the process.
    pub(crate) dev: bool,
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Launch {
    /// `serve --dev`.
    pub(crate) fn dev() -> Self {
        let [port, tenant_port] = free_ports().map(|port| port.to_string());
        let launch = Self { dev: true, ..Self::default() };
        // No test needs to know the last port.
        launch
            .with("PORT", port)
            .with("DEV_TENANT_PORT", tenant_port)
            .with("DEV_TENANT_HTTPS_PORT", "0")
    }

    /// `serve` with the ids of Contoso and this authority.
    pub(crate) fn serve(instance: &str) -> Self {
        Self::default()
            .with("AAD_INSTANCE", instance)
            .with("AAD_TENANT_ID", entra_dev::ids::CONTOSO)
            .with("API_CLIENT_ID", entra_dev::ids::API_CLIENT_ID)
            .with("SWAGGER_UI_CLIENT_ID", entra_dev::ids::SWAGGER_UI_CLIENT_ID)
    }

    /// With an environment variable.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Started by another command.
    pub(crate) fn through(mut self, command: &[&'static str]) -> Self {
        self.through = command.to_vec();
        self
    }

    fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_todo-api");
        let mut command = match self.through.split_first() {
            Some((first, others)) => {
                let mut command = Command::new(first);
                command.args(others).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(arguments).current_dir(folder).env_clear();
        // So that a stop takes a second and not three.
        command.env("DRAIN_TIMEOUT", "10");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        // For the commands that start the program.
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        command
    }

    /// Runs another command of the program and waits until it ends.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        self.command(folder, arguments).output().unwrap()
    }

    /// The same with this standard input.
    pub(crate) fn run_with_input(&self, folder: &Path, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(folder, arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        // The command may have ended already, or may not read all of it.
        let _ = process.stdin.take().unwrap().write_all(input);
        process.wait_with_output().unwrap()
    }

    /// The same with a standard output that nobody reads any more.
    pub(crate) fn run_unread(&self, folder: &Path, arguments: &[&str]) -> Output {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        self.command(folder, arguments).stdout(writer).output().unwrap()
    }

    /// Starts another command of the program. Its input and output are pipes.
    pub(crate) fn begin(&self, folder: &Path, arguments: &[&str]) -> Child {
        let mut command = self.command(folder, arguments);
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The error that the server prints. It must refuse to start.
    pub(crate) fn refusal(&self, folder: &Path) -> String {
        let output = self.run(folder, self.arguments());
        let shown = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{shown}");
        shown
    }

    fn arguments(&self) -> &'static [&'static str] {
        if self.dev { &["serve", "--dev"] } else { &["serve"] }
    }

    fn spawn(&self, folder: &Path) -> Child {
        let log = File::options().create(true).append(true).open(folder.join(LOG)).unwrap();
        let mut command = self.command(folder, self.arguments());
        command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }
}

impl Program {
    pub(crate) async fn start() -> Self {
        Self::launch(Launch::dev()).await
    }

    /// The URL of its development tenant.
    pub(crate) fn tenant_url(&self) -> String {
        let mut variables = self.launch.variables.iter();
        let port = variables.find(|(name, _)| *name == "DEV_TENANT_PORT").unwrap();
        format!("http://localhost:{}", port.1)
    }

    /// Starts the server and waits until it is ready. `PORT` must be among the variables.
    pub(crate) async fn launch(launch: Launch) -> Self {
        let mut program = Self::spawn_new(launch);
        program.wait_until_ready().await;
        program
    }

    /// Starts the server and does not wait. `PORT` must be among the variables.
    pub(crate) fn spawn_new(launch: Launch) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let value = |name| launch.variables.iter().find(|(variable, _)| *variable == name);
        let scheme = if value("TLS_CERT").is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}", value("PORT").unwrap().1);
        let process = launch.spawn(folder.path());
        Self { url, folder, launch, process }
    }

    /// Starts the server again in the same folder and waits until it is ready.
    pub(crate) async fn restart(&mut self) {
        self.spawn();
        self.wait_until_ready().await;
    }

    /// Starts the server again without waiting.
    pub(crate) fn spawn(&mut self) {
        self.process = self.launch.spawn(self.folder.path());
    }

    /// The output of another command of the program in the same folder.
    pub(crate) fn todo_api(&self, arguments: &[&str]) -> String {
        let output = self.launch.run(self.folder.path(), arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// An access token for this person.
    pub(crate) fn token(&self, person: &str) -> String {
        self.todo_api(&["token", "--as", person]).trim().to_owned()
    }

    pub(crate) async fn wait_until_ready(&mut self) {
        let client = client();
        let deadline = Instant::now() + GIVE_UP_AFTER;
        while Instant::now() < deadline {
            let answer = client.get(format!("{}/health/ready", self.url)).send().await;
            if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return;
            }
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended before it was ready:\n{}", self.log());
            sleep(BETWEEN_TRIES).await;
        }
        panic!("the server did not become ready:\n{}", self.log());
    }

    /// Waits until the log contains this text.
    pub(crate) async fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + GIVE_UP_AFTER;
        while Instant::now() < deadline {
            if self.log().contains(text) {
                return;
            }
            sleep(BETWEEN_TRIES).await;
        }
        panic!("the log lacks {text:?}:\n{}", self.log());
    }

    /// Sends the process a signal, as a supervisor or a terminal would.
    pub(crate) fn send_signal(&self, signal: &str) {
        send_signal(self.id(), signal);
    }

    /// Sends the process a signal and waits until it ends.
    pub(crate) async fn stop(&mut self, signal: &str) -> ExitStatus {
        self.send_signal(signal);
        self.wait_until_ended().await
    }

    pub(crate) async fn wait_until_ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + GIVE_UP_AFTER;
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            sleep(BETWEEN_TRIES).await;
        }
        panic!("the server did not end:\n{}", self.log());
    }

    /// Kills the process with SIGKILL, so it cannot clean up.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // An error means that the process has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends a process a signal, such as `TERM`.
pub(crate) fn send_signal(process: u32, signal: &str) {
    // `kill` is built into the shell; not every machine has a program with this name.
    let kill = format!("kill -{signal} {process}");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}

const LOG: &str = "server.log";

/// Another process cannot notify the test, so the test polls.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);
