//! Who may know whom, read from the sources, and docs and targets that keep up with the code.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use todo_api::{api::http::code::Code, config::VARIABLES};

#[test]
fn modules_know_only_whom_they_may() {
    for (file, forbidden) in [
        ("src/todo.rs", &["crate::", "poem", "sqlx", "serde", "tokio"][..]),
        ("src/api/todos.rs", &["sqlx", "poem_entra", "config", "jsonwebtoken", "telemetry"]),
        ("src/api/document.rs", &["crate::config", "crate::store", "sqlx"]),
    ] {
        let text = read(file);
        for line in text.lines().filter(|line| line.trim_start().starts_with("use ")) {
            for name in forbidden {
                assert!(!line.contains(name), "{file} must not know {name}: {line}");
            }
        }
    }
    for file in sources("src/store") {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| line.trim_start().starts_with("use ")) {
            let allowed = !line.contains("poem") && !line.contains("crate::api");
            assert!(allowed, "{} must know neither poem nor the API: {line}", file.display());
        }
        for module in ["config", "telemetry"] {
            let known = text.contains(&format!("{module}::"));
            assert!(!known, "{} must not know {module}", file.display());
        }
    }
    for file in sources("src") {
        let text = fs::read_to_string(&file).unwrap();
        let store = file.starts_with("src/store");
        assert!(store || !text.contains("sqlx::"), "{} knows SQL", file.display());
    }
}

#[test]
fn only_the_clock_reads_the_time_and_only_the_configuration_the_environment() {
    let sources: Vec<_> = ["src", "crates/poem-entra/src", "crates/entra-dev/src"]
        .into_iter()
        .flat_map(sources)
        .collect();
    assert!(sources.len() > 30, "{sources:?}");
    for file in sources {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let clock = name == "clock.rs";
        assert!(clock || !text.contains("SystemTime::now"), "{} reads the time", file.display());
        let config = file == Path::new("src/config/environment.rs");
        assert!(config || !text.contains("env::var"), "{} reads the environment", file.display());
    }
}

#[test]
fn nothing_is_printed_without_a_look_at_whether_it_can_be() {
    for file in
        ["src", "crates/poem-entra/src", "crates/entra-dev/src"].into_iter().flat_map(sources)
    {
        let text = fs::read_to_string(&file).unwrap();
        // They panic where the disk is full, or nobody reads.
        let panics = text.lines().any(|line| {
            let line = line.trim_start();
            !line.starts_with("//") && (line.contains("print!(") || line.contains("println!("))
        });
        assert!(!panics, "{} prints", file.display());
    }
}

#[test]
fn poem_entra_and_entra_dev_do_not_know_each_other() {
    let manifest = read("crates/entra-dev/Cargo.toml");
    assert!(!manifest.contains("poem-entra."), "a mistake could hide on both sides");
    for file in sources("crates/poem-entra/src") {
        let text = fs::read_to_string(&file).unwrap();
        let glue = file.starts_with("crates/poem-entra/src/poem");
        let knows_poem = text.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with("use poem::") || line.starts_with("use poem_openapi::")
        });
        assert!(glue || !knows_poem, "{} knows poem", file.display());
    }
}

#[test]
fn every_setting_is_explained() {
    let configuration = read("docs/CONFIGURATION.md");
    let sample = read(".env.sample");
    for variable in VARIABLES {
        let row = configuration
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", variable.name)))
            .unwrap_or_else(|| panic!("CONFIGURATION.md has no row for {}", variable.name));
        if let Some(default) = variable.default {
            assert!(row.contains(&format!("| `{default}` |")), "{row} lacks the default {default}");
        }
        let set = format!("{}=", variable.name);
        let explained = sample.lines().any(|line| line.trim_start_matches("# ").starts_with(&set));
        assert!(explained, ".env.sample does not have {}", variable.name);
    }
    let rows = configuration.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, VARIABLES.len(), "CONFIGURATION.md has a variable that nobody reads");
}

#[test]
fn every_problem_has_a_heading_in_troubleshooting() {
    let troubleshooting = read("docs/TROUBLESHOOTING.md");
    for code in Code::ALL {
        let (name, status) = code.name_and_status();
        let heading = format!("### `{name}` ({}", status.as_u16());
        assert!(troubleshooting.contains(&heading), "no heading {heading}");
    }
}

#[test]
fn the_handlers_in_the_readme_are_the_handlers_of_the_code() {
    let readme = read("README.md");
    let code: String = ["src/api/todos.rs", "src/api/security.rs"].map(read).concat();
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    let code = dense(&code);
    let blocks: Vec<_> = readme.split("```rust\n").skip(1).collect();
    assert!(blocks.len() >= 3, "{}", blocks.len());
    for block in blocks {
        let block = block.split("```").next().unwrap();
        assert!(code.contains(&dense(block)), "not in the code:\n{block}");
    }
}

#[test]
fn make_token_is_for_uma_unless_somebody_else_is_named() {
    for (arguments, person) in [(&["token"][..], "uma"), (&["token", "AS=ada"], "ada")] {
        let mut make = Command::new("make");
        make.args(["--dry-run", "--no-print-directory"]).args(arguments);
        for variable in ["MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL"] {
            make.env_remove(variable);
        }
        // What a cross compiler's shell sets.
        let output = make.env("AS", "/usr/bin/as").output().unwrap();
        let command = String::from_utf8(output.stdout).unwrap();
        assert_eq!(command.trim(), format!("cargo run --quiet -- token --as {person}"));
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn sources(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let nested = entries.flat_map(|path| if path.is_dir() { sources(path) } else { vec![path] });
    nested.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}
