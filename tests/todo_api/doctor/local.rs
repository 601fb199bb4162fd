//! Faults of the database and of the address.

use std::{fs, net::Ipv4Addr};

use entra_dev::DevTenant;
use tokio::net::TcpListener;

use crate::support::{App, Database, Launch, free_ports, on_both};

use super::{Report, serve};

on_both!(
    the_state_of_the_schema_is_reported_and_not_changed,
    a_schema_of_a_later_version_is_a_fault,
);

async fn the_state_of_the_schema_is_reported_and_not_changed(database: Database) {
    let inspect = || report_on(database.clone());
    let report = inspect().await;
    report.assert_ok();
    assert!(report.json.to_string().contains("there is none yet; serve creates it"));
    if let Database::Sqlite(_) = database {
        assert!(!database.file().exists());
    }

    let mut app = App::on(database.clone()).await;
    app.create("uma", "Walk the dog").await;
    let report = inspect().await;
    report.assert_ok();
    assert!(report.json.to_string().contains("up to date"), "{report:#?}");

    app.stop().await;
    database.execute("DELETE FROM _sqlx_migrations WHERE version > 5").await;
    let report = inspect().await;
    let detail = "the number of migrations that are missing is 2";
    report.assert_one_fault("warn", "schema", detail, "Start the server: it applies them.");
    let applied = database.number("SELECT count(*) FROM _sqlx_migrations").await;
    assert_eq!(applied, 5);
}

async fn a_schema_of_a_later_version_is_a_fault(database: Database) {
    App::on(database.clone()).await.stop().await;
    let newer = "UPDATE _sqlx_migrations SET version = 999, description = '0999_x.contract.sql'
                 WHERE version = 7";
    database.execute(newer).await;
    let detail = "a later version has applied 0999_x.contract.sql";
    let fix = "Run the version of the program that applied the last migration";
    report_on(database).await.assert_one_fault("fail", "schema", detail, fix);
}

/// The report with this database.
async fn report_on(database: Database) -> Report {
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let launch = serve(tenant.base_url()).with("DATABASE_URL", database.url());
    let run = move || Report::of(&launch, folder.path(), &[]);
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_used_is_a_fault() {
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("text"), "This is a text, and not a database. ".repeat(100))
        .unwrap();
    let [closed] = free_ports();
    let refused = format!("postgres://todo:secret@127.0.0.1:{closed}/todo");
    for (url, detail, fix) in [
        (
            "sqlite://text",
            "the file text cannot be used, because it is not a SQLite database: ",
            "Restore a backup, or set DATABASE_URL to another file.",
        ),
        (
            "sqlite://text/todo.db",
            "failed to open the database text/todo.db: ",
            "in a folder that this user may write, such as sqlite://data/todo.db (relative)",
        ),
        (
            // Nobody can create a folder there, not even root.
            "sqlite:///proc/todo/todo.db",
            "failed to create or use the folder /proc/todo of DATABASE_URL: ",
            "sqlite:///var/lib/todo/todo.db (absolute: three slashes).",
        ),
        (&refused, "Connection refused", "Start the database server"),
        (
            "postgres://todo@127.0.0.1/todo?sslmode=verify-full&sslrootcert=missing.pem",
            "failed to read the file missing.pem",
            "Correct the path in DATABASE_URL",
        ),
    ] {
        let launch = serve(tenant.base_url()).with("DATABASE_URL", url);
        let report = Report::of(&launch, folder.path(), &[]);
        report.assert_one_fault("fail", "database", detail, fix);
        assert!(!report.json.to_string().contains("secret"), "{report:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_or_an_address_that_cannot_be_used_is_a_fault() {
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    // It closes each connection without a response.
    let other = tokio::spawn(async move { while other.accept().await.is_ok() {} });
    let launch = serve(tenant.base_url()).with("PORT", port.clone());
    let report = Report::of(&launch, folder.path(), &[]);
    let detail = format!("failed to listen on localhost:{port}: Address already in use");
    report.assert_one_fault("fail", "port", &detail, "Stop the program that uses the port");

    let launch = Launch::dev().with("DEV_TENANT_PORT", port.clone());
    let report = Report::of(&launch, folder.path(), &["--dev"]);
    let detail = format!("failed to listen on 127.0.0.1:{port}");
    report.assert_one_fault("fail", "dev_tenant", &detail, "set DEV_TENANT_PORT");

    let launch = Launch::dev().with("APP_ID_URI", "api://88888888-8888-4888-8888-888888888888");
    let report = Report::of(&launch, folder.path(), &["--dev"]);
    let detail = "must not name another API";
    report.assert_one_fault("fail", "dev_tenant", detail, "correct what the text names");
    other.abort();

    // An address for documentation (RFC 5737), which no machine has.
    let launch = serve(tenant.base_url()).with("HOST", "192.0.2.1");
    let launch = launch.with("PUBLIC_URL", "https://todo.example");
    let launch = launch.with("APP_ID_URI", "https://todo.example");
    let report = Report::of(&launch, folder.path(), &[]);
    report.assert_one_fault("fail", "port", "failed to listen on 192.0.2.1:", "Set HOST to");
}
