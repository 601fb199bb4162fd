//! The program as it is started and stopped.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, ExitStatus, Output},
    time::Duration,
};

use entra_dev::DevTenant;
use futures_util::future::join_all;
use reqwest::{Client, StatusCode};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::ports::free_ports;

#[tokio::test]
async fn a_request_is_one_line_in_the_log_without_token_name_or_path() {
    let mut program = Program::start().await;
    let token = program.todo_api(&["token", "--as", "uma"]);
    let token = token.trim();
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}/todoitems?secret=in-the-query", program.url));
    let request = request.header("x-request-id", "walk-1").bearer_auth(token);
    let body = serde_json::json!({ "item": { "name": "Buy a surprise" } });
    let answer = request.json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert!(program.stop("TERM").await.success());

    let log = program.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("walk-1")).collect();
    let [line] = lines[..] else { panic!("{log}") };
    for part in ["POST", "operation=\"create_todo\"", "status=201", "micros="] {
        assert!(line.contains(part), "{line} lacks {part}");
    }
    let signature = token.rsplit('.').next().unwrap();
    for secret in [signature, "Buy a surprise", "in-the-query", "\u{1b}["] {
        assert!(!log.contains(secret), "the log has {secret}");
    }
    // Whoever starts it reads where to go and who can sign in.
    for shown in [&format!("{}/docs", program.url), "uma@contoso.example", "FOR DEVELOPMENT ONLY"] {
        assert!(log.contains(shown), "{log} lacks {shown}");
    }
    assert!(!log.contains("tls config"), "{log}");
}

#[tokio::test]
async fn the_program_starts_again_with_its_todos_and_keys_and_ends_on_ctrl_c_too() {
    let mut program = Program::start().await;
    let token = program.todo_api(&["token", "--as", "uma"]);
    let client = Client::builder().no_proxy().build().unwrap();
    let body = serde_json::json!({ "item": { "name": "Walk the dog" } });
    let list = format!("{}/todoitems", program.url);
    let answer = client.post(&list).bearer_auth(token.trim()).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    assert!(program.stop("INT").await.success());

    program.restart().await;
    let answer = client.get(&list).bearer_auth(token.trim()).send().await.unwrap();
    let page: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(page["items"][0]["name"], "Walk the dog", "{page}");
}

#[tokio::test]
async fn the_server_serves_where_neither_what_it_prints_nor_its_log_can_be_written() {
    let full_disk = ["sh", "-c", "exec \"$@\" >/dev/full 2>&1", "sh"];
    let tenant = DevTenant::start().await.unwrap();
    let [port] = free_ports().map(|port| port.to_string());
    let serve = Launch::serve(tenant.base_url()).with("PORT", port);
    for launch in [Launch::dev(), serve] {
        let mut program = Program::launch(launch.through(&full_disk)).await;
        let list = format!("{}/todoitems", program.url);
        let client = Client::builder().no_proxy().build().unwrap();
        for _ in 0..3 {
            let answer = client.get(&list).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        }
        assert!(program.stop("TERM").await.success());
        assert_eq!(program.log(), "");
    }
}

#[tokio::test]
async fn nobody_waits_for_who_stopped_reading_the_log() {
    // A pipe that has a reader, and room for some hundred lines; 10,000 more wait for it.
    let stuck = ["sh", "-c", "mkfifo log; exec 3<>log; exec \"$0\" \"$@\" >log 2>&1"];
    let mut program = Program::launch(Launch::dev().through(&stuck)).await;
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    let url = format!("{}/health", program.url);
    join_all((0..32).map(async |_| {
        for _ in 0..400 {
            let answer = client.get(&url).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
        }
    }))
    .await;
    assert!(program.stop("TERM").await.success());
}

#[test]
fn a_variable_that_is_no_text_is_not_taken_for_one_that_is_not_set() {
    let folder = tempfile::tempdir().unwrap();
    let broken = ["sh", "-c", r#"DATABASE_URL=$(printf 'sqlite://b\377.db') exec "$0" "$@""#];
    let shown = Launch::dev().through(&broken).refusal(folder.path());
    assert!(shown.contains("- DATABASE_URL is not UTF-8"), "{shown}");
}

#[test]
fn a_command_that_cannot_print_says_so_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let full_disk = ["sh", "-c", "exec \"$@\" >/dev/full", "sh"];
    let launch = Launch::dev().through(&full_disk);
    for (arguments, what) in
        [(&["token", "--as", "uma"][..], "the token"), (&["openapi"], "the document")]
    {
        let output = launch.run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with(&format!("Error: failed to print {what}: ")), "{said}");
    }
}

