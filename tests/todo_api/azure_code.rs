//! Code that is written for Azure, with the development tenant: managed identities and workload
//! identity. The tokens are used at the standalone API, which admits apps.

use std::{fs, path::PathBuf};

use entra_dev::{Edit, ids::API_CLIENT_ID};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::support::{
    App, ForeignIssuer, StandaloneApi, TestClock, Tool, client_command, require, run, test_name,
};

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
