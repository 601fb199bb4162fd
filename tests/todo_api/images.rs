//! The container images and the compose file. There is no container engine: the tests assemble the
//! files of an image as its Dockerfile does, and run the program on them as an engine would, with
//! what the compose file says.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use entra_dev::ids::{API_CLIENT_ID, CONTOSO};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    Container, EntraDev, Image, Mount, Network, Postgres, Service, Setup, Tool, only_browser,
    require, root, run, test_name,
};

const API: &str = "Dockerfile";
const TENANT: &str = "crates/entra-dev/Dockerfile";
const API_URL: &str = "http://localhost:8000";
const CA_CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

fn todo_api() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_todo-api"))
}

#[tokio::test]
async fn somebody_signs_in_and_creates_a_todo_in_the_containers_of_the_compose_file() {
    let tools = [Tool::MsalPython, Tool::Node, Tool::Namespaces, Tool::Postgres];
    let browser = [Tool::Chromium, Tool::Playwright];
    let Some([python, node, _, postgres]) = require(test_name!(), tools) else { return };
    let Some([chromium, _]) = require(test_name!(), browser) else { return };
    let _browser = only_browser().await;
    let entra_dev = EntraDev::build().await;
    let volumes = tempfile::tempdir().unwrap();
    let network = Network::new();
    let services = Services { all: Service::read_all(&python), volumes: &volumes };

    let setup = services.setup("entra-dev");
    let mut tenant = Container::start(&network, Image::read(TENANT), &entra_dev, setup);
    tenant.wait_until_healthy().await;

    // The database is the only part that is not as in the compose file.
    const SOCKETS: &str = "/run/postgresql";
    let (url, sockets) = Postgres::shared(&postgres).create_database_behind_socket(SOCKETS).await;
    let mut setup = services.setup("todo-api");
    setup.mounts.push(Mount {
        source: sockets.to_owned(),
        target: SOCKETS.into(),
        read_only: true,
    });
    setup.variables.push(("DATABASE_URL".into(), url));
    setup.variables.push(("DRAIN_TIMEOUT".into(), "10".into()));
    let authority = setup.variables.iter().find(|(name, _)| name == "AAD_INSTANCE").unwrap();
    let authority = format!("{}/{CONTOSO}", authority.1);
    let mut api = Container::start(&network, Image::read(API), todo_api(), setup);
    api.wait_until_healthy().await;

    for container in [&tenant, &api] {
        assert_has_no_rights(container);
    }
    let ca = volumes.path().join("entra-dev/data/dev-tenant/ca.pem");
    let person = person(network.command(&python), &ca, &authority);
    let docs_page = docs_page(network.command(&node), &chromium, volumes.path());
    for (command, passed) in
        [(person, "ok: todo\nok: refused\n"), (docs_page, "ok: http://localhost:8000\n")]
    {
        let output = run(command).await;
        let shown = shown(&output);
        assert!(output.status.success(), "{shown}{}{}", tenant.log(), api.log());
        assert!(shown.contains(passed), "{shown}");
    }

    for mut container in [api, tenant] {
        let status = container.stop("TERM").await;
        assert!(status.success(), "{status}: {}", container.log());
    }
}

