//! What happens to `.env`: no line of it is lost, no matter who wrote it and when.

use std::{collections::HashMap, fs, os::unix::fs::PermissionsExt};

use serde_json::json;

use crate::support::{
    graph::{Fault, Moment},
    test_name,
};

use super::{API, EVERYTHING, Run, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn other_lines_of_env_may_refer_to_what_the_command_writes() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    // After a reference without braces, dotenvy takes a space literally.
    let lines = "A=1\nB=2\nTITLE=$A $B\nMY=\"a-${API_CLIENT_ID} ${SWAGGER_UI_CLIENT_ID}\"\n";
    fs::write(setup.env_file(), format!("API_CLIENT_ID=\n{lines}")).unwrap();
    setup.run(EVERYTHING).assert_done();
    let id = setup.setting("API_CLIENT_ID");
    assert_ne!(id, "", "{}", setup.env());
    assert!(setup.env().contains(lines), "{}", setup.env());
    let values = dotenvy::from_path_iter(setup.env_file()).unwrap();
    let values: HashMap<_, _> = values.map(Result::unwrap).collect();
    assert_eq!(values["TITLE"], "1 2");
    assert!(values["MY"].starts_with(&format!("a-{id} ")), "{values:?}");
    setup.run(&["--destroy", "--yes"]).assert_done();
    assert_eq!(setup.setting("API_CLIENT_ID"), "", "{}", setup.env());
    assert!(setup.env().contains(lines), "{}", setup.env());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_env_that_cannot_be_changed_is_found_before_anything_is_changed() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    for (name, arguments) in [
        ("API_CLIENT_ID", &[][..]),
        ("ALLOWED_TENANTS", &[]),
        ("API_CLIENT_SECRET", &["--with-secret"]),
        ("SWAGGER_UI_CLIENT_ID", &["--destroy", "--yes"]),
        ("API_CLIENT_SECRET", &["--destroy", "--yes"]),
    ] {
        let env = format!("MY='several\n{name}=\nlines'\n");
        fs::write(setup.env_file(), &env).unwrap();
        setup
            .run(arguments)
            .assert_failed(&[&format!("{name} cannot be set in "), "Nothing was changed"]);
        assert_eq!(setup.graph.calls().len(), 0, "{env:?}");
        assert_eq!(setup.env(), env);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_writes_to_env_during_the_run_stays() {
    for before in [None, Some("PORT=8123\n")] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        if let Some(before) = before {
            fs::write(setup.env_file(), before).unwrap();
        }
        setup.graph.fail_on("POST", "/servicePrincipals", [Fault::Hold(Moment::Before)]);
        let run = while_held(&setup, &[], "# Mine\nPORT=8200\n").await;
        run.assert_done();
        assert!(setup.env().starts_with("# Mine\nPORT=8200\n"), "{}", setup.env());
        assert_ne!(setup.setting("API_CLIENT_ID"), "", "{}", setup.env());

        setup.graph.forget();
        setup.graph.fail_on("DELETE", "/applications", [Fault::Hold(Moment::Before)]);
        let changed = format!("{}# Later\n", setup.env());
        let run = while_held(&setup, &["--destroy", "--yes"], &changed).await;
        run.assert_done();
        assert!(setup.env().ends_with("# Later\n"), "{}", setup.env());
        assert_eq!(setup.setting("API_CLIENT_ID"), "", "{}", setup.env());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_that_a_person_writes_to_env_during_the_run_are_kept() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    let other = "22222222-2222-4222-8222-222222222222";
    let text = format!("AAD_TENANT_ID=Organizations\nALLOWED_TENANTS={other}\n");
    setup.graph.fail_on("POST", "/servicePrincipals", [Fault::Hold(Moment::Before)]);
    let run = while_held(&setup, &["--audience", "any-org-and-personal"], &text).await;
    run.assert_done();
    assert!(setup.env().starts_with(&text), "{}", setup.env());
    assert_ne!(setup.setting("API_CLIENT_ID"), "", "{}", setup.env());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_a_person_writes_to_env_during_the_run_is_never_overwritten() {
    let id = "33333333-3333-4333-8333-333333333333";
    for (line, arguments) in [
        ("AAD_TENANT_ID=common".to_owned(), &[][..]),
        ("AAD_TENANT_ID=fabrikam.example".to_owned(), &[]),
        (format!("ALLOWED_TENANTS={id}"), &[]),
        (format!("API_CLIENT_ID={id}"), &[]),
        (format!("SWAGGER_UI_CLIENT_ID={id}"), &[]),
        ("APP_ID_URI=api://mine".to_owned(), &["--app-id-uri", "https://todo.contoso.example"]),
    ] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        fs::write(setup.env_file(), "# Mine\n").unwrap();
        setup.graph.fail_on("POST", "/servicePrincipals", [Fault::Hold(Moment::Before)]);
        let run = while_held(&setup, arguments, &format!("# Mine\n{line}\n")).await;
        let client_id = setup.graph.application(API)["appId"].as_str().unwrap().to_owned();
        let name = line.split('=').next().unwrap();
        run.assert_failed(&[
            name,
            "Put these lines into ",
            &format!("  API_CLIENT_ID={client_id}\n"),
            "Changed so far: ",
        ]);
        assert_eq!(setup.env(), format!("# Mine\n{line}\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_a_person_writes_to_env_during_the_run_stays() {
    let line = "API_CLIENT_SECRET=mine\n";
    for path in ["/servicePrincipals", "/addPassword"] {
        let Some(setup) = Setup::new(test_name!()).await else { return };
        setup.graph.fail_on("POST", path, [Fault::Hold(Moment::Before)]);
        let run = while_held(&setup, &["--with-secret"], line).await;
        assert!(setup.env().starts_with(line), "{}", setup.env());
        match path {
            "/addPassword" => run.assert_failed(&["Put the secret above there"]),
            _ => {
                run.assert_done();
                assert_eq!(setup.graph.application(API)["passwordCredentials"], json!([]));
            }
        }
    }
}

/// Runs the command, and writes this text to `.env` while it waits for Graph.
async fn while_held(setup: &Setup, arguments: &[&str], text: &str) -> Run {
    let process = setup.begin(arguments);
    setup.graph.wait_until_held().await;
    fs::write(setup.env_file(), text).unwrap();
    setup.graph.release();
    Run::of(&process.wait_with_output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_neither_lines_of_env_nor_a_secret() {
    let Some(mut setup) = Setup::new(test_name!()).await else { return };
    let env = "# Mine\nPORT=8123\nUNKNOWN=kept\n";
    fs::write(setup.env_file(), env).unwrap();
    let normal = setup.launch.clone();
    // Files cannot grow.
    let full = &["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""];
    setup.launch = setup.launch.through(full);
    let run = setup.run(&["--with-secret"]);
    run.assert_failed(&["cannot be written", "API_CLIENT_ID=", "Changed so far: "]);
    assert_eq!(setup.env(), env);
    let files = fs::read_dir(setup.folder.path()).unwrap().count();
    assert_eq!(files, 1, "a temporary file is left");
    assert!(!setup.graph.writes().iter().any(|call| call.path.ends_with("addPassword")));

    setup.launch = normal;
    setup.run(&["--with-secret"]).assert_done();
    assert!(setup.env().starts_with(env), "{}", setup.env());
    assert_ne!(setup.setting("API_CLIENT_SECRET"), "");
    let mode = fs::metadata(setup.env_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(setup.graph.application(API)["passwordCredentials"].as_array().unwrap().len(), 1);
}
