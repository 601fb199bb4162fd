//! The targets of the Makefile.

use std::process::Command;

use super::files::read;

#[test]
fn make_token_is_for_uma_by_default() {
    for (arguments, person) in [(&["token"][..], "uma"), (&["token", "AS=ada"], "ada")] {
        let command = commands_of(arguments);
        assert_eq!(command.trim(), format!("cargo run --quiet -- token --as {person}"));
    }
}

#[test]
fn make_clean_keeps_the_todos() {
    let commands = commands_of(&["clean"]);
    assert!(commands.contains("data/dev-tenant"), "{commands}");
    assert!(!commands.replace("data/dev-tenant", "").contains("data"), "{commands}");
}

#[test]
fn every_target_that_ci_and_the_editor_call_exists() {
    let makefile = read("Makefile");
    for file in [".ci/run", ".vscode/tasks.json"] {
        let text = read(file);
        let targets: Vec<_> =
            text.split("make ").skip(1).filter_map(|rest| rest.split(['\n', '"']).next()).collect();
        assert!(targets.len() >= 5, "{file}: {targets:?}");
        for target in targets {
            assert!(makefile.contains(&format!("\n{target}:")), "{file}: make {target}");
        }
    }
}

/// The commands that `make` would run.
fn commands_of(arguments: &[&str]) -> String {
    let mut make = Command::new("make");
    make.args(["--dry-run", "--no-print-directory"]).args(arguments);
    for variable in ["MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL"] {
        make.env_remove(variable);
    }
    // A shell for cross-compilation sets AS.
    let output = make.env("AS", "/usr/bin/as").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn git_ignores_the_settings_and_the_files_that_replace_them() {
    let ignored = super::files::read(".gitignore");
    for line in [".env", ".env.*", "!.env.sample"] {
        assert!(ignored.lines().any(|ignored| ignored == line), "{line}: {ignored}");
    }
}
