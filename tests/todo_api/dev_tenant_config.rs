//! `DEV_TENANT_CONFIG`: your own people and apps in the embedded development tenant.

use std::{fs, path::PathBuf};

use entra_dev::Directory;
use reqwest::StatusCode;
use tempfile::TempDir;

use crate::support::{Launch, Program, client, free_ports};

const ZOE: &str = r#"
[[people]]
name = "zoe"
display_name = "Zoe Zimmer"
sign_in_name = "zoe@contoso.example"
oid = "a1000000-0000-4000-8000-000000000002"
tenant = "Contoso"
roles = { "Todo API" = ["Admin"] }
"#;

/// A file with this content, and its folder.
fn file(name: &str, content: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn with_zoe() -> String {
    format!("{}{ZOE}", Directory::EXAMPLE)
}

#[tokio::test]
async fn people_of_the_file_can_use_the_api() {
    let (_folder, path) = file("people.toml", &with_zoe());
    let launch = Launch::dev().with("DEV_TENANT_CONFIG", path.to_str().unwrap());
    let program = Program::launch(launch).await;
    let log = program.log();
    assert!(log.contains("Zoe Zimmer (Admin)"), "{log}");
    // Only administrators may delete all todos.
    for (name, status) in [("zoe", StatusCode::NO_CONTENT), ("uma", StatusCode::FORBIDDEN)] {
        let request = client().delete(format!("{}/todoitems", program.url));
        let answer = request.bearer_auth(program.token(name)).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}");
    }
}

#[test]
fn without_a_tenant_the_token_is_for_a_person_of_the_file() {
    let (folder, path) = file("people.toml", &with_zoe());
    let [port] = free_ports();
    let launch = Launch::default().with("DEV_TENANT_PORT", port.to_string());
    let token = |launch: &Launch| launch.run(folder.path(), &["token", "--as", "zoe"]);
    assert!(!token(&launch).status.success());
    let launch = launch.with("DEV_TENANT_CONFIG", path.to_str().unwrap());
    let output = token(&launch);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.split(|byte| *byte == b'.').count(), 3);
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_its_faults() {
    let nobody = with_zoe().replace("tenant = \"Contoso\"\nroles", "tenant = \"Nowhere\"\nroles");
    let two_faults = format!("{nobody}groups = [\"Art\"]\n");
    let other_ids = with_zoe().replace("33333333", "3333aaaa").replace("11111111", "1111aaaa");
    let missing = "tenant Contoso (11111111-1111-4111-8111-111111111111), app Todo API \
                   (33333333-3333-4333-8333-333333333333). Copy";
    for (name, content, expected) in [
        ("people.toml", two_faults.as_str(), "there is no tenant \"Nowhere\""),
        ("people.toml", &two_faults, "there is no group \"Art\""),
        ("people.toml", "tenants = 1", "line 1: "),
        ("people.json", "{\n\"tenants\": 1}", "line 2: "),
        ("people.toml", &other_ids, missing),
    ] {
        let (folder, path) = file(name, content);
        let launch = Launch::dev().with("DEV_TENANT_CONFIG", path.to_str().unwrap());
        let shown = launch.refusal(folder.path());
        assert!(shown.contains("DEV_TENANT_CONFIG cannot be used"), "{shown}");
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::dev().with("DEV_TENANT_CONFIG", "nowhere.toml");
    let shown = launch.refusal(folder.path());
    assert!(shown.contains("failed to read the directory file nowhere.toml"), "{shown}");
}
