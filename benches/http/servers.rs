//! The servers that are measured.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
    time::{Duration, Instant},
};

use entra_dev::ids::{API_CLIENT_ID, CONTOSO, SWAGGER_UI_CLIENT_ID};
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    process::{Process, command},
    programs::{Peers, root, work_folder},
    support::free_ports,
    tenant::Tenant,
};

/// A running server.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) process: Process,
    pub(crate) folder: PathBuf,
    pub(crate) url: String,
    /// Whether it requires a token.
    pub(crate) guarded: bool,
}

/// How the name of a server with one worker thread ends.
const ONE_WORKER: &str = "-one-worker";

/// The names of the todos, in the order of their ids.
pub(crate) const TODOS: [&str; 3] = ["Walk the dog", "Buy milk", "Water the plants"];

impl Server {
    /// The program of this repository.
    pub(crate) async fn todo_api(
        program: &Path,
        tenant: &Tenant,
        name: &'static str,
        variables: &[(&str, &str)],
    ) -> Self {
        let folder = work_folder(name);
        let server = Self::launch(program, tenant, name, folder, variables);
        server.ready("/health/ready", &tenant.token()).await
    }

    fn launch(
        program: &Path,
        tenant: &Tenant,
        name: &'static str,
        folder: PathBuf,
        variables: &[(&str, &str)],
    ) -> Self {
        let [port] = free_ports();
        let mut command = command(program);
        command.arg("serve").env("PORT", port.to_string());
        command.env("AAD_INSTANCE", tenant.instance()).env("AAD_TENANT_ID", CONTOSO);
        command.env("API_CLIENT_ID", API_CLIENT_ID);
        command.env("SWAGGER_UI_CLIENT_ID", SWAGGER_UI_CLIENT_ID);
        // So that it stops at once.
        command.env("DRAIN_TIMEOUT", "1");
        command.env("RUST_LOG", "off").envs(variables.iter().copied());
        Self::start(name, port, command, folder, true)
    }

    /// One of the servers in benches/peers/rust.
    pub(crate) async fn rust_peer(
        program: &Path,
        tenant: &Tenant,
        name: &'static str,
        variables: &[(&str, &str)],
    ) -> Self {
        let [port] = free_ports();
        let mut command = command(program);
        command.arg(name.trim_end_matches(ONE_WORKER)).arg(port.to_string());
        command.envs(variables.iter().copied());
        let guarded = !matches!(name, "poem" | "poem-one-worker" | "poem-openapi");
        Self::peer(name, port, command, tenant, guarded).await
    }

    /// FastAPI with two workers. `None` if it is not installed.
    pub(crate) async fn fastapi(peers: &Peers, tenant: &Tenant) -> Option<Self> {
        let [port] = free_ports();
        let mut command = command(&peers.scripts.as_ref()?.join("python/bin/python"));
        command.args(["-m", "uvicorn", "server:app", "--workers", "2", "--no-access-log"]);
        command.args(["--loop", "uvloop", "--http", "httptools", "--port", &port.to_string()]);
        command.arg("--app-dir").arg(root().join("benches/peers/fastapi"));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        Some(Self::peer("fastapi", port, command, tenant, true).await)
    }

    /// fastify, which has one process. `None` if it is not installed.
    pub(crate) async fn fastify(peers: &Peers, tenant: &Tenant) -> Option<Self> {
        let [port] = free_ports();
        let folder = peers.scripts.as_ref()?;
        let mut command = command(&folder.join("bin/node"));
        command.arg(folder.join("node/server.mjs")).arg(port.to_string());
        command.env("NODE_ENV", "production");
        Some(Self::peer("fastify", port, command, tenant, true).await)
    }

    async fn peer(
        name: &'static str,
        port: u16,
        mut command: Command,
        tenant: &Tenant,
        guarded: bool,
    ) -> Self {
        command.env("INSTANCE", tenant.instance()).env("TENANT", CONTOSO);
        command.env("CLIENT_ID", API_CLIENT_ID);
        let server = Self::start(name, port, command, work_folder(name), guarded);
        server.ready("/todoitems", &tenant.token()).await
    }

    fn start(
        name: &'static str,
        port: u16,
        command: Command,
        folder: PathBuf,
        guarded: bool,
    ) -> Self {
        let process = Process::start(command, &folder);
        Self { name, process, folder, url: format!("http://127.0.0.1:{port}"), guarded }
    }

    /// Waits until GET of this path succeeds.
    async fn ready(mut self, path: &str, token: &str) -> Self {
        let deadline = Instant::now() + Duration::from_secs(30);
        let request = || CLIENT.get(format!("{}{path}", self.url)).bearer_auth(token);
        loop {
            let response = request().send().await;
            if response.is_ok_and(|response| response.status() == StatusCode::OK) {
                return self;
            }
            let failed = self.process.has_ended() || Instant::now() > deadline;
            assert!(!failed, "{} does not start: see {}", self.name, self.log().display());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Sends a request and ignores the response.
    pub(crate) async fn get(&self, path: &str, token: String) {
        let request = CLIENT.get(format!("{}{path}", self.url)).bearer_auth(token);
        request.send().await.unwrap().bytes().await.unwrap();
    }

    /// Creates the three todos.
    pub(crate) async fn fill(&self, tenant: &Tenant) {
        let token = tenant.token();
        for name in TODOS {
            let request = CLIENT.post(format!("{}/todoitems", self.url)).bearer_auth(&token);
            let body = json!({ "item": { "name": name } });
            let response = request.json(&body).send().await.unwrap();
            assert_eq!(response.status(), StatusCode::CREATED, "{}", self.name);
        }
    }

    /// Checks that the server lists the todos, and refuses a token with a wrong signature. Returns
    /// the media type and the body.
    pub(crate) async fn check(&self, tenant: &Tenant) -> (String, String) {
        let list = |token| {
            let request = CLIENT.get(format!("{}/todoitems", self.url));
            async { request.bearer_auth::<String>(token).send().await.unwrap() }
        };
        let response = list(tenant.token()).await;
        assert_eq!(response.status(), StatusCode::OK, "{}", self.name);
        let media_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        let body = response.text().await.unwrap();
        let refusal = list(tenant.badly_signed_token()).await.status();
        let expected = if self.guarded { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        assert_eq!(refusal, expected, "{} and a wrong signature", self.name);
        (media_type, body)
    }

    /// Empties the log, so that the disk does not fill up.
    pub(crate) fn empty_log(&self) {
        std::fs::File::options().write(true).open(self.log()).unwrap().set_len(0).unwrap();
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

/// The times in milliseconds from the start of the program until it is ready, and the memory in MB
/// that it uses then.
pub(crate) async fn starts(program: &Path, tenant: &Tenant) -> (Vec<f64>, Vec<f64>) {
    let folder = work_folder("start");
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for start in 0..6 {
        let started_at = Instant::now();
        let server = Server::launch(program, tenant, "start", folder.clone(), &[]);
        let server = server.ready("/health/ready", "").await;
        let time = started_at.elapsed().as_secs_f64() * 1e3;
        // The first start also creates the database.
        if start > 0 {
            times.push(time);
            memory.push(server.process.usage().memory);
        }
    }
    (times, memory)
}

/// Created once, because that takes longer than some servers need to start.
static CLIENT: LazyLock<reqwest::Client> =
    LazyLock::new(|| reqwest::Client::builder().no_proxy().build().unwrap());
