//! The programs that are measured: built in release mode, or installed from locked versions.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use toml::{Table, Value};

/// The program of this repository, built with `--release`. `TODO_API` names another build of it.
pub(crate) fn build_todo_api() -> PathBuf {
    if let Some(program) = std::env::var_os("TODO_API") {
        return root().join(program);
    }
    println!("building todo-api");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--bin", "todo-api"]);
    succeed(cargo.arg("--manifest-path").arg(root().join("Cargo.toml")));
    target().join("release/todo-api")
}

/// The other servers.
pub(crate) struct Peers {
    /// The servers in Rust.
    pub(crate) rust: PathBuf,
    /// A folder with `python/` and `node/`. `None` if they could not be installed.
    pub(crate) scripts: Option<PathBuf>,
}

impl Peers {
    pub(crate) fn build() -> Self {
        let rust = build_rust_peers();
        let folder = target().join("bench");
        let mut install = Command::new(root().join("benches/peers/install"));
        let installed = install.arg(&folder).status().unwrap().success();
        if !installed {
            println!("FastAPI and fastify are left out, because they could not be installed");
        }
        Self { rust, scripts: installed.then_some(folder) }
    }
}

/// The servers in Rust, built with the release profile of this repository.
pub(crate) fn build_rust_peers() -> PathBuf {
    println!("building the other servers");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--manifest-path"]);
    cargo.arg(root().join("benches/peers/rust/Cargo.toml")).arg("--target-dir").arg(target());
    for (setting, value) in release_profile() {
        // Strings, numbers and booleans are the same in JSON and TOML.
        let value = serde_json::to_string(&value).unwrap();
        cargo.args(["--config", &format!("profile.release.{setting}={value}")]);
    }
    succeed(&mut cargo);
    target().join("release/bench-peers")
}

/// The settings in `[profile.release]` of the main workspace, except those for single packages: what
/// is outside of a request in this server may be on the path of one in another.
fn release_profile() -> Table {
    let manifest: Table = read("Cargo.toml").parse().unwrap();
    let mut profile = manifest["profile"]["release"].as_table().cloned().unwrap();
    profile.remove("package");
    profile
}

/// The locked version of a package in the Rust servers.
pub(crate) fn crate_version(name: &str, major: &str) -> String {
    let lock: Table = read("benches/peers/rust/Cargo.lock").parse().unwrap();
    let packages = lock.get("package").and_then(Value::as_array).into_iter().flatten();
    let versions = packages
        .filter(|package| package.get("name").and_then(Value::as_str) == Some(name))
        .filter_map(|package| package.get("version")?.as_str());
    let mut versions = versions.filter(|version| version.starts_with(major));
    versions.next().unwrap_or_else(|| panic!("{name} is not locked")).to_owned()
}

/// The locked version of a Python package.
pub(crate) fn python_version(name: &str) -> String {
    let lock = read("benches/peers/fastapi/requirements.txt");
    let prefix = format!("{name}==");
    let version = lock.lines().find_map(|line| line.strip_prefix(&prefix));
    version.unwrap().split(' ').next().unwrap().to_owned()
}

/// The locked version of a Node package.
pub(crate) fn node_version(name: &str) -> String {
    let lock: serde_json::Value =
        serde_json::from_str(&read("benches/peers/fastify/package-lock.json")).unwrap();
    let version = &lock["packages"][format!("node_modules/{name}")]["version"];
    version.as_str().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn succeed(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?} failed");
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the benchmark itself.
pub(crate) fn harness_file(name: &str) -> PathBuf {
    root().join("benches/http").join(name)
}

/// The folder of the build output.
pub(crate) fn target() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root().join(chosen.unwrap_or_else(|| "target".into()))
}

/// An empty folder for the files of one server. It is on the disk of the build output, because a
/// folder for temporary files may be in memory.
pub(crate) fn work_folder(name: &str) -> PathBuf {
    let folder = target().join("bench/run").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
