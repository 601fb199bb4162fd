//! The program as it is started and stopped.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    process::{Child, Command, ExitStatus},
    time::Duration,
};

use reqwest::{Client, StatusCode};
use tempfile::TempDir;
use tokio::time::sleep;

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

/// `todo-api serve --dev` in a process and a folder of its own; dropping it kills it.
pub(crate) struct Program {
    pub(crate) url: String,
    pub(crate) folder: TempDir,
    ports: [u16; 2],
    process: Child,
}

impl Program {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = free_ports();
        let process = serve(&folder, ports);
        let mut program =
            Self { url: format!("http://localhost:{}", ports[0]), folder, ports, process };
        program.wait_until_ready().await;
        program
    }

    /// Starts it again where it was.
    async fn restart(&mut self) {
        self.process = serve(&self.folder, self.ports);
        self.wait_until_ready().await;
    }

    /// What another command prints in the same folder.
    fn todo_api(&self, arguments: &[&str]) -> String {
        let output = todo_api(&self.folder, self.ports).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    async fn wait_until_ready(&mut self) {
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

    /// Sends it a signal, as a supervisor or a terminal would, and waits for its end.
    pub(crate) async fn stop(&mut self, signal: &str) -> ExitStatus {
        // The shell has `kill` built in; not every machine has a program of that name.
        let kill = format!("kill -{signal} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        for _ in 0..TRIES {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            sleep(BETWEEN_TRIES).await;
        }
        panic!("it did not end:\n{}", self.log());
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

/// Ten seconds in all. Another process tells nobody here when it is ready, so it is asked again.
const TRIES: u32 = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

fn serve(folder: &TempDir, ports: [u16; 2]) -> Child {
    let log = File::create(folder.path().join(LOG)).unwrap();
    let mut command = todo_api(folder, ports);
    command.args(["serve", "--dev"]).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().unwrap()
}

fn todo_api(folder: &TempDir, [port, tenant_port]: [u16; 2]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_todo-api"));
    command.current_dir(folder).env_clear();
    command.env("PORT", port.to_string()).env("DEV_TENANT_PORT", tenant_port.to_string());
    // No test here needs to know which one it is.
    command.env("DEV_TENANT_HTTPS_PORT", "0");
    command
}

/// Held at the same time, so that they differ.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