/// Somebody on this machine, whose program knows the tenant as `localhost`.
fn person(mut python: Command, ca: &Path, authority: &str) -> Command {
    python
        .arg(root().join("tests/clients/images.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("TENANT_HTTPS", "https://localhost:8443")
        .env("TENANT_ID", CONTOSO)
        .env("REQUESTS_CA_BUNDLE", ca)
        .env("API_URL", API_URL)
        .env("API_AUTHORITY", authority)
        .env("API_CLIENT_ID", API_CLIENT_ID)
        .env("API_SCOPE", format!("api://{API_CLIENT_ID}/access_as_user"))
        .env("DESKTOP_CLIENT_ID", "66666666-6666-4666-8666-666666666666");
    python
}

/// Somebody who accepts the browser's warning about the tenant's certificate. The docs page leads to
/// the tenant under its other name, whose address the browser knows by itself.
fn docs_page(mut node: Command, chromium: &Path, folder: &Path) -> Command {
    let browser = folder.join("chromium");
    let chromium = chromium.display();
    let script = format!("#!/bin/sh\nexec {chromium} --ignore-certificate-errors \"$@\"\n");
    fs::write(&browser, script).unwrap();
    fs::set_permissions(&browser, Permissions::from_mode(0o755)).unwrap();
    let script = root().join("tests/browser/addresses.mjs");
    node.arg(script).arg(API_URL).env("CHROMIUM", browser).env("HOME", folder);
    node
}

/// The services of the compose file.
struct Services<'a> {
    all: Vec<(String, Service)>,
    /// The folder with the volumes.
    volumes: &'a TempDir,
}

impl Services<'_> {
    fn setup(&self, name: &str) -> Setup {
        let (_, service) = self.all.iter().find(|(other, _)| other == name).unwrap();
        let mount = |volume: String| {
            let mut parts = volume.split(':');
            let source = self.volumes.path().join(parts.next().unwrap());
            let target = parts.next().unwrap().to_owned();
            Mount { source, target, read_only: parts.next() == Some("ro") }
        };
        Setup {
            command: service.list("command"),
            variables: service.variables(),
            hosts: self.hosts(),
            mounts: service.list("volumes").into_iter().map(mount).collect(),
        }
    }

    /// Each service has an address of its own.
    fn hosts(&self) -> String {
        let mut hosts = "127.0.0.1 localhost\n::1 localhost\n".to_owned();
        for (last, (name, service)) in (2..).zip(&self.all) {
            hosts += &format!("127.0.0.{last} {name} {}\n", service.aliases().join(" "));
        }
        hosts
    }
}

/// The user is not root, cannot become root, and cannot write to the root of the file system.
fn assert_has_no_rights(container: &Container) {
    let status = container.proc("status");
    for line in [
        "Uid:\t65532\t65532\t65532\t65532",
        "Groups:\t",
        "CapEff:\t0000000000000000",
        "NoNewPrivs:\t1",
    ] {
        assert!(status.lines().any(|found| found.trim_end() == line.trim_end()), "{status}");
    }
    let mounts = container.proc("mountinfo");
    // See proc_pid_mountinfo(5).
    let root = mounts.lines().find(|line| line.split(' ').nth(4) == Some("/")).unwrap();
    assert!(root.split(' ').nth(5).unwrap().split(',').any(|option| option == "ro"), "{mounts}");
}

/// `docker run --read-only entra-dev` needs no volume.
#[tokio::test]
async fn the_tenant_serves_without_a_folder_that_it_can_write_to() {
    let Some([_]) = require(test_name!(), [Tool::Namespaces]) else { return };
    let entra_dev = EntraDev::build().await;
    let network = Network::new();
    let hosts = "127.0.0.1 localhost\n".to_owned();
    let setup = Setup { hosts, ..Setup::default() };
    let mut tenant = Container::start(&network, Image::read(TENANT), &entra_dev, setup);
    tenant.wait_until_healthy().await;
    assert!(tenant.stop("TERM").await.success(), "{}", tenant.log());
}

#[test]
fn an_image_contains_the_program_with_its_libraries_and_nothing_that_its_user_can_change() {
    let folder = tempfile::tempdir().unwrap();
    for dockerfile in [API, TENANT] {
        let image = Image::read(dockerfile);
        let root = folder.path().join(dockerfile.replace('/', "-"));
        // The libraries of both programs are the same.
        image.assemble(todo_api(), &root);
        let mut others = Vec::new();
        for path in below(&root) {
            let file = fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            let state = image.working_folder.trim_start_matches('/');
            let special = file.permissions().mode() & 0o7022;
            match name.as_str() {
                "tmp" => assert_eq!(special, 0o1022, "{name}"),
                _ => assert_eq!(special, 0, "{name}: {special:o}"),
            }
            let owner = if name == state { image.user_id() } else { this_user() };
            assert_eq!(file.uid(), owner, "{name}");
            if file.is_file() && !name.contains(".so") {
                others.push(name);
            }
        }
        others.sort();
        let expected = ["etc/nsswitch.conf", CA_CERTIFICATES, "usr/local/bin/todo-api"];
        assert_eq!(others, expected, "{dockerfile}");
        assert!(image.user_id() > 0);
        assert_eq!(image.health_check, [&image.entry_point[0], "healthcheck"]);
    }
}

