//! Real clients of Entra, unmodified, against the development tenant; the tokens they get, against
//! the API. The table in the README of `entra-dev` says what each of them can do.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use entra_dev::{
    Directory,
    ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET},
};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};

use crate::{
    support::{App, TestClock},
    tools::{Tool, require},
};

#[tokio::test]
async fn msal_for_python_signs_in_and_renews() {
    let test = "msal_for_python_signs_in_and_renews";
    let Some([python]) = require(test, [Tool::MsalPython]) else { return };
    compare("msal", python, "msal_python.py").await;
}

#[tokio::test]
async fn azure_identity_signs_in() {
    let test = "azure_identity_signs_in";
    let Some([python]) = require(test, [Tool::AzureIdentity]) else { return };
    compare("azure-identity", python, "azure_identity.py").await;
}

#[tokio::test]
async fn msal_for_node_signs_in_and_renews() {
    let test = "msal_for_node_signs_in_and_renews";
    let Some([node, _]) = require(test, [Tool::Node, Tool::MsalNode]) else { return };
    compare("@azure/msal-node", node, "msal_node.mjs").await;
}

#[tokio::test]
async fn msal_in_a_browser_signs_in_renews_and_signs_out() {
    let test = "msal_in_a_browser_signs_in_renews_and_signs_out";
    let tools = [Tool::Node, Tool::MsalBrowser, Tool::Playwright, Tool::Chromium];
    let Some([node, _, _, _]) = require(test, tools) else { return };
    compare("@azure/msal-browser", node, "msal_browser.mjs").await;
}

#[tokio::test]
async fn a_certified_client_verifies_all_that_it_is_given() {
    let test = "a_certified_client_verifies_all_that_it_is_given";
    let Some([node, _]) = require(test, [Tool::Node, Tool::OpenidClient]) else { return };
    compare("openid-client", node, "openid_client.mjs").await;
}

/// Runs a client through its flows, and compares what it could do, and its version, with the table.
async fn compare(client: &str, interpreter: PathBuf, script: &str) {
    let folder = tempfile::tempdir().unwrap();
    let (app, certificate, key) = app_with_certificate(folder.path()).await;
    let mut command = Command::new(interpreter);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // Caches and profiles go with the folder.
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env("TENANT_HTTP", app.tenant.base_url())
        .env("TENANT_HTTPS", app.tenant.https_url().unwrap())
        .env("TENANT_ID", CONTOSO)
        .env("API_URL", &app.url)
        .env("API_SCOPE", format!("api://{API_CLIENT_ID}/access_as_user"))
        .env("API_CLIENT_ID", API_CLIENT_ID)
        .env("API_SECRET", "api-secret")
        .env("DOWNSTREAM_SCOPE", "api://88888888-8888-4888-8888-888888888888/read")
        .env("DAEMON_CLIENT_ID", DAEMON_CLIENT_ID)
        .env("DAEMON_SECRET", DAEMON_SECRET)
        .env("DAEMON_CERT", certificate)
        .env("DAEMON_KEY", key)
        .env("DESKTOP_CLIENT_ID", "66666666-6666-4666-8666-666666666666")
        .env("WEB_CLIENT_ID", "77777777-7777-4777-8777-777777777777")
        .env("WEB_SECRET", "web-secret")
        .env("SPA_CLIENT_ID", "99999999-9999-4999-8999-999999999999")
        .env("CONSENT_CLIENT_ID", "a1000000-0000-4000-8000-000000000005")
        .env("CONSENT_SECRET", "asking-secret")
        .env("PORT_CLIENT_ID", "a1000000-0000-4000-8000-000000000006");
    // Each of these is how some client is told whom to trust.
    let authority = app.tenant.ca_file().unwrap();
    for variable in [
        "TENANT_CA",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
    ] {
        command.env(variable, authority);
    }
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");

    let table = Table::of(client);
    let said = |prefix: &'static str| stdout.lines().filter_map(move |l| l.strip_prefix(prefix));
    let flows: BTreeSet<_> = said("ok: ").map(str::to_owned).collect();
    assert_eq!(flows, table.flows, "the table in crates/entra-dev/README.md, {client}\n{stdout}");
    let versions: Vec<_> = said("version: ").collect();
    assert_eq!(versions, [format!("{client} {}", table.version)], "crates/entra-dev/README.md");
}

/// An app that asks for consent, whether it is a server or a script, and one whose redirect URIs
/// name a port that nobody can listen on.
const APPS: &str = r#"
[[apps]]
client_id = "a1000000-0000-4000-8000-000000000005"
name = "Asking site"
tenant = "Contoso"
consent_required = true
secrets = ["asking-secret"]
redirect_uris.web = ["http://localhost/auth/callback"]
redirect_uris.spa = ["http://localhost/"]

[[apps]]
client_id = "a1000000-0000-4000-8000-000000000006"
name = "App with a port"
tenant = "Contoso"
redirect_uris.native = ["http://localhost:1"]
redirect_uris.spa = ["http://localhost:1/redirect.html"]
"#;

/// A tenant whose daemon has a certificate too, and which has the apps above, and an API over it;
/// the files of certificate and key.
async fn app_with_certificate(folder: &Path) -> (App, PathBuf, PathBuf) {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap().pem();
    let secret = format!("secrets = [\"{DAEMON_SECRET}\"]");
    let both = format!("{secret}\ncertificates = [\"\"\"{certificate}\"\"\"]");
    let directory = Directory::EXAMPLE.replace(&secret, &both) + APPS;
    let directory = Directory::parse(&directory, Path::new("")).unwrap();
    let app = App::start_having(directory, TestClock::real()).await;
    let files = ["daemon.pem", "daemon-key.pem"].map(|name| folder.join(name));
    fs::write(&files[0], certificate).unwrap();
    fs::write(&files[1], key.serialize_pem()).unwrap();
    let [certificate, key] = files;
    (app, certificate, key)
}

/// What the README says of one client.
pub(crate) struct Table {
    pub(crate) version: String,
    pub(crate) flows: BTreeSet<String>,
}

impl Table {
    /// The column whose title is the client and its version.
    pub(crate) fn of(client: &str) -> Self {
        let readme = include_str!("../../crates/entra-dev/README.md");
        let cells = |line: &str| -> Vec<String> {
            line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()
        };
        let mut rows = readme.lines().skip_while(|line| !line.starts_with("| flow |"));
        let titles = cells(rows.next().unwrap());
        let is_its =
            |title: &String| title.rsplit_once(' ').is_some_and(|(name, _)| name == client);
        let column = titles.iter().position(is_its).unwrap();
        let (_, version) = titles[column].rsplit_once(' ').unwrap();
        let rows = rows.skip(1).take_while(|line| line.starts_with('|')).map(cells);
        let mut flows = BTreeSet::new();
        for cells in rows {
            match cells[column].as_str() {
                "yes" => assert!(flows.insert(cells[0].clone()), "{} is there twice", cells[0]),
                "n/a" => {}
                other => panic!("{other:?} for {} and {client}: to be tried", cells[0]),
            }
        }
        Self { version: version.to_owned(), flows }
    }
}
