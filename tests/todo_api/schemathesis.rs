//! schemathesis, which makes requests from the OpenAPI document, valid and invalid ones, and checks
//! the responses against it.

use std::{fs, process::Command};

use serde_json::json;

use crate::support::{App, TestClock, Tool, require, root, run, test_name};

#[tokio::test]
async fn schemathesis_finds_nothing_in_the_running_server() {
    let Some([python]) = require(test_name!(), [Tool::Schemathesis]) else { return };
    let app = App::start_at(TestClock::real(), |environment| environment).await;
    let folder = tempfile::tempdir().unwrap();
    for file in ["schemathesis.toml", "hooks.py"] {
        fs::copy(root().join("tests/contract").join(file), folder.path().join(file)).unwrap();
    }
    let mut users = Vec::new();
    for person in ["uma", "ulf"] {
        let bearer = format!("Bearer {}", app.token(person).await);
        let header = json!({ "name": "Authorization", "value": bearer });
        users.push(json!({ "name": person, "fixedHeaders": [header] }));
    }
    let users = json!({ "auth": users }).to_string();
    fs::write(folder.path().join("users.json"), users).unwrap();

    let mut command = Command::new(python.with_file_name("schemathesis"));
    command
        .args(["--no-color", "run", "--continue-on-failure", "--url", &app.url])
        .arg(format!("{}/openapi.json", app.url))
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("PYTHONUTF8", "1");
    let output = run(command).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for part in ["Tested: 8", "✅ Examples", "✅ Coverage", "✅ Fuzzing", "✅ Stateful"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.contains("No issues found"), "{said}");
}
