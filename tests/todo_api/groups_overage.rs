//! A token of somebody in too many groups, whose groups an unmodified client reads at Microsoft
//! Graph.

use std::{fmt::Write, path::Path};

use entra_dev::{
    Directory,
    ids::{DAEMON_CLIENT_ID, DAEMON_SECRET},
};

use crate::support::{App, TestClock, Tool, client_command, require, run, test_name};

const GROUPS: usize = 205;

#[tokio::test]
async fn msal_for_python_follows_a_groups_overage_to_all_groups() {
    let Some([python]) = require(test_name!(), [Tool::MsalPython]) else { return };
    let app = App::start_having(directory(), TestClock::real(), |same| same).await;
    let folder = tempfile::tempdir().unwrap();
    let script = "groups_overage.py";
    let mut command = client_command(&python, script, &app.tenant, &app.url, folder.path());
    command
        .env("API_SECRET", "api-secret")
        .env("DAEMON_CLIENT_ID", DAEMON_CLIENT_ID)
        .env("DAEMON_SECRET", DAEMON_SECRET)
        .env("WEB_CLIENT_ID", "77777777-7777-4777-8777-777777777777")
        .env("WEB_SECRET", "web-secret");
    let output = run(command).await;
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    let passed: Vec<_> = stdout.lines().filter_map(|line| line.strip_prefix("ok: ")).collect();
    assert_eq!(passed, ["on-behalf-of", "direct", "daemon"], "{stdout}{stderr}");
}

/// The built-in directory with somebody in many groups. The Todo API asks for groups, and the daemon
/// may read everybody at Graph.
fn directory() -> Directory {
    let mut text = Directory::EXAMPLE.to_owned();
    for (without, with) in [
        (r#"optional_claims = ["acct"]"#, r#"optional_claims = ["acct", "groups"]"#),
        (
            "secrets = [\"dev-secret\"]\npermissions = { \"Todo API\" = [\"Todos.ReadWrite.All\"] }",
            "secrets = [\"dev-secret\"]\npermissions = { \"Microsoft Graph\" = [\"User.Read.All\"] }",
        ),
    ] {
        assert_eq!(text.matches(without).count(), 1, "{without}");
        text = text.replace(without, with);
    }
    let ids: Vec<_> = (0..GROUPS).map(|n| format!("9b000000-0000-4000-8000-{n:012}")).collect();
    for id in &ids {
        let entry = format!("[[groups]]\nid = {id:?}\nname = {id:?}\ntenant = \"Contoso\"\n");
        text.write_str(&entry).unwrap();
    }
    let person = format!(
        "[[people]]\nname = \"many\"\ndisplay_name = \"Many Groups\"\nsign_in_name = \
         \"many@contoso.example\"\noid = \"9c000000-0000-4000-8000-000000000001\"\ntenant = \
         \"Contoso\"\ngroups = {ids:?}\n"
    );
    Directory::parse(&(text + &person), Path::new("")).unwrap()
}
