//! A token from the Azure CLI.

use std::{io, process::Command};

use anyhow::{Context, bail};
use serde_json::Value;

use super::interrupt::in_thread;

/// Returns an access token for Microsoft Graph
/// (<https://learn.microsoft.com/cli/azure/account#az-account-get-access-token>).
///
/// # Errors
///
/// If the Azure CLI is missing, or nobody is signed in.
pub(super) async fn token(tenant: Option<&str>) -> anyhow::Result<String> {
    let mut command = Command::new("az");
    command.args(["account", "get-access-token", "--resource-type", "ms-graph"]);
    command.args(["--output", "json"]);
    if let Some(tenant) = tenant {
        command.args(["--tenant", tenant]);
    }
    let output = match in_thread(move || command.output()).await? {
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "the Azure CLI (az) is not installed. Install it, or sign in with --client-id, or put a \
             token into GRAPH_TOKEN"
        ),
        output => output.context("failed to run the Azure CLI (az)")?,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let tenant = tenant.map(|tenant| format!(" --tenant {tenant}")).unwrap_or_default();
        bail!(
            "the Azure CLI gives no token for Microsoft Graph; sign in with: az login{tenant}\nIt \
             said: {}",
            said.join(" ")
        );
    }
    // The output contains the token, so no error shows a part of it.
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let token = printed["accessToken"].as_str();
    token.map(str::to_owned).context(
        "the Azure CLI printed no accessToken. Try: az account get-access-token --resource-type \
         ms-graph",
    )
}
