//! Real, unmodified clients of Entra with the development tenant, and their tokens with the API.
//! The table in the README of `entra-dev` lists what each client can do.

use std::{collections::BTreeSet, path::PathBuf};

use crate::support::{Column, Tool, only_browser, operations, require, run_client, test_name};

#[tokio::test]
async fn msal_for_python_signs_in_and_renews() {
    let Some([python]) = require(test_name!(), [Tool::MsalPython]) else { return };
    compare("msal", python, "msal_python.py").await;
}

#[tokio::test]
async fn azure_identity_signs_in() {
    let Some([python]) = require(test_name!(), [Tool::AzureIdentity]) else { return };
    compare("azure-identity", python, "azure_identity.py").await;
}

#[tokio::test]
async fn msal_for_node_signs_in_and_renews() {
    let Some([node, _]) = require(test_name!(), [Tool::Node, Tool::MsalNode]) else { return };
    compare("@azure/msal-node", node, "msal_node.mjs").await;
}

#[tokio::test]
async fn msal_in_a_browser_signs_in_renews_and_signs_out() {
    let tools = [Tool::Node, Tool::MsalBrowser, Tool::Playwright, Tool::Chromium];
    let Some([node, _, _, _]) = require(test_name!(), tools) else { return };
    let _browser = only_browser().await;
    compare("@azure/msal-browser", node, "msal_browser.mjs").await;
}

#[tokio::test]
async fn openid_client_verifies_everything_it_receives() {
    let Some([node, _]) = require(test_name!(), [Tool::Node, Tool::OpenidClient]) else { return };
    compare("openid-client", node, "openid_client.mjs").await;
}

#[tokio::test]
async fn each_request_for_the_editor_gets_the_status_in_its_heading() {
    let Some([node]) = require(test_name!(), [Tool::Node]) else { return };
    let output = run_client(node, "http_file.mjs").await;
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    // It has a request for each operation.
    let document = include_str!("../../openapi/openapi.json");
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    for operation in operations(&document) {
        let (start, end) = operation.path.split_once("{id}").unwrap_or((operation.path, ""));
        let start = format!("ok: {} {start}", operation.method);
        let is_sent = |line: &str| {
            let id = line.strip_prefix(&start).and_then(|line| line.strip_suffix(end));
            id.is_some_and(|id| id.is_empty() != operation.path.contains('{'))
        };
        assert!(printed.lines().any(is_sent), "no request for {}:\n{printed}", operation.id);
    }
}

/// Runs the flows of a client, and compares its version and the flows that work with the table.
async fn compare(client: &str, interpreter: PathBuf, script: &str) {
    let output = run_client(interpreter, script).await;
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");

    let column = Column::of(client);
    let said = |prefix: &'static str| stdout.lines().filter_map(move |l| l.strip_prefix(prefix));
    let flows: BTreeSet<_> = said("ok: ").map(str::to_owned).collect();
    let readme = "crates/entra-dev/README.md";
    assert_eq!(flows, column.flows, "the table in {readme} differs for {client}\n{stdout}");
    let versions: Vec<_> = said("version: ").collect();
    assert_eq!(versions, [format!("{client} {}", column.version)], "the version in {readme}");
}
