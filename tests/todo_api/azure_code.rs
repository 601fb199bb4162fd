//! Code that is written for Azure, with the development tenant: managed identities and workload
//! identity. The tokens are used at the standalone API, which admits apps.

use std::{fs, path::PathBuf, process::Command};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use entra_dev::{Edit, ids::API_CLIENT_ID};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::support::{
    App, ForeignIssuer, StandaloneApi, TestClock, Tool, client_command, require, run, test_name,
};

const PAGE: &str = include_str!("../../crates/entra-dev/docs/IDENTITIES.md");
const SYSTEM_CLIENT_ID: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const USER_CLIENT_ID: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const USER_RESOURCE_ID: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups\
                                /development/providers/Microsoft.ManagedIdentity\
                                /userAssignedIdentities/Todo-maintenance";
const DEPLOYER_CLIENT_ID: &str = "a2000000-0000-4000-8000-000000000001";
const TRUSTING_CLIENT_ID: &str = "a2000000-0000-4000-8000-000000000002";

#[tokio::test]
async fn azure_identity_and_msal_for_python_need_no_secret() {
    let tools = [Tool::MsalPython, Tool::AzureIdentity, Tool::Node, Tool::OidcProvider];
    let Some([python, _, node, _]) = require(test_name!(), tools) else { return };
    let rows = [
        "system-assigned",
        "user-assigned",
        "unknown identity",
        "IMDS",
        "default credential",
        "msal: managed identity",
        "workload identity",
        "msal: client assertion",
        "identity as credential",
        "only this machine",
    ];
    run_rows(python, node, "azure_code.py", &rows).await;
}

#[tokio::test]
async fn msal_for_node_needs_no_secret() {
    let tools = [Tool::Node, Tool::MsalNode, Tool::OidcProvider];
    let Some([node, _, _]) = require(test_name!(), tools) else { return };
    let rows = ["managed identity", "IMDS", "client assertion"];
    run_rows(node.clone(), node, "azure_code.mjs", &rows).await;
}

#[tokio::test]
async fn the_programs_in_the_page_about_identities_get_a_token() {
    let tools = [Tool::AzureIdentity, Tool::Node, Tool::OidcProvider];
    let Some([python, node, _]) = require(test_name!(), tools) else { return };
    let issuer = spawn_blocking(move || ForeignIssuer::start(node)).await.unwrap();
    let app = App::start_at(TestClock::real(), |same| same).await;
    let [mut deployment, _] = trusting_apps(&issuer);
    deployment["client_id"] = "f3000000-0000-4000-8000-000000000001".into();
    app.tenant.edit_directory(Edit::add(["apps"], deployment)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token.jwt"), &issuer.signed_in.id_token).unwrap();
    let blocks: Vec<_> = PAGE.split("```sh\n").skip(1).collect();
    for (block, client_id) in blocks.iter().zip([USER_CLIENT_ID, "f3000000"]) {
        let (head, program) = block.split_once("python3 - <<'END'\n").unwrap();
        let (program, _) = program.split_once("END\n```").unwrap();
        let mut command = Command::new(&python);
        command.args(["-c", program]).current_dir(&folder).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("REQUESTS_CA_BUNDLE", app.tenant.ca_file().unwrap());
        let exports = head.lines().filter_map(|line| line.strip_prefix("export "));
        for (name, value) in exports.filter_map(|line| line.split_once('=')) {
            let value = value.replace("http://localhost:8001", app.tenant.base_url());
            let https = app.tenant.https_url().unwrap();
            command.env(name, value.replace("https://localhost:8443", https));
        }
        let output = run(command).await;
        let token = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let claims = token.split('.').nth(1).unwrap_or_else(|| panic!("{token}{errors}"));
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert!(claims["azp"].as_str().unwrap().starts_with(client_id), "{claims}");
    }
    assert_eq!(blocks.len(), 2);
}

/// Runs a script with a tenant whose apps trust a provider that this project did not write. All of
/// these rows must pass.
async fn run_rows(interpreter: PathBuf, node: PathBuf, script: &str, rows: &[&str]) {
    let issuer = spawn_blocking(move || ForeignIssuer::start(node)).await.unwrap();
    let app = App::start_at(TestClock::real(), |same| same).await;
    let api = StandaloneApi::start(app.tenant.base_url());
    for entry in trusting_apps(&issuer) {
        app.tenant.edit_directory(Edit::add(["apps"], entry)).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let token_file = folder.path().join("token");
    fs::write(&token_file, &issuer.signed_in.id_token).unwrap();
    let mut command = client_command(&interpreter, script, &app.tenant, &app.url, folder.path());
    command
        .env("STANDALONE_API_URL", &api.url)
        .env("SYSTEM_CLIENT_ID", SYSTEM_CLIENT_ID)
        .env("USER_CLIENT_ID", USER_CLIENT_ID)
        .env("USER_RESOURCE_ID", USER_RESOURCE_ID)
        .env("DEPLOYER_CLIENT_ID", DEPLOYER_CLIENT_ID)
        .env("TRUSTING_CLIENT_ID", TRUSTING_CLIENT_ID)
        .env("FOREIGN_TOKEN_FILE", token_file);
    let output = run(command).await;
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    for version in stdout.lines().filter_map(|line| line.strip_prefix("version: ")) {
        let (library, number) = version.rsplit_once(' ').unwrap();
        assert!(PAGE.contains(&format!("`{library}` {number} |")), "the table lacks {version}");
    }
    let passed: Vec<_> = stdout.lines().filter_map(|line| line.strip_prefix("ok: ")).collect();
    assert_eq!(passed, rows, "{stdout}{stderr}");
}

/// An app that trusts the ID tokens of the provider, and one that trusts a managed identity.
fn trusting_apps(issuer: &ForeignIssuer) -> [Value; 2] {
    let signed_in = &issuer.signed_in;
    let role = json!({ "Todo API": ["Todos.ReadWrite.All"] });
    assert_ne!(signed_in.api_client_id, API_CLIENT_ID);
    [
        json!({
            "client_id": DEPLOYER_CLIENT_ID,
            "name": "Deployer",
            "tenant": "Contoso",
            "federated_credentials": [{
                "issuer": format!("{}/{}/v2.0", signed_in.instance, signed_in.tenant),
                "subject": signed_in.subject,
                "audiences": [signed_in.client_id],
            }],
            "permissions": role,
        }),
        json!({
            "client_id": TRUSTING_CLIENT_ID,
            "name": "Trusting app",
            "tenant": "Contoso",
            "trusted_managed_identities": ["Todo maintenance"],
            "permissions": role,
        }),
    ]
}
