//! As which API a token is judged.

use std::fs;

use entra_dev::{DevTenant, ids};
use serde_json::json;

use crate::support::{Launch, free_ports};

use super::{explain_in, forge};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_development_tenant_is_explained_without_any_settings() {
    let folder = tempfile::tempdir().unwrap();
    let [port] = free_ports();
    let launch = Launch::default().with("DEV_TENANT_PORT", port.to_string());
    // No tenant is running: the keys are those in the folder.
    let token = launch.run(folder.path(), &["token", "--as", "uma"]).stdout;
    let explained = explain_in(&folder, &launch, &[], &token);
    assert_eq!(explained.code, Some(0), "{explained:?}");
    explained.assert_says(&["ACCEPTED", &format!("of http://localhost:{port}/")], "");

    // The fix of the development tenant comes first.
    let explained = explain_in(&folder, &launch, &["--operation", "deleteAllTodos"], &token);
    assert_eq!(explained.code, Some(1), "{explained:?}");
    explained.assert_says(
        &["Here, with the development tenant:", "todo-api token --as ada"],
        "missing role",
    );
    let token = launch.run(folder.path(), &["token", "--as", "ada"]).stdout;
    let explained = explain_in(&folder, &launch, &["--operation", "deleteAllTodos"], &token);
    assert_eq!(explained.code, Some(0), "{explained:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_are_those_in_dot_env_unless_the_development_tenant_is_named() {
    let tenant = DevTenant::start().await.unwrap();
    let port = tenant.base_url().rsplit(':').next().unwrap().to_owned();
    let token = tenant.access_token("uma").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let other = "22222222-2222-4222-8222-222222222222";
    let env = format!(
        "AAD_INSTANCE={}\nAAD_TENANT_ID={other}\nAPI_CLIENT_ID={}\n",
        tenant.base_url(),
        ids::API_CLIENT_ID
    );
    fs::write(folder.path().join(".env"), env).unwrap();
    let launch = Launch::default().with("DEV_TENANT_PORT", port);
    let explained = explain_in(&folder, &launch, &[&token], b"");
    assert_eq!(explained.code, Some(1), "{explained:?}");
    explained.assert_says(&["REFUSED: Wrong tenant", &format!("serves only {other}")], ".env");
    assert!(!explained.text.contains("were not used"), "{explained:?}");
    let explained = explain_in(&folder, &launch, &["--dev", &token], b"");
    assert_eq!(explained.code, Some(0), "{explained:?}");
    explained.assert_says(&["(the settings in .env were not used) Judged as"], "--dev");
    // Its settings are right, so only the client can be wrong.
    let of_another = forge(&tenant, &json!({ "person": "uma", "resource": "Reports API" }));
    let explained = explain_in(&folder, &launch, &["--dev", &of_another], b"");
    explained.assert_says(
        &[
            "REFUSED: Scope of another API (the settings in .env were not used)",
            "In the portal (entra.microsoft.com): App registrations, the client (44444444",
        ],
        "--dev",
    );
}

#[test]
fn faults_in_the_settings_are_reported_together() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "TOKEN_LEEWAY=soon\n").unwrap();
    let explained = explain_in(&folder, &Launch::default(), &["a.b.c"], b"");
    assert_eq!((explained.code, explained.text.as_str()), (Some(2), ""), "{explained:?}");
    for says in [
        "- AAD_TENANT_ID is missing",
        "- API_CLIENT_ID is missing",
        "- TOKEN_LEEWAY is",
        "To check the settings: todo-api doctor\nIf the token is from serve --dev: todo-api explain --dev",
    ] {
        assert!(explained.errors.contains(says), "{explained:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tenant_and_its_keys_there_is_no_verdict() {
    let [port] = free_ports();
    let launch = Launch::default().with("DEV_TENANT_PORT", port.to_string());
    let token = DevTenant::start().await.unwrap().access_token("uma").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let explained = explain_in(&folder, &launch, &[&token], b"");
    assert_eq!(explained.code, Some(3), "{explained:?}");
    explained.assert_says(&["Start the development tenant", "todo-api serve --dev"], "no keys");
}
