//! Functions and macros that only some files may use.

use super::{
    files::{read, sources},
    source::{Path, paths},
};

const FOLDERS: [&str; 3] = ["src", "crates/poem-entra/src", "crates/entra-dev/src"];

/// The files of the three packages that contain such a path.
fn files_with(is_match: impl Fn(&Path) -> bool) -> Vec<String> {
    let sources: Vec<_> = FOLDERS.into_iter().flat_map(sources).collect();
    assert!(sources.len() > 30, "{sources:?}");
    sources.into_iter().filter(|file| paths(&read(file)).iter().any(&is_match)).collect()
}

#[test]
fn only_the_environment_module_reads_the_environment() {
    assert_eq!(files_with(reads_environment), ["src/config/environment.rs"]);

    for text in [
        "fn f() { std::env::var(\"HOST\"); }",
        "use std::{env, fs};\nfn f() { env::vars_os() }",
        "use std::{\n    env::{\n        self,\n    },\n};",
        "use std::env::var;",
    ] {
        assert!(paths(text).iter().any(reads_environment), "{text}");
    }
    assert!(!paths("fn f() { env!(\"CARGO_PKG_NAME\"); }").iter().any(reads_environment));
}

fn reads_environment(path: &Path) -> bool {
    let is_call = path.segments.len() > 1 && path.segments[0] == "env";
    is_call || path.contains(&["std", "env"])
}

#[test]
fn only_the_clocks_and_the_log_read_the_time() {
    let log = "src/telemetry/timestamp.rs";
    let clocks = ["crates/poem-entra/src/clock.rs", "crates/entra-dev/src/clock.rs"];
    assert_eq!(files_with(reads_time), [[log].as_slice(), &clocks].concat());

    for text in [
        "fn f() { SystemTime::now() }",
        "use std::time;\nfn f() { time::SystemTime::now() }",
        "fn f() { time::OffsetDateTime::now_utc() }",
    ] {
        assert!(paths(text).iter().any(reads_time), "{text}");
    }
}

fn reads_time(path: &Path) -> bool {
    let wall_clocks = ["SystemTime", "OffsetDateTime", "UtcDateTime", "Utc", "Local"];
    let now = ["now", "now_utc", "now_local"];
    path.segments
        .windows(2)
        .any(|pair| wall_clocks.contains(&pair[0].as_str()) && now.contains(&pair[1].as_str()))
}

/// These macros panic if the output cannot be written, for example because the disk is full.
#[test]
fn no_file_prints_with_a_macro_that_panics() {
    assert_eq!(files_with(panics_on_write_errors), [""; 0]);

    assert!(paths("fn f() { println!() }").iter().any(panics_on_write_errors));
    assert!(paths("fn f() { std::eprint!(\"\") }").iter().any(panics_on_write_errors));
    assert!(!paths("// println!()\nfn f() { \"print!()\"; }").iter().any(panics_on_write_errors));
}

fn panics_on_write_errors(path: &Path) -> bool {
    let name = path.segments.last().map(String::as_str);
    let macros = ["print", "println", "eprint", "eprintln", "dbg"];
    path.is_macro_call && name.is_some_and(|name| macros.contains(&name))
}
