//! The OpenAPI document, checked by the validators of other projects.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::symlink,
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

#[test]
fn spectral_reports_no_problem_in_the_document() {
    let Some([node, spectral]) = require(test_name!(), [Tool::Node, Tool::Spectral]) else {
        return;
    };
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("rules.yaml"), "extends: spectral:oas\n").unwrap();
    let output = command(&node, &home)
        .arg(spectral)
        .args(["lint", "--ruleset", "rules.yaml", "--format", "json", "--quiet"])
        .args(["--fail-severity", "hint"])
        .arg(document())
        .output()
        .unwrap();
    let (said, warned) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}\n{warned}");
    assert_eq!(said.trim(), "[]", "{warned}");
}

#[test]
fn ibms_validator_reports_only_what_its_settings_explain() {
    let tools = [Tool::Node, Tool::IbmValidator];
    let Some([node, validator]) = require(test_name!(), tools) else { return };
    let home = tempfile::tempdir().unwrap();
    // The settings name a package, which the validator looks for in the folder of the settings.
    let packages = validator.ancestors().find(|folder| folder.ends_with("node_modules")).unwrap();
    symlink(packages, home.path().join("node_modules")).unwrap();
    let settings = home.path().join("ibm.yaml");
    fs::copy(root().join("tests/contract/ibm.yaml"), &settings).unwrap();
    let check = || {
        let mut command = command(&node, &home);
        command.arg(&validator).args(["--json", "--ruleset", "ibm.yaml"]).arg(document());
        let output = command.output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
        let results = ["error", "warning"].map(|severity| report[severity]["results"].clone());
        let results = results.iter().flat_map(|results| results.as_array().into_iter().flatten());
        results.map(|result| result["rule"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(check(), BTreeSet::new());
    // Each rule that is turned off would report something.
    let all = fs::read_to_string(&settings).unwrap();
    let off = all.lines().filter_map(|line| line.trim().strip_suffix(": \"off\""));
    fs::write(&settings, "extends: \"@ibm-cloud/openapi-ruleset\"\n").unwrap();
    assert_eq!(check(), off.map(str::to_owned).collect());
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
