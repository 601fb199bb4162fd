//! The OpenAPI document, checked by the validators of other projects.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Tool, require, root, test_name};

#[test]
fn the_document_passes_openapi_spec_validator() {
    let Some([python]) = require(test_name!(), [Tool::SpecValidator]) else { return };
    let home = tempfile::tempdir().unwrap();
    let output = command(&python, &home)
        .args(["-m", "openapi_spec_validator"])
        .arg(document())
        .output()
        .unwrap();
    let (said, warned) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}\n{warned}");
}

#[test]
fn redocly_reports_no_problem_in_the_document() {
    let Some([node, redocly]) = require(test_name!(), [Tool::Node, Tool::Redocly]) else { return };
    let home = tempfile::tempdir().unwrap();
    // Redocly has an extension with the same name as one of Scalar's, but with another type.
    let original = fs::read_to_string(document()).unwrap();
    let without = original.replace("\"x-usePkce\"", "\"x-scalar-pkce\"");
    assert_ne!(original, without);
    fs::write(home.path().join("openapi.json"), without).unwrap();
    let output = command(&node, &home)
        .arg(redocly)
        .args(["lint", "openapi.json"])
        .args(["--extends", "recommended", "--format", "json"])
        // No request to /health can be invalid.
        .args(["--skip-rule", "operation-4xx-response"])
        // The file is for everybody who tries the API, so its server is on their own machine.
        .args(["--skip-rule", "no-server-example.com"])
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
        .output()
        .unwrap();
    let (said, warned) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}\n{warned}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["problems"], Value::Array(Vec::new()));
}

/// A program with an empty home folder, so it finds no settings.
fn command(program: &Path, home: &TempDir) -> Command {
    let mut command = Command::new(program);
    command.current_dir(home).env("HOME", home.path());
    command
}

fn document() -> PathBuf {
    root().join("openapi/openapi.json")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