/// `todo-api serve` in a process and a folder of its own; dropping it kills it.
pub(crate) struct Program {
    pub(crate) url: String,
    pub(crate) folder: TempDir,
    pub(crate) launch: Launch,
    process: Child,
}

/// How a program is started.
#[derive(Clone, Default)]
pub(crate) struct Launch {
    /// A command, and its arguments, that starts it; none: directly.
    pub(crate) through: Vec<&'static str>,
    /// Whether it brings its own development tenant.
    pub(crate) dev: bool,
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Launch {
    /// `serve --dev`.
    pub(crate) fn dev() -> Self {
        let [port, tenant_port] = free_ports().map(|port| port.to_string());
        let launch = Self { dev: true, ..Self::default() };
        // No test here needs to know the last one.
        launch
            .with("PORT", port)
            .with("DEV_TENANT_PORT", tenant_port)
            .with("DEV_TENANT_HTTPS_PORT", "0")
    }

    /// `serve` with Contoso's ids, and this authority.
    pub(crate) fn serve(instance: &str) -> Self {
        Self::default()
            .with("AAD_INSTANCE", instance)
            .with("AAD_TENANT_ID", entra_dev::ids::CONTOSO)
            .with("API_CLIENT_ID", entra_dev::ids::API_CLIENT_ID)
            .with("SWAGGER_UI_CLIENT_ID", entra_dev::ids::SWAGGER_UI_CLIENT_ID)
    }

    /// With a variable of the environment.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Through another command.
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
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        // Where the commands are that it is started through.
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        command
    }

    /// Runs a command of the program to its end.
    pub(crate) fn run(&self, folder: &Path, arguments: &[&str]) -> Output {
        self.command(folder, arguments).output().unwrap()
    }

    /// What it prints when it is to end by itself, because it cannot start.
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

    /// Starts it, and waits until it is ready. The port must be among the variables.
    pub(crate) async fn launch(launch: Launch) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = launch.variables.iter().find(|(name, _)| *name == "PORT").unwrap();
        let url = format!("http://localhost:{}", port.1);
        let process = launch.spawn(folder.path());
        let mut program = Self { url, folder, launch, process };
        program.wait_until_ready().await;
        program
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) {
        self.spawn();
        self.wait_until_ready().await;
    }

    /// Starts it again, and does not wait.
    pub(crate) fn spawn(&mut self) {
        self.process = self.launch.spawn(self.folder.path());
    }

    /// What another command prints in the same folder.
    pub(crate) fn todo_api(&self, arguments: &[&str]) -> String {
        let output = self.launch.run(self.folder.path(), arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) async fn wait_until_ready(&mut self) {
        let client = Client::builder().no_proxy().build().unwrap();
        for _ in 0..TRIES {
            let answer = client.get(format!("{}/health/ready", self.url)).send().await;
            if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                return;
            }
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before it was ready:\n{}", self.log());
            sleep(BETWEEN_TRIES).await;
        }
        panic!("it did not become ready:\n{}", self.log());
    }

    /// Waits until the log has this.
    pub(crate) async fn wait_for(&self, text: &str) {
        for _ in 0..TRIES {
            if self.log().contains(text) {
                return;
            }
            sleep(BETWEEN_TRIES).await;
        }
        panic!("the log lacks {text:?}:\n{}", self.log());
    }

    /// Sends it a signal, as a supervisor or a terminal would, and waits for its end.
    pub(crate) async fn stop(&mut self, signal: &str) -> ExitStatus {
        // The shell has `kill` built in; not every machine has a program of that name.
        let kill = format!("kill -{signal} {}", self.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        for _ in 0..TRIES {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            sleep(BETWEEN_TRIES).await;
        }
        panic!("it did not end:\n{}", self.log());
    }

    /// SIGKILL: it learns nothing of its end.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Of the process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const LOG: &str = "server.log";

/// Twenty seconds in all. Another process tells nobody here when it is ready, so it is asked again.
const TRIES: u32 = 1_000;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);
