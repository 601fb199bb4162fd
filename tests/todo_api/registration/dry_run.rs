//! `--dry-run`: shows everything and changes nothing.

use std::fs;

use entra_dev::Directory;
use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    register::{API, EVERYTHING, Run, SWAGGER_UI, Setup},
    support::{Launch, Program, client, test_name},
};

fn offline(arguments: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&["register", "--dry-run"], arguments].concat();
    let run = Run::of(&Launch::default().run(folder.path(), &arguments));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "it writes no file");
    run
}

#[test]
fn without_a_token_it_shows_the_calls_for_a_new_tenant() {
    let run = offline(EVERYTHING);
    run.assert_done();
    for text in [
        "# Without a token, nothing was read",
        "PATCH https://graph.microsoft.com/v1.0/applications(uniqueName='todo-api')\n\
         Prefer: create-if-missing\n{\n",
        "\"api://{API_CLIENT_ID}\"",
        "POST https://graph.microsoft.com/v1.0/servicePrincipals\n",
        "\"appId\": \"04b07795-8ddb-461a-bbee-02f9e1bf7b46\"",
        "POST https://graph.microsoft.com/v1.0/oauth2PermissionGrants\n",
        "# assign Admin to ada@contoso.example\n",
        "# The manifest of Todo API - Swagger UI\n{\n",
        "/addPassword\n",
        "API_CLIENT_ID={API_CLIENT_ID}\n",
    ] {
        assert!(run.stdout.contains(text), "{text:?} is missing: {}", run.stdout);
    }
}

#[test]
fn the_help_says_what_exit_code_0_means_for_each_mode() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::of(&Launch::default().run(folder.path(), &["register", "--help"]));
    run.assert_done();
    let (_, codes) = run.stdout.split_once("Exit code:\n  0 ").unwrap();
    let (success, _) = codes.split_once("\n  1 ").unwrap();
    for mode in ["registrations are complete", "with --dry-run", "with --destroy"] {
        assert!(success.contains(mode), "{mode}: {success}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_that_it_shows_are_the_calls_that_are_made() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let arguments = [&["--dry-run"], EVERYTHING].concat();
    let shown = setup.run(&arguments);
    shown.assert_done();
    assert_eq!(setup.graph.writes().len(), 0);
    assert_eq!(setup.env(), "");
    let is_call = |line: &&str| ["PATCH ", "POST "].iter().any(|verb| line.starts_with(verb));
    let calls: Vec<_> = shown.stdout.lines().filter(is_call).collect();

    setup.run(EVERYTHING).assert_done();
    let writes = setup.graph.writes();
    assert_eq!(calls.len(), writes.len(), "{calls:#?} {writes:#?}");
    for (shown, made) in calls.iter().zip(&writes) {
        let end = made.path.rsplit('/').next().unwrap();
        // Object ids are not known before.
        let is_id = uuid::Uuid::try_parse(end).is_ok();
        assert!(shown.starts_with(&made.method), "{shown}: {made:?}");
        assert!(is_id || shown.ends_with(end), "{shown}: {made:?}");
    }

    // The manifests that it shows are those that the calls lead to.
    for name in [API, SWAGGER_UI] {
        let registered = setup.graph.application(name);
        let title = format!("# The manifest of {}\n", registered["displayName"].as_str().unwrap());
        let (_, manifest) = shown.stdout.split_once(&title).unwrap();
        let manifest = manifest.split("\n\n").next().unwrap();
        let manifest: Value = serde_json::from_str(manifest).unwrap();
        for (path, what) in [
            ("/displayName", "the name"),
            ("/uniqueName", "the alternate key"),
            ("/signInAudience", "whose accounts"),
            ("/spa/redirectUris", "the redirect URI"),
            ("/api/requestedAccessTokenVersion", "the version"),
        ] {
            assert_eq!(manifest.pointer(path), registered.pointer(path), "{what}: {manifest:#}");
        }
        let values = |application: &Value, list: &str| {
            let entries = application.pointer(list).unwrap().as_array().unwrap().iter();
            entries.map(|entry| entry["value"].clone()).collect::<Vec<_>>()
        };
        for list in ["/appRoles", "/api/oauth2PermissionScopes"] {
            assert_eq!(values(&manifest, list), values(&registered, list), "{manifest:#}");
        }
    }

    let complete = setup.run(&arguments);
    assert!(complete.stdout.contains("# The registrations are complete"), "{complete:#?}");
    assert!(!complete.stdout.contains("POST "), "{complete:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_dev_starts_with_the_directory_file_for_a_new_tenant() {
    let run = offline(&["--format", "entra-dev", "--assign", "zoe@contoso.example=Admin"]);
    run.assert_done();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("directory.toml");
    fs::write(&file, &run.stdout).unwrap();
    Directory::read(&file).unwrap();
    let launch = Launch::dev().with("DEV_TENANT_CONFIG", file.to_str().unwrap());
    let program = Program::launch(launch).await;
    let request = client().delete(format!("{}/todoitems", program.url));
    let answer = request.bearer_auth(program.token("zoe")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

#[test]
fn without_people_the_directory_file_has_one_for_each_role() {
    let run = offline(&["--format", "entra-dev", "--audience", "any-org-and-personal"]);
    run.assert_done();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("directory.toml");
    fs::write(&file, &run.stdout).unwrap();
    Directory::read(&file).unwrap();
    for text in ["auditor@contoso.example", "\"Todo API\" = [\"Auditor\"]", "personal = true"] {
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
}
