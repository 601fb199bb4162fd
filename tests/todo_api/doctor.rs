//! `todo-api doctor`: what it says about a correct setup, and about planted faults.

mod authority;
mod local;
mod settings;

use std::{fs, path::Path};

use entra_dev::DevTenant;
use serde_json::Value;

use crate::support::{Launch, Program, free_ports, leads_somewhere};

/// What the command found.
#[derive(Debug)]
struct Report {
    code: i32,
    json: Value,
}

impl Report {
    /// Runs `doctor --json` in this folder.
    fn of(launch: &Launch, folder: &Path, arguments: &[&str]) -> Self {
        let output = launch.run(folder, &[&["doctor", "--json"], arguments].concat());
        let (printed, errors) = (output.stdout, String::from_utf8(output.stderr).unwrap());
        let json = serde_json::from_slice(&printed).unwrap_or_else(|_| panic!("{errors}"));
        assert_eq!(errors, "");
        Self { code: output.status.code().unwrap(), json }
    }

    fn checks(&self) -> &[Value] {
        self.json["checks"].as_array().unwrap()
    }

    /// Asserts that every check is OK, and that there are checks of everything.
    #[track_caller]
    fn assert_ok(&self) {
        assert_eq!((self.code, &self.json["status"]), (0, &"ok".into()), "{self:#?}");
        for name in [
            "settings",
            "proxy",
            "discovery",
            "issuer",
            "keys",
            "clock",
            "own_signing_keys",
            "database",
            "schema",
            "port",
            "public_url",
            "redirect_uri",
        ] {
            let check = self.checks().iter().find(|check| check["name"] == name);
            let check = check.unwrap_or_else(|| panic!("no check {name}: {self:#?}"));
            assert_eq!(check["status"], "ok", "{self:#?}");
        }
    }

    /// Asserts that exactly one check is not OK: this one, with these parts of its texts.
    #[track_caller]
    fn assert_one_fault(&self, status: &str, name: &str, detail: &str, fix: &str) {
        self.assert_fault(status, name, detail, fix);
        let faults = self.checks().iter().filter(|check| check["status"] != "ok").count();
        assert_eq!(faults, 1, "{self:#?}");
    }

    /// Asserts that there is such a fault, and that its link leads to a heading.
    #[track_caller]
    fn assert_fault(&self, status: &str, name: &str, detail: &str, fix: &str) {
        let has = |check: &Value, member: &str, text: &str| {
            check[member].as_str().is_some_and(|value| value.contains(text))
        };
        let is_it = |check: &&Value| {
            check["name"] == name
                && check["status"] == status
                && has(check, "detail", detail)
                && has(check, "fix", fix)
        };
        let Some(check) = self.checks().iter().find(is_it) else {
            panic!("no {status} {name} with {detail:?} and {fix:?}: {self:#?}");
        };
        let help = check["help"].as_str().unwrap();
        assert!(leads_somewhere(help, "docs"), "{help}");
        assert_eq!(self.code, i32::from(self.json["status"] == "fail"), "{self:#?}");
    }
}

/// The settings for `serve` with this authority, on a free port.
fn serve(instance: &str) -> Launch {
    let [port] = free_ports().map(|port| port.to_string());
    Launch::serve(instance).with("PORT", port)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_ok_for_the_development_tenant_whether_it_runs_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::dev();
    let report = Report::of(&launch, folder.path(), &["--dev"]);
    report.assert_ok();
    assert!(report.json.to_string().contains("none is running; one was started in memory"));
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "doctor creates no files");

    let program = Program::launch(launch).await;
    let report = Report::of(&program.launch, program.folder.path(), &["--dev"]);
    report.assert_ok();
    for found in ["one is running at http://localhost:", "this API is running at ", "up to date"] {
        assert!(report.json.to_string().contains(found), "{found}: {report:#?}");
    }
    let redirect_uri = format!("{}/oauth2-redirect", program.url);
    assert_eq!(report.json["redirect_uri"], redirect_uri);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_ok_with_the_settings_of_the_development_tenant_in_a_file() {
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let launch = serve(tenant.base_url());
    Report::of(&launch, folder.path(), &[]).assert_ok();

    let lines: Vec<_> =
        launch.variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    fs::write(folder.path().join(".env"), lines.concat()).unwrap();
    let report = Report::of(&Launch::default(), folder.path(), &[]);
    report.assert_ok();
    assert!(report.json["redirect_uri"].as_str().unwrap().ends_with("/oauth2-redirect"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_plain_text_for_people() {
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let launch = serve(tenant.base_url());
    let printed_with = |launch: &Launch, arguments: &[&str]| {
        let output = launch.run(folder.path(), &[&["doctor"], arguments].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let printed = |launch: &Launch| printed_with(launch, &[]);
    let (code, text) = printed(&launch);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("OK    discovery         http://localhost:"), "{text}");
    let unchecked = "/oauth2-redirect; whether it is registered for Swagger UI as a single-page \
                     application is not checked\n";
    assert!(text.contains(unchecked), "{text}");
    let end = "\nAll 12 checks are OK.\nIf a token is refused all the same: todo-api explain - < \
               token.txt\n";
    assert!(text.ends_with(end), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");

    // A token of the development tenant is not one for the settings in .env.
    let (_, text) = printed_with(&Launch::dev(), &["--dev"]);
    assert!(text.ends_with(": todo-api explain --dev - < token.txt\n"), "{text}");

    let (code, text) = printed(&launch.with("API_CLIENT_ID", "").with("HOST", "localhost"));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("FAIL  settings          API_CLIENT_ID is missing"), "{text}");
    assert!(text.contains("      fix               Set API_CLIENT_ID in .env"), "{text}");
    assert!(text.contains("      see               https://"), "{text}");
    assert!(text.contains("checks: 1 FAIL, 1 WARN.\n"), "{text}");
}

#[test]
fn without_settings_it_suggests_the_development_tenant() {
    let folder = tempfile::tempdir().unwrap();
    let [port] = free_ports().map(|port| port.to_string());
    let report = Report::of(&Launch::default().with("PORT", port), folder.path(), &[]);
    for name in ["API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID", "AAD_TENANT_ID"] {
        let missing = format!("{name} is missing");
        report.assert_fault("fail", "settings", &missing, "todo-api serve --dev");
    }
    // What does not depend on these settings is checked.
    for name in ["database", "port"] {
        let check = report.checks().iter().find(|check| check["name"] == name).unwrap();
        assert_eq!(check["status"], "ok", "{report:#?}");
    }
}
