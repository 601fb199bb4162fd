//! `--with-secret`: the secret is shown once, and only its owner can read it in `.env`.

use std::{fs, os::unix::fs::PermissionsExt};

use crate::{
    register::{API, Run, Setup},
    support::test_name,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_written_to_a_private_file() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    fs::write(setup.env_file(), "# Mine.\nPORT=9000 # why\n").unwrap();
    let run = setup.run(&["--with-secret"]);
    run.assert_done();
    let secret = setup.setting("API_CLIENT_SECRET");
    assert!(run.stdout.contains(&format!("The secret is shown only now: {secret}\n")), "{run:#?}");
    assert!(setup.env().starts_with("# Mine.\nPORT=9000 # why\n"), "{}", setup.env());
    assert!(!setup.env().contains("is creating"), "{}", setup.env());
    let mode = fs::metadata(setup.env_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let again = setup.run(&["--with-secret"]);
    assert!(again.stdout.contains("Nothing changed: "), "{again:#?}");
    again.assert_keeps(&secret);
    let secrets = &setup.graph.application(API)["passwordCredentials"];
    assert_eq!(secrets.as_array().unwrap().len(), 1, "{secrets}");
}

/// No file can grow: every write fails.
const FULL: [&str; 3] = ["sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""];

#[tokio::test(flavor = "multi_thread")]
async fn if_the_file_cannot_be_written_the_values_are_shown() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    fs::write(setup.env_file(), "PORT=9000\n").unwrap();
    let arguments = ["register", "--graph-url", setup.graph.url(), "--with-secret"];
    let full = setup.launch.clone().through(&FULL);
    let run = Run::of(&full.run(setup.folder.path(), &arguments));
    let client_id = setup.graph.application(API)["appId"].as_str().unwrap().to_owned();
    let line = format!("\n  API_CLIENT_ID={client_id}\n");
    run.assert_failed(&[".env cannot be written: ", "Put these lines into ", &line]);
    assert_eq!(setup.env(), "PORT=9000\n");
    assert_eq!(setup.graph.application(API)["passwordCredentials"].as_array().unwrap().len(), 0);
    assert_eq!(fs::read_dir(setup.folder.path()).unwrap().count(), 1, "no temporary file stays");

    setup.run(&["--with-secret"]).assert_done();
    assert_eq!(setup.setting("API_CLIENT_ID"), client_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_registered_if_the_file_is_not_a_file() {
    let Some(setup) = Setup::new(test_name!()).await else { return };
    std::os::unix::fs::symlink("/dev/null", setup.env_file()).unwrap();
    setup.run(&[]).assert_failed(&[".env cannot be read: it is not a file"]);
    assert_eq!(setup.graph.calls().len(), 0, "nothing was asked of Graph");
}
