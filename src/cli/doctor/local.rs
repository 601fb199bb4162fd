//! This machine: the database, the port, and the URL of the server.

use std::io;

use crate::{
    api::docs,
    causes::Causes,
    config::{Config, ServerConfig},
    listener::{self, Listener},
    store::{self, Location, Options, Schema},
};

use super::{
    super::probe,
    {Report, Status},
};

const DOES_NOT_START: &str = "TROUBLESHOOTING.md#the-server-does-not-start";

/// The program must be able to create or change the file.
const SQLITE_FIX: &str = "Set DATABASE_URL to a file that this user may write, in a folder that this \
    user may write, such as sqlite://data/todo.db (relative) or sqlite:///var/lib/todo/todo.db \
    (absolute: three slashes).";

pub(super) async fn check_database(report: &mut Report, options: &Options) {
    let database = match &options.location {
        Location::Sqlite(path) => path.display().to_string(),
        Location::Postgres(url) => url.without_password(),
    };
    match store::inspect(options).await {
        Ok(Schema::UpToDate) => {
            report.ok("database", database);
            report.ok("schema", "up to date");
        }
        Ok(Schema::Missing) => {
            report.ok("database", format!("{database} can be used"));
            report.ok("schema", "there is none yet; serve creates it");
        }
        Ok(Schema::Behind(missing)) => {
            report.ok("database", database);
            report.fault(
                Status::Warn,
                "schema",
                format!("the number of migrations that are missing is {missing}"),
                "Start the server: it applies them. Back up the database first.",
                "DEPLOY.md",
            );
        }
        Err(error) => {
            let (name, fix) = match &error {
                store::OpenError::Newer { .. } | store::OpenError::Migrate { .. } => (
                    "schema",
                    "Run the version of the program that applied the last migration, or a later \
                     one.",
                ),
                store::OpenError::Unusable { .. } => {
                    ("database", "Restore a backup, or set DATABASE_URL to another file.")
                }
                store::OpenError::Certificate { .. } => {
                    ("database", "Correct the path in DATABASE_URL, and who may read the file.")
                }
                _ if matches!(options.location, Location::Sqlite(_)) => ("database", SQLITE_FIX),
                _ => (
                    "database",
                    "Start the database server, or correct DATABASE_URL and PGPASSWORD.",
                ),
            };
            report.fault(Status::Fail, name, Causes(&error).to_string(), fix, DOES_NOT_START);
        }
    }
}

/// Checks that the server can listen. If this API is listening there already, that is fine.
pub(super) async fn check_port(report: &mut Report, server: &ServerConfig) {
    let ServerConfig { host, port, tls, .. } = server;
    let error = match Listener::bind(host, *port).await {
        Ok(_) if *port == 0 => return report.ok("port", "0, so the system picks a free one"),
        Ok(_) => return report.ok("port", format!("{port} on {host} is free")),
        Err(error) => error,
    };
    let url = listener::url(host, *port, tls.as_ref());
    if error.kind() == io::ErrorKind::AddrInUse && is_this_api(&url).await {
        return report.ok("port", format!("{port} on {host}: this API is running at {url}"));
    }
    let fix = match error.kind() {
        io::ErrorKind::AddrInUse => "Stop the program that uses the port, or set PORT.",
        io::ErrorKind::PermissionDenied => {
            "Set PORT to 1024 or more, and use a proxy for 80 and 443."
        }
        _ => "Set HOST to localhost, or to a name or an address of this machine.",
    };
    let detail = format!("failed to listen on {host}:{port}: {error}");
    report.fault(Status::Fail, "port", detail, fix, DOES_NOT_START);
}

/// Whether the server at this URL is this API: its readiness check names keys and database.
async fn is_this_api(url: &str) -> bool {
    let answer = probe::get(&format!("{url}/health/ready")).await;
    answer.is_ok_and(|(_, body)| ["keys", "database"].iter().all(|part| body.get(part).is_some()))
}

/// The URL at which people and clients reach the API.
pub(super) fn check_public_url(report: &mut Report, config: &Config) {
    let server = &config.server;
    let url = match &server.public_url {
        Some(url) => url.clone(),
        None => listener::url(&server.host, server.port, server.tls.as_ref()),
    };
    match &server.public_url {
        None => report.ok("public_url", format!("not set, so it is {url}")),
        Some(url) if config.entra.app_id_uris.contains(url) => {
            report.ok("public_url", format!("{url} is an App ID URI"));
        }
        Some(url) => report.fault(
            Status::Warn,
            "public_url",
            format!(
                "{url} is not an App ID URI, so clients that send it as the resource, as MCP \
                 clients do, get AADSTS9010010"
            ),
            "If there are such clients: register the URL as an App ID URI, and begin APP_ID_URI \
             with it.",
            "ENTRA-SETUP.md#other-app-id-uris",
        ),
    }
    let redirect_uri = docs::redirect_uri(&url);
    match server.redirect_problem() {
        Some(problem) => report.fault(
            Status::Warn,
            "redirect_uri",
            problem,
            "Set PUBLIC_URL to the https URL of the proxy in front of the server, or set TLS_CERT and \
             TLS_KEY.",
            "ENTRA-SETUP.md#swagger-ui",
        ),
        None => report.ok(
            "redirect_uri",
            format!(
                "{redirect_uri}; whether it is registered for Swagger UI as a single-page application \
                 is not checked"
            ),
        ),
    }
    report.redirect_uri = Some(redirect_uri);
}
