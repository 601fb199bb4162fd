//! The program `entra-dev` as a process.

use std::{
    fs::{self, File},
    iter,
    net::{Ipv4Addr, TcpListener},
    process::{self, Child, Command, ExitStatus, Output, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

use super::{Answer, TestTenant};

/// `entra-dev` in its own process and folder. Dropping it kills the process.
pub(crate) struct EntraDev {
    pub(crate) url: String,
    pub(crate) https_url: String,
    pub(crate) folder: TempDir,
    pub(crate) process: Child,
}

impl EntraDev {
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments).await
    }

    pub(crate) async fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        let mut command = command(&folder);
        command.args(arguments);
        Self::start_command(folder, command).await
    }

    /// Starts the program with a command of the test, in this folder.
    pub(crate) async fn start_command(folder: TempDir, mut command: Command) -> Self {
        let log = File::create(folder.path().join(LOG)).unwrap();
        command.current_dir(&folder).stdout(log.try_clone().unwrap()).stderr(log);
        let process = command.spawn().unwrap();
        let (url, https_url) = (String::new(), String::new());
        let mut program = Self { url, https_url, folder, process };
        program.wait_until_ready().await;
        program
    }

    /// When it serves, it prints the URLs and then the warning.
    async fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + GIVE_UP_AFTER;
        while Instant::now() < deadline {
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
    pub(crate) async fn wait_until_it_answers(&mut self) {
        let client = Client::builder().no_proxy().build().unwrap();
        let deadline = Instant::now() + GIVE_UP_AFTER;
        while Instant::now() < deadline {
            if client.get(&self.url).send().await.is_ok() {
                return;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "it ended before it answered");
            sleep(BETWEEN_TRIES).await;
        }
        panic!("it does not answer");
    }

    /// The claims of a forged token.
    pub(crate) async fn forged_claims(&self) -> Value {
        let client = Client::builder().no_proxy().build().unwrap();
        let request = client.post(format!("{}/_dev/tokens", self.url));
        let request = request.header("content-type", "application/json").body("{}");
        TestTenant::claims(&Answer::of(request).await.token("access_token"))
    }

    /// Sends a signal, as a supervisor or a terminal would, and waits until the process ends.
    pub(crate) async fn stop(&mut self, signal: &str) -> ExitStatus {
        // `kill` is built into the shell, but not every machine has it as a program.
        let kill = format!("kill -{signal} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        self.wait_until_ended().await
    }

    pub(crate) async fn wait_until_ended(&mut self) -> ExitStatus {
        let ended = wait_for(&mut self.process).await;
        ended.unwrap_or_else(|| panic!("it did not end:\n{}", self.log()))
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }
}

impl Drop for EntraDev {
    fn drop(&mut self) {
        // An error means that the process has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const LOG: &str = "server.log";

/// The limit for one wait, such as for a process or a response. It only ends a test that hangs. It
/// says nothing about speed, because in CI, all tests share two processors.
pub(crate) const GIVE_UP_AFTER: Duration = Duration::from_secs(120);
/// The tests poll, because the process cannot notify them.
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Runs the program until it ends. It must not serve.
pub(crate) async fn run_to_end(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = command(folder);
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
    let deadline = Instant::now() + GIVE_UP_AFTER;
    while Instant::now() < deadline {
        if let Some(status) = process.try_wait().unwrap() {
            return Some(status);
        }
        sleep(BETWEEN_TRIES).await;
    }
    None
}

/// The program, to be run in this folder.
pub(crate) fn command(folder: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_entra-dev"));
    // Developers often set it; errors must not print a backtrace anyway.
    command.current_dir(folder).env_clear().env("RUST_BACKTRACE", "1");
    command
}

/// Everything the program has printed.
pub(crate) fn output_of(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).unwrap()
}

/// Ports that nothing listens on. They are below those that the system gives to clients and to
/// listeners on port 0 (from 32768 on Linux), so nobody else gets them before they are used.
pub(crate) fn free_ports() -> [u16; 2] {
    static NEXT: LazyLock<AtomicU32> = LazyLock::new(|| AtomicU32::new(process::id()));
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    [(); 2].map(|()| {
        let next = || 10_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 10_000;
        iter::repeat_with(next).map(|port| port.try_into().unwrap()).find(is_free).unwrap()
    })
}
