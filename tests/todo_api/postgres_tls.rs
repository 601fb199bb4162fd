//! TLS to PostgreSQL: which certificates are accepted, and the errors at start.

use std::fs;

use crate::support::{Authority, Database, Launch, Postgres, Program, Tool, require, test_name};

#[tokio::test]
async fn the_certificate_of_postgres_is_verified_as_sslmode_says() {
    let Some([programs]) = require(test_name!(), [Tool::Postgres]) else { return };
    let mut postgres = Postgres::start(&programs);
    let url = postgres.create_database().await.replace("todo@", "todo:secret@");
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new(folder.path(), "ours.pem");
    let another = Authority::new(folder.path(), "another.pem");
    let missing = folder.path().join("missing.pem").display().to_string();
    let plain = Database::Postgres(url.clone());
    let refused = |url: &str, reasons: [&str; 2]| {
        let shown = Launch::dev().with("DATABASE_URL", url).refusal(folder.path());
        assert!(reasons.iter().all(|reason| shown.contains(reason)), "{reasons:?}: {shown}");
        assert!(!shown.contains("secret"), "{shown}");
    };
    let database = "failed to open the database postgres://127.0.0.1:";
    refused(&format!("{url}?sslmode=on"), [database, "sslmode is \"on\", but must be"]);

    for mode in ["require", "verify-ca", "verify-full"] {
        refused(&format!("{url}?sslmode={mode}"), [database, "server does not support TLS"]);
    }
    let (certificate, key) = ours.certify("127.0.0.1");
    postgres.use_tls(&certificate, &key);
    let verify =
        |mode: &str, authority: &str| format!("{url}?sslmode={mode}&sslrootcert={authority}");
    for mode in ["verify-ca", "verify-full"] {
        let untrusted = [database, "invalid peer certificate: UnknownIssuer"];
        refused(&verify(mode, &another.file), untrusted);
        refused(&format!("{url}?sslmode={mode}"), untrusted);
        refused(&verify(mode, &missing), [&missing, "the sslrootcert of the database URL"]);
    }
    let by_name = verify("verify-full", &ours.file).replace("127.0.0.1", "localhost");
    refused(&by_name, ["the database postgres://localhost:", "not valid for name"]);

    let by_name = verify("verify-ca", &ours.file).replace("127.0.0.1", "localhost");
    let trusting = [verify("verify-full", &ours.file), by_name, format!("{url}?sslmode=require")];
    for url in trusting.into_iter().chain([url.clone()]) {
        let program = Program::launch(Launch::dev().with("DATABASE_URL", &url)).await;
        let encrypted = "
            SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
            WHERE application_name = 'todo-api' AND ssl";
        let connections = plain.number(encrypted).await;
        assert!(connections > 0, "{url}: {}", program.log());
    }

    // With a file of authorities, `require` verifies the certificate too.
    refused(&verify("require", &another.file), [database, "UnknownIssuer"]);

    postgres.require_client_certificate(&ours.file);
    refused(&verify("verify-full", &ours.file), [database, "requires a valid client certificate"]);
    let files = [("client.pem", certificate), ("client.key", key)].map(|(name, pem)| {
        let file = folder.path().join(name);
        fs::write(&file, pem).unwrap();
        file.display().to_string()
    });
    let [certificate, key] = files;
    let alone = format!("{url}?sslmode=require&sslcert={certificate}");
    refused(&alone, [database, "sslcert and sslkey must be set together"]);
    let swapped = format!("{url}?sslmode=require&sslcert={certificate}&sslkey={certificate}");
    refused(&swapped, [database, "client.pem contains no private key"]);
    let known = format!("{alone}&sslkey={key}");
    Program::launch(Launch::dev().with("DATABASE_URL", &known)).await.wait_until_ready().await;
}

#[tokio::test]
async fn the_password_of_postgres_can_be_a_setting_of_its_own() {
    let Some([programs]) = require(test_name!(), [Tool::Postgres]) else { return };
    let mut postgres = Postgres::start(&programs);
    let url = postgres.create_database().await;
    let password = "ALTER ROLE todo PASSWORD 'p@ss/word'";
    Database::Postgres(url.clone()).execute(password).await;
    postgres.require_password();
    let folder = tempfile::tempdir().unwrap();
    let without = Launch::dev().with("DATABASE_URL", &url);
    let shown = without.refusal(folder.path());
    assert!(shown.contains("password missing"), "{shown}");
    for (password, reason) in [("p@ss/word", None), ("wrong", Some("authentication failed"))] {
        let launch = Launch::dev().with("DATABASE_URL", &url).with("PGPASSWORD", password);
        match reason {
            None => Program::launch(launch).await.wait_until_ready().await,
            Some(reason) => {
                let shown = launch.refusal(folder.path());
                assert!(shown.contains(reason) && !shown.contains(password), "{shown}");
            }
        }
    }
}