/// The files and folders below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            let inner = if path.is_dir() { below(&path) } else { Vec::new() };
            [vec![path], inner].concat()
        })
        .collect()
}

fn this_user() -> u32 {
    fs::metadata("/proc/self").unwrap().uid()
}

#[test]
fn the_services_of_the_compose_file_have_few_rights_and_listen_on_this_machine_only() {
    let Some([python]) = require(test_name!(), [Tool::MsalPython]) else { return };
    let services = Service::read_all(&python);
    assert_eq!(services.len(), 3);
    for (name, service) in &services {
        let has =
            |member: &str| service.0.get(member).unwrap_or_else(|| panic!("{name}: {member}"));
        assert_eq!(*has("read_only"), true, "{name}");
        assert_eq!(*has("cap_drop"), json!(["ALL"]), "{name}");
        assert_eq!(*has("security_opt"), json!(["no-new-privileges:true"]), "{name}");
        assert!(service.list("tmpfs").contains(&"/tmp".to_owned()), "{name}");
        for port in service.list("ports") {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port}");
        }
        match service.dockerfile() {
            Some(dockerfile) => {
                assert_eq!(service.health_check(), Image::read(dockerfile).health_check, "{name}");
            }
            None => {
                let (_, tag) = has("image").as_str().unwrap().split_once(':').unwrap();
                assert_ne!(tag, "latest", "{name}");
                assert!(!has("user").as_str().unwrap().starts_with('0'), "{name}");
            }
        }
    }
}

/// `.dockerignore` says which files an image is built from.
#[test]
fn the_build_context_has_what_cargo_needs_and_no_secret() {
    let context = tempfile::tempdir().unwrap();
    let ignored = fs::read_to_string(".dockerignore").unwrap();
    let mut copy = Command::new("sh");
    copy.args([
        "-c",
        "folder=$1; shift; tar --create \"$@\" | tar --extract --directory \"$folder\"",
    ]);
    copy.arg("sh").arg(context.path());
    copy.args(ignored.lines().filter_map(|line| line.strip_prefix("**/")).map(excluded));
    copy.args(ignored.lines().filter_map(|line| line.strip_prefix('!')));
    let copied = copy.output().unwrap();
    assert!(copied.status.success() && copied.stderr.is_empty(), "{}", shown(&copied));
    for secret in [".env", ".git", "data", "examples/spa/node_modules", "target"] {
        assert!(!context.path().join(secret).exists(), "{secret}");
    }
    for package in ["todo-api", "entra-dev"] {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["tree", "--package", package, "--edges", "no-dev", "--locked", "--offline"]);
        let output = cargo.current_dir(context.path()).output().unwrap();
        assert!(output.status.success(), "{}", shown(&output));
    }
}

fn excluded(name: &str) -> String {
    format!("--exclude={name}")
}

#[test]
fn linters_have_nothing_to_say_about_the_images() {
    let tools = [Tool::Hadolint, Tool::Yamllint, Tool::CheckJsonschema];
    let Some([hadolint, yamllint, check_jsonschema]) = require(test_name!(), tools) else { return };
    let folder = tempfile::tempdir().unwrap();
    let style = "{extends: default, rules: {document-start: disable, line-length: {max: 100}}}";
    let schema = "--builtin-schema=vendor.compose-spec";
    for (linter, arguments, file, mistake, planted) in [
        (&hadolint, &["--strict-labels"][..], API, "USER 65532:65532", "USER root"),
        (&hadolint, &["--strict-labels"], TENANT, "1.95-bookworm", "latest"),
        (&yamllint, &["--strict", "-d", style], "compose.yaml", "read_only:", "read_only :"),
        (&check_jsonschema, &[schema], "compose.yaml", "read_only:", "readonly:"),
    ] {
        let lint = |file: &Path| Command::new(linter).args(arguments).arg(file).output().unwrap();
        let output = lint(Path::new(file));
        assert!(output.status.success(), "{}", shown(&output));
        let text = fs::read_to_string(file).unwrap();
        let wrong = folder.path().join(Path::new(file).file_name().unwrap());
        fs::write(&wrong, text.replace(mistake, planted)).unwrap();
        assert!(!lint(&wrong).status.success(), "{linter:?} does not notice {planted:?}");
    }
}

fn shown(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8_lossy(&all).into_owned()
}
