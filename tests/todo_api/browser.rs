//! The program as it is started, and the docs page in a real browser.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::{Child, Command, ExitStatus},
    time::Duration,
};

use reqwest::{Client, StatusCode};
use tempfile::TempDir;
use tokio::time::sleep;

use crate::tools::{Tool, require};

#[tokio::test]
async fn a_person_signs_in_on_the_docs_page_and_uses_the_api() {
    let test = "a_person_signs_in_on_the_docs_page_and_uses_the_api";
    let tools = [Tool::Chromium, Tool::Node, Tool::Playwright];
    let Some([chromium, node, _]) = require(test, tools) else { return };
    let mut program = Program::start().await;
    let mut walk = Command::new(node);
    walk.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/sign_in.mjs"))
        .arg(&program.url)
        // The browser's profile and caches go with the folder.
        .env("HOME", program.folder.path())
        .env("TMPDIR", program.folder.path())
        .env("CHROMIUM", chromium);
    let walk = tokio::task::spawn_blocking(move || walk.output()).await.unwrap().unwrap();
    assert!(
        walk.status.success(),
        "{}{}\nThe server's log:\n{}",
        String::from_utf8_lossy(&walk.stdout),
        String::from_utf8_lossy(&walk.stderr),
        program.log(),
    );
    let status = program.terminate().await;
    assert!(status.success(), "{status}\n{}", program.log());
}

/// `todo-api serve --dev` in a process and a folder of its own; dropping it kills it.
struct Program {
    url: String,
    process: Child,
    folder: TempDir,
}

impl Program {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [port, tenant_port] = free_ports();
        let log = File::create(folder.path().join(LOG)).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_todo-api"))
            .args(["serve", "--dev"])
            .current_dir(&folder)
            .env_clear()
            .env("PORT", port.to_string())
            .env("DEV_TENANT_PORT", tenant_port.to_string())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut program = Self { url: format!("http://localhost:{port}"), process, folder };
        program.wait_until_ready().await;
        program
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

    /// Asks it to end, as a supervisor would, and waits.
    async fn terminate(&mut self) -> ExitStatus {
        // The shell has `kill` built in; not every machine has a program of that name.
        let kill = format!("kill -TERM {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        for _ in 0..TRIES {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            sleep(BETWEEN_TRIES).await;
        }
        panic!("it did not end:\n{}", self.log());
    }

    fn log(&self) -> String {
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

/// Held at the same time, so that they differ.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
