//! Faults in the settings. Their texts are those of `serve`.

use std::fs;

use entra_dev::{
    DevTenant,
    ids::{API_CLIENT_ID, CONTOSO},
};

use crate::support::Launch;

use super::{Report, serve};

const SECRET: &str = "abc8Q~defghijklmnopqrstuvwxyz.ABCDEFGHIJ";

#[test]
fn settings_with_which_the_server_does_not_start_are_faults() {
    let authority = format!("https://login.microsoftonline.com/{CONTOSO}/v2.0");
    let folder = tempfile::tempdir().unwrap();
    for (name, value, detail, fix) in [
        ("API_CLIENT_ID", "", "API_CLIENT_ID is missing", "Set API_CLIENT_ID in .env"),
        ("API_CLIENT_ID", SECRET, "API_CLIENT_ID looks like a client secret", "Correct API_"),
        ("SWAGGER_UI_CLIENT_ID", SECRET, "looks like a client secret", "Correct SWAGGER_UI_"),
        (
            "SWAGGER_UI_CLIENT_ID",
            "Todo API - Swagger UI",
            "SWAGGER_UI_CLIENT_ID is a name, not a GUID",
            "Correct SWAGGER_UI_CLIENT_ID",
        ),
        ("API_CLIENT_ID", CONTOSO, "API_CLIENT_ID is also the tenant", "Correct API_CLIENT_ID"),
        (
            "AAD_INSTANCE",
            &authority,
            "AAD_INSTANCE must be only a scheme and a host; write https://login.microsoftonline.com",
            "Set AAD_INSTANCE=https://login.microsoftonline.com in .env",
        ),
        (
            "AAD_INSTANCE",
            "localhost:8001/",
            "AAD_INSTANCE has no scheme; write http://localhost:8001",
            "Set AAD_INSTANCE=http://localhost:8001 in .env",
        ),
        (
            "AAD_INSTANCE",
            "https://gateway.example/entra",
            "AAD_INSTANCE must be a scheme and a host, without a path",
            "Correct AAD_INSTANCE in .env",
        ),
        ("AAD_TENANT_ID", "common", "ALLOWED_TENANTS is missing", "Set ALLOWED_TENANTS"),
        ("ALLOWED_TENANTS", "any", "ALLOWED_TENANTS applies only if", "Correct ALLOWED_TENANTS"),
        (
            "DATABASE_TIMEOUT",
            "2147484",
            "DATABASE_TIMEOUT is 2147484, but must be at most 3600",
            "Correct DATABASE_TIMEOUT",
        ),
        (
            "DATABASE_CONNECTIONS",
            "100000",
            "DATABASE_CONNECTIONS is 100000, but must be at most 1000",
            "Correct DATABASE_CONNECTIONS",
        ),
        ("EXPLAIN_401", "yes", "EXPLAIN_401 is \"yes\", neither true", "Correct EXPLAIN_401"),
    ] {
        let launch = serve("http://localhost:1").with(name, value);
        let report = Report::of(&launch, folder.path(), &[]);
        report.assert_fault("fail", "settings", detail, fix);
        assert!(!report.json.to_string().contains("Q~"), "{report:#?}");
        // `serve` says the same.
        let shown = launch.refusal(folder.path());
        assert!(shown.contains(detail), "{shown}");
    }
}

/// The client id of another app has the right form, too.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_ok_about_the_settings_claims_no_more_than_was_checked() {
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let other = "88888888-8888-4888-8888-888888888888";
    let launch = serve(tenant.base_url()).with("API_CLIENT_ID", other);
    let report = Report::of(&launch, folder.path(), &[]);
    report.assert_ok();
    let expected = format!(
        "every value has the right form; API_CLIENT_ID is {other} (compare it with Application \
         (client) ID of the API in the portal: doctor cannot check that)"
    );
    assert_eq!(report.checks()[0]["detail"], expected);
}

#[test]
fn a_file_that_cannot_be_read_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".env"), "PORT=8000\nAPI_CLIENT_SECRET=top secret\n").unwrap();
    let report = Report::of(&Launch::default(), folder.path(), &[]);
    let detail = ".env has a line that cannot be read, line 2 (API_CLIENT_SECRET)";
    report.assert_fault("fail", "settings", detail, "Correct the file .env.");
    assert!(!report.json.to_string().contains("top secret"), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_probably_wrong_are_warnings() {
    let tenant = DevTenant::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (variable, value, name, detail, fix) in [
        (
            "API_AUDIENCE",
            "access_as_user",
            "settings",
            "API_AUDIENCE contains \"access_as_user\", which is neither a GUID nor",
            "Correct or remove API_AUDIENCE.",
        ),
        (
            "API_CLIENT_SECRET",
            API_CLIENT_ID,
            "settings",
            "API_CLIENT_SECRET is a GUID, so it is the id of a secret",
            "Correct or remove API_CLIENT_SECRET.",
        ),
        (
            "SWAGGER_UI_CLIENT_ID",
            API_CLIENT_ID,
            "settings",
            "SWAGGER_UI_CLIENT_ID is the same as API_CLIENT_ID",
            "Correct or remove SWAGGER_UI_CLIENT_ID.",
        ),
        (
            "PUBLIC_URL",
            "https://todo.example",
            "public_url",
            "https://todo.example is not an App ID URI",
            "begin APP_ID_URI with it",
        ),
        (
            "CLAIMS_MAPPING",
            "true",
            "own_signing_keys",
            "CLAIMS_MAPPING is true, but the authority publishes no key for this API only",
            "Remove CLAIMS_MAPPING",
        ),
    ] {
        let launch = serve(tenant.base_url()).with(variable, value);
        let report = Report::of(&launch, folder.path(), &[]);
        report.assert_one_fault("warn", name, detail, fix);
    }
    let launch = serve(tenant.base_url()).with("PUBLIC_URL", "http://todo.example");
    let launch = launch.with("APP_ID_URI", "http://todo.example");
    let report = Report::of(&launch, folder.path(), &[]);
    let detail = "PUBLIC_URL is http on another host than localhost";
    report.assert_one_fault("warn", "redirect_uri", detail, "Set PUBLIC_URL to the https URL");

    fs::write(folder.path().join(".env"), "HTTPS_PROXY=http://127.0.0.1:1\n").unwrap();
    let report = Report::of(&serve(tenant.base_url()), folder.path(), &[]);
    let detail = "HTTPS_PROXY has no effect in .env";
    report.assert_one_fault("warn", "settings", detail, "Correct or remove HTTPS_PROXY.");
}

#[test]
fn with_dev_the_host_must_be_this_machine_and_ports_must_differ() {
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::dev().with("HOST", "0.0.0.0");
    let report = Report::of(&launch, folder.path(), &["--dev"]);
    let detail = "HOST is 0.0.0.0, but anybody can sign in to the development tenant";
    report.assert_fault("fail", "settings", detail, "Correct HOST");

    let launch = Launch::dev().with("PORT", "9000").with("DEV_TENANT_PORT", "9000");
    let detail = "PORT and DEV_TENANT_PORT are both 9000; set one of them to another port";
    let report = Report::of(&launch, folder.path(), &["--dev"]);
    report.assert_fault("fail", "settings", detail, "Correct PORT");
    let shown = launch.refusal(folder.path());
    assert!(shown.contains(detail), "{shown}");
}
