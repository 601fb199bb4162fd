//! What people at a terminal see: help, completions, manual pages, colour and progress.

use std::{fs, path::Path};

use clap::CommandFactory;
use entra_dev::{DevTenant, Endpoint, FaultPlan};
use todo_api::cli::Cli;

use crate::{
    register::Setup,
    support::{Launch, Tool, free_ports, graph::Fault, require, test_name},
};

/// The output of a command that succeeds.
fn printed(launch: &Launch, folder: &Path, arguments: &[&str]) -> String {
    let output = launch.run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_command_has_examples_in_its_help() {
    let folder = tempfile::tempdir().unwrap();
    let help = printed(&Launch::default(), folder.path(), &["--help"]);
    assert!(help.contains("\nExamples:\n  todo-api "), "{help}");
    let command = Cli::command();
    let commands: Vec<_> = command.get_subcommands().map(|command| command.get_name()).collect();
    assert!(commands.len() >= 8, "{commands:?}");
    for name in commands {
        let help = printed(&Launch::default(), folder.path(), &[name, "--help"]);
        assert!(help.contains("\nExamples:\n  "), "{help}");
        assert!(help.contains(&format!("todo-api {name}")), "{help}");
    }
}

#[test]
fn each_shell_gets_completions_for_all_commands() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = printed(&Launch::default(), folder.path(), &["completions", shell]);
        for word in ["todo-api", "doctor", "healthcheck", "json", "configured"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
    let output = Launch::default().run(folder.path(), &["completions", "tcsh"]);
    assert_eq!(output.status.code(), Some(2));
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("[possible values: bash"), "{shown}");
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = printed(&Launch::default(), folder.path(), &["man"]);
    assert!(page.contains(".TH todo-api 1"), "{page}");
    printed(&Launch::default(), folder.path(), &["man", "--output", "man/man1"]);
    for command in Cli::command().get_subcommands() {
        let file = folder.path().join(format!("man/man1/todo-api-{}.1", command.get_name()));
        let page = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        assert!(page.contains("Examples:"), "{page}");
    }
    fs::write(folder.path().join("file"), "").unwrap();
    let output = Launch::default().run(folder.path(), &["man", "--output", "file"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

/// Runs the program on a terminal.
const ON_A_TERMINAL: [&str; 3] = ["sh", "-c", "exec script -qec \"$0 $*\" /dev/null"];

#[test]
fn only_a_terminal_gets_colour() {
    let Some([_]) = require(test_name!(), [Tool::Script]) else { return };
    let folder = tempfile::tempdir().unwrap();
    let [port] = free_ports().map(|port| port.to_string());
    let launch = Launch::default().with("PORT", port).with("TERM", "xterm");
    let doctor = |launch: &Launch| {
        let output = launch.run(folder.path(), &["doctor"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("FAIL"), "{text}");
        text
    };
    let has_colour = |text: &str| text.contains("\u{1b}[");
    assert!(!has_colour(&doctor(&launch)));
    let terminal = launch.through(&ON_A_TERMINAL);
    assert!(has_colour(&doctor(&terminal)));
    assert!(!has_colour(&doctor(&terminal.with("NO_COLOR", "1"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_what_takes_longer_than_a_second() {
    let Some([_]) = require(test_name!(), [Tool::Script]) else { return };
    let tenant = DevTenant::start().await.unwrap();
    let mut slow = FaultPlan::default();
    slow.latency_ms = 2_500;
    tenant.plan_fault(Endpoint::Metadata, Some(slow));
    let folder = tempfile::tempdir().unwrap();
    let [port] = free_ports().map(|port| port.to_string());
    let launch = Launch::serve(tenant.base_url()).with("PORT", port).with("TERM", "xterm");
    let output = launch.run(folder.path(), &["doctor"]);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "a log is not a terminal");
    let shown = printed(&launch.through(&ON_A_TERMINAL), folder.path(), &["doctor"]);
    let (before, report) = shown.split_once("OK").unwrap();
    assert!(before.contains("\rchecking, "), "{shown:?}");
    assert!(!report.contains("checking"), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_that_register_waits_for_graph() {
    let Some([_]) = require(test_name!(), [Tool::Script]) else { return };
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    setup.launch = setup.launch.through(&ON_A_TERMINAL).with("TERM", "xterm");
    setup.graph.fail_on("POST", "/servicePrincipals", [Fault::Throttle(429, Some("2"))]);
    let run = setup.run(&[]);
    run.assert_done();
    let shown = run.stdout;
    assert!(
        shown.contains("; trying again in 2 s\r\n\rwaiting for Microsoft Graph, "),
        "{shown:?}"
    );
    // The line is overwritten with spaces before anything else is printed.
    let (_, after) = shown.rsplit_once("waiting for Microsoft Graph, ").unwrap();
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    assert!(after.starts_with(" s\r    "), "{shown:?}");
    assert!(after.ends_with("Next: todo-api doctor\r\n"), "{shown:?}");
}

#[test]
fn an_error_is_one_line_without_a_stack_trace() {
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::default().with("RUST_BACKTRACE", "1").with("PORT", "0");
    for arguments in [&["healthcheck"][..], &["backup", "missing/copy.db"], &["token", "--as", ""]]
    {
        let output = launch.run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let shown = String::from_utf8(output.stderr).unwrap();
        assert!(shown.starts_with("Error: "), "{shown}");
        assert_eq!(shown.lines().count(), 1, "{shown}");
    }
}
