//! A new project, and what its developer does with it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use entra_dev::{DevTenant, Directory, Options};
use reqwest::{Method, StatusCode};
use tempfile::TempDir;

use crate::support::{Answer, Launch, client, free_ports, root, run, wait_until};

use super::{NAME, locked, succeed};

/// A project that was created in this repository, and so inside of another workspace. Its path is
/// always the same, so that cargo does not keep the output of every run.
pub(super) struct Project {
    pub(super) folder: PathBuf,
    /// What the project's programs are copied to.
    target: TempDir,
}

impl Project {
    pub(super) async fn create() -> Self {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("new");
        // It is missing in the first run.
        let _ = fs::remove_dir_all(&parent);
        fs::create_dir_all(&parent).unwrap();
        let arguments = ["new", NAME, "--path", root().to_str().unwrap()];
        let shown = succeed(Launch::default().run(&parent, &arguments));
        assert!(shown.contains("  cd billing-api\n  cargo run --example dev "), "{shown}");
        let folder = parent.join(NAME);
        Self { folder, target: tempfile::tempdir().unwrap() }
    }

    /// What its developer would check before the first commit.
    pub(super) async fn check(&self) {
        self.cargo(&["fmt", "--check"], &[]).await;
        self.cargo(&["test", "--offline"], &[]).await;
        let [ours, tested] =
            [self.folder.join("Cargo.lock"), root().join("Cargo.lock")].map(locked);
        let others: Vec<_> = ours.difference(&tested).collect();
        assert_eq!(others, [&(NAME.to_owned(), "0.1.0".to_owned())]);
        // cargo has removed what only this repository needs.
        assert!(ours.len() < tested.len() * 3 / 4, "{}", ours.len());
        // What `cargo clippy` does, but with the compiled dependencies, which it would check again.
        let clippy = Path::new(env!("CARGO")).with_file_name("clippy-driver");
        let lint = [
            ("RUSTC_WORKSPACE_WRAPPER", clippy.to_str().unwrap()),
            ("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__"),
        ];
        self.cargo(&["build", "--offline", "--all-targets"], &lint).await;
    }

    async fn cargo(&self, arguments: &[&str], variables: &[(&str, &str)]) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(&self.folder).args(arguments);
        // The dependencies that have the same features as here are already compiled.
        let compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        cargo.env("CARGO_BUILD_BUILD_DIR", compiled).env("CARGO_TARGET_DIR", self.target.path());
        cargo.envs(variables.iter().copied());
        let output = run(cargo).await;
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {shown}");
    }

    /// A program that `cargo test` has built, with none of the variables of this process.
    pub(super) fn program(&self, name: &str) -> Command {
        let mut program = Command::new(self.target.path().join("debug").join(name));
        program.current_dir(&self.folder).env_clear();
        program
    }

    /// A tenant with the project's people and apps.
    pub(super) async fn tenant(&self) -> DevTenant {
        let directory = Directory::read(&self.folder.join("dev-tenant.toml")).unwrap();
        let options = Options { directory, ..Options::ephemeral() };
        DevTenant::start_with(options).await.unwrap()
    }

    /// The commands with which the README begins.
    pub(super) async fn use_development_tenant(&self) {
        let [port, tenant_port] = free_ports();
        let tenant_port = tenant_port.to_string();
        let token = || {
            let mut token = self.program("examples/token");
            token.arg("uma").env("DEV_TENANT_PORT", &tenant_port);
            token
        };
        let early = run(token()).await;
        let shown = String::from_utf8_lossy(&early.stderr);
        assert!(shown.contains("the development tenant is not running"), "{shown}");

        let mut dev = self.program("examples/dev");
        dev.env("PORT", port.to_string()).env("DEV_TENANT_PORT", &tenant_port);
        let _dev = Running::start(dev);
        let api = NewApi::at(port).await;
        let token = succeed(run(token()).await);
        let me = api.send(Method::GET, "/me", Some(token.trim())).await;
        assert_eq!(me.status, StatusCode::OK);

        // Both ports are in use now.
        let [free] = free_ports();
        let [port, free] = [port, free].map(|port| port.to_string());
        let mut second_tenant = self.program("examples/dev");
        second_tenant.env("PORT", &free).env("DEV_TENANT_PORT", &tenant_port);
        let mut second_api = self.program("examples/dev");
        second_api.env("PORT", &port).env("DEV_TENANT_PORT", &free);
        for (program, fix) in
            [(second_tenant, "set DEV_TENANT_PORT"), (second_api, "another port, set PORT")]
        {
            let refused = run(program).await;
            let shown = String::from_utf8_lossy(&refused.stderr);
            assert!(!refused.status.success() && shown.contains(fix), "{shown}");
        }
    }
}

/// The API of the project.
pub(super) struct NewApi {
    url: String,
    pub(super) client: reqwest::Client,
}

impl NewApi {
    /// Waits until it listens on this port.
    pub(super) async fn at(port: u16) -> Self {
        let api = Self { url: format!("http://127.0.0.1:{port}"), client: client() };
        let document = format!("{}/openapi.json", api.url);
        wait_until("the API listens", async || api.client.get(&document).send().await.is_ok())
            .await;
        api
    }

    pub(super) async fn send(&self, method: Method, path: &str, token: Option<&str>) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Answer::of(request.send().await.unwrap()).await
    }
}

/// A process that is killed at the end.
pub(super) struct Running(Child);

impl Running {
    pub(super) fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that the process has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
