//! Scripts that run real clients of Entra, and what entra-dev's README says about these clients.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use entra_dev::{
    DevTenant, Directory, IdentityHeader,
    ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET},
};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};

use super::{App, TestClock, root, run};

/// Runs a script of `tests/clients` with a new server and tenant.
pub(crate) async fn run_client(interpreter: PathBuf, script: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let (app, certificate, key) = app_with_certificate(folder.path()).await;
    let mut command = client_command(&interpreter, script, &app.tenant, &app.url, folder.path());
    command
        .env("API_SECRET", "api-secret")
        .env("DOWNSTREAM_SCOPE", "api://88888888-8888-4888-8888-888888888888/read")
        .env("DAEMON_CLIENT_ID", DAEMON_CLIENT_ID)
        .env("DAEMON_SECRET", DAEMON_SECRET)
        .env("DAEMON_CERT", certificate)
        .env("DAEMON_KEY", key)
        .env("WEB_CLIENT_ID", "77777777-7777-4777-8777-777777777777")
        .env("WEB_SECRET", "web-secret")
        .env("SPA_CLIENT_ID", "99999999-9999-4999-8999-999999999999")
        .env("CONSENT_CLIENT_ID", "a1000000-0000-4000-8000-000000000005")
        .env("CONSENT_SECRET", "asking-secret")
        .env("PORT_CLIENT_ID", "a1000000-0000-4000-8000-000000000006");
    run(command).await
}

/// A command that runs a script of `tests/clients` with this tenant and the API at this URL.
pub(crate) fn client_command(
    interpreter: &Path,
    script: &str,
    tenant: &DevTenant,
    api_url: &str,
    folder: &Path,
) -> Command {
    let mut command = Command::new(interpreter);
    command
        .arg(root().join("tests/clients").join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // Caches and profiles are deleted with the folder.
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .env("TENANT_HTTP", tenant.base_url())
        .env("TENANT_HTTPS", tenant.https_url().unwrap())
        .env("TENANT_ID", CONTOSO)
        .env("API_URL", api_url)
        .env("API_SCOPE", format!("api://{API_CLIENT_ID}/access_as_user"))
        .env("API_CLIENT_ID", API_CLIENT_ID)
        .env("DESKTOP_CLIENT_ID", "66666666-6666-4666-8666-666666666666")
        // Otherwise, a library might ask Azure's link-local address for a managed identity.
        .env("IDENTITY_ENDPOINT", format!("{}/{CONTOSO}/msi/token", tenant.base_url()))
        .env("IDENTITY_HEADER", IdentityHeader::default().to_string())
        .env("AZURE_POD_IDENTITY_AUTHORITY_HOST", tenant.base_url());
    // Each client reads the trusted certificates from one of these variables.
    let authority = tenant.ca_file().unwrap();
    for variable in [
        "TENANT_CA",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
    ] {
        command.env(variable, authority);
    }
    command
}

/// An app that requires consent, with redirect URIs for a server and for a script, and an app whose
/// redirect URIs have a port.
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

/// A server whose tenant also has the apps above and a certificate for the daemon, and the files
/// with the certificate and the key.
async fn app_with_certificate(folder: &Path) -> (App, PathBuf, PathBuf) {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap().pem();
    let secret = format!("secrets = [\"{DAEMON_SECRET}\"]");
    let both = format!("{secret}\ncertificates = [\"\"\"{certificate}\"\"\"]");
    let directory = Directory::EXAMPLE.replace(&secret, &both) + APPS;
    let directory = Directory::parse(&directory, Path::new("")).unwrap();
    let app = App::start_having(directory, TestClock::real(), |same| same).await;
    let files = ["daemon.pem", "daemon-key.pem"].map(|name| folder.join(name));
    fs::write(&files[0], certificate).unwrap();
    fs::write(&files[1], key.serialize_pem()).unwrap();
    let [certificate, key] = files;
    (app, certificate, key)
}

/// The column of one client in the table of entra-dev's README.
pub(crate) struct Column {
    pub(crate) version: String,
    /// The flows that work.
    pub(crate) flows: BTreeSet<String>,
}

impl Column {
    /// Finds the column whose title is the client and its version.
    pub(crate) fn of(client: &str) -> Self {
        let readme = include_str!("../../../crates/entra-dev/README.md");
        let cells = |line: &str| -> Vec<String> {
            line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()
        };
        let mut rows = readme.lines().skip_while(|line| !line.starts_with("| flow |"));
        let titles = cells(rows.next().unwrap());
        let is_title =
            |title: &String| title.rsplit_once(' ').is_some_and(|(name, _)| name == client);
        let column = titles.iter().position(is_title).unwrap();
        let (_, version) = titles[column].rsplit_once(' ').unwrap();
        let rows = rows.skip(1).take_while(|line| line.starts_with('|')).map(cells);
        let mut flows = BTreeSet::new();
        for cells in rows {
            match cells[column].as_str() {
                "yes" => assert!(flows.insert(cells[0].clone()), "duplicate row {}", cells[0]),
                "n/a" => {}
                other => panic!("unknown value {other:?} for {} and {client}", cells[0]),
            }
        }
        Self { version: version.to_owned(), flows }
    }
}
