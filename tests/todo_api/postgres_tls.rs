//! TLS to PostgreSQL: whose certificate is accepted, and why a server does not start.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::{
    databases::Database,
    postgres::Postgres,
    program::{Launch, Program},
    tools::{Tool, require},
};

#[tokio::test]
async fn a_postgres_is_trusted_for_its_name_and_its_authority_and_is_refused_without() {
    let name = "postgres_tls::\
                a_postgres_is_trusted_for_its_name_and_its_authority_and_is_refused_without";
    let Some([programs]) = require(name, [Tool::Postgres]) else { return };
    let mut postgres = Postgres::start(&programs);
    let url = postgres.create_database().await.replace("todo@", "todo:secret@");
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new(folder.path(), "ours.pem");
    let another = Authority::new(folder.path(), "another.pem");
    let missing = folder.path().join("missing.pem").display().to_string();
    let refused = |url: &str, reasons: [&str; 2]| {
        let shown = Launch::dev().with("DATABASE_URL", url).refusal(folder.path());
        assert!(reasons.iter().all(|reason| shown.contains(reason)), "{reasons:?}: {shown}");
        assert!(!shown.contains("secret"), "{shown}");
    };
    let database = "failed to open the database postgres://127.0.0.1:";

    for mode in ["require", "verify-ca", "verify-full"] {
        refused(&format!("{url}?sslmode={mode}"), [database, "server does not support TLS"]);
    }
    let (certificate, key) = ours.certify("127.0.0.1");
    postgres.use_tls(&certificate, &key);
    let verify =
        |mode: &str, authority: &str| format!("{url}?sslmode={mode}&sslrootcert={authority}");
    for mode in ["verify-ca", "verify-full"] {
        let not_trusted = [database, "invalid peer certificate: UnknownIssuer"];
        refused(&verify(mode, &another.file), not_trusted);
        refused(&format!("{url}?sslmode={mode}"), not_trusted);
        refused(&verify(mode, &missing), [&missing, "the sslrootcert of the database URL"]);
    }
    let by_name = verify("verify-full", &ours.file).replace("127.0.0.1", "localhost");
    refused(&by_name, ["the database postgres://localhost:", "not valid for name"]);

    let by_name = verify("verify-ca", &ours.file).replace("127.0.0.1", "localhost");
    let trusting = [verify("verify-full", &ours.file), by_name, format!("{url}?sslmode=require")];
    for url in trusting.into_iter().chain([url]) {
        let program = Program::launch(Launch::dev().with("DATABASE_URL", &url)).await;
        let encrypted = "
            SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
            WHERE application_name = 'todo-api' AND ssl";
        let connections = Database::Postgres(url.clone()).number(encrypted).await;
        assert!(connections > 0, "{url}: {}", program.log());
    }
}

/// It signs certificates for servers; its own is in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: String,
}

impl Authority {
    fn new(folder: &Path, file: &str) -> Self {
        let mut params = CertificateParams::default();
        // Two of one name would be the same authority with a signature that does not hold.
        params.distinguished_name.push(DnType::CommonName, file);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().unwrap();
        let path = folder.join(file);
        fs::write(&path, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), file: path.display().to_string() }
    }

    /// A certificate for this name or address, and its key, in PEM.
    fn certify(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }
}
