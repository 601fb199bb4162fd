//! The targets of the Makefile.

use std::process::Command;

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
