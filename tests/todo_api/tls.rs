//! HTTPS without a proxy: `TLS_CERT` and `TLS_KEY`.

use std::{fs, path::Path, sync::Arc};

use reqwest::{Method, StatusCode, Version};
use rustls::{ClientConfig, pki_types::ServerName};
use todo_api::config::{Config, Environment, InvalidConfig};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::support::{Answer, App, Authority, Launch, TlsFiles, client};

#[tokio::test]
async fn requests_over_tls_are_served_and_all_urls_are_https() {
    let (app, _files) = start().await;
    let created = app.create("uma", "Walk the dog").await;
    assert_eq!(app.names("uma").await, ["Walk the dog"], "{created}");
    let answer = app.client.get(format!("{}/health", app.url)).send().await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_11));
    assert!(!answer.headers().contains_key("strict-transport-security"));

    assert!(app.url.starts_with("https://localhost:"), "{}", app.url);
    let document = app.send(None, Method::GET, "/openapi.json", None).await.body;
    assert_eq!(document["servers"][0]["url"], app.url);
    let refused = app.send(None, Method::GET, "/todoitems", None).await;
    refused.assert_problem(401, "missing_token");
    let metadata = format!("resource_metadata=\"{}/.well-known/", app.url);
    assert!(refused.header("www-authenticate").contains(&metadata), "{refused:?}");
}

#[tokio::test]
async fn both_versions_of_tls_are_accepted_and_only_http_1_1() {
    let (app, files) = start().await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for protocols in [&["http/1.1"][..], &["h2", "http/1.1"], &[]] {
            let mut config = files.authority.client_config_for(&[version]);
            config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
            let stream = connect(&app, config).await.unwrap();
            let connection = stream.get_ref().1;
            assert_eq!(connection.protocol_version(), Some(version.version));
            let expected = (!protocols.is_empty()).then_some(&b"http/1.1"[..]);
            assert_eq!(connection.alpn_protocol(), expected, "{protocols:?}");
        }
    }
    let mut config = files.authority.client_config();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let error = connect(&app, config).await.unwrap_err().to_string();
    assert!(error.contains("NoApplicationProtocol"), "{error}");
}

#[tokio::test]
async fn a_client_refuses_another_name_and_an_unknown_authority() {
    let files = TlsFiles::new("todo.example");
    let app = start_with(&files).await;
    let health = format!("{}/health", app.url);
    let error = app.client.get(&health).send().await.unwrap_err();
    assert!(format!("{error:?}").contains("NotValidForName"), "{error:?}");
    let stranger = Authority::new(Path::new(&files.file("")), "another.pem").client();
    let error = stranger.get(&health).send().await.unwrap_err();
    assert!(format!("{error:?}").contains("UnknownIssuer"), "{error:?}");
    // Nothing but the name was wrong.
    let (certificate, key) = files.authority.certify("localhost");
    files.write(&certificate, &key);
    let renamed = start_with(&files).await;
    let answer = renamed.client.get(format!("{}/health", renamed.url)).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn plain_http_gets_a_problem_that_says_what_to_do() {
    let (app, _files) = start().await;
    let token = app.token("uma").await;
    for path in ["/todoitems", "/health", "/docs", "/nothing"] {
        let request = client().get(format!("{}{path}", app.url.replace("https", "http")));
        let answer = Answer::of(request.bearer_auth(&token).send().await.unwrap()).await;
        answer.assert_problem(400, "invalid_request");
        let detail = answer.body["detail"].as_str().unwrap();
        assert_eq!(detail, "This server accepts only HTTPS. Begin the URL with https://.");
    }
    // A client that speaks another protocol is disconnected.
    for bytes in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], &[22, 3, 1, 0, 4, 9, 0, 0, 0], &[0; 64]] {
        let mut stream = tcp(&app).await;
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{bytes:?}");
    }
    app.assert_ready().await;
}

#[tokio::test]
async fn a_refused_body_over_tls_is_read_so_that_the_client_gets_the_response() {
    let (app, _files) = start().await;
    for _ in 0..3 {
        let request = app.client.post(format!("{}/todoitems", app.url));
        let answer = request.body(vec![b'a'; 5_000_000]).send().await.unwrap();
        Answer::of(answer).await.assert_problem(401, "missing_token");
    }
}

#[tokio::test]
async fn a_tls_client_that_closes_its_sending_half_gets_a_response() {
    let (app, files) = start().await;
    let mut stream = connect(&app, files.authority.client_config()).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(Answer::parse(&answer).status, StatusCode::OK);
}

#[tokio::test]
async fn a_stop_completes_requests_over_tls() {
    let (mut app, files) = start().await;
    let token = app.token("uma").await;
    let body = r#"{"item":{"name":"Walk the dog"}}"#;
    let head = format!(
        "POST /todoitems HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    let mut busy = connect(&app, files.authority.client_config()).await.unwrap();
    busy.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    busy.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100 Continue"));
    let complete = async {
        busy.write_all(body.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        busy.read_to_end(&mut answer).await.unwrap();
        let answer = Answer::parse(&answer);
        assert_eq!((answer.status, answer.header("connection")), (StatusCode::CREATED, "close"));
    };
    tokio::join!(app.stop(), complete);
}

#[test]
fn every_fault_of_the_files_is_reported_with_its_fix() {
    let files = TlsFiles::new("localhost");
    let (certificate, key) = files.authority.certify("localhost");
    let (another, _) = files.authority.certify("localhost");
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let old = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n\
               AAAA\n-----END EC PRIVATE KEY-----\n";
    let ca = fs::read_to_string(&files.authority.file).unwrap();
    let damaged = certificate.replacen("MII", "M\u{fc}I", 1);
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (certificate, key, expected) in [
        (&*certificate, &*encrypted, &["TLS_KEY", "openssl pkey -in "][..]),
        (&certificate, old, &["TLS_KEY", "openssl pkey -in "]),
        (&key, &certificate, &["TLS_CERT", "swap it with TLS_KEY"]),
        (&another, &key, &["TLS_KEY", "not the key of the first certificate"]),
        (&format!("{ca}{certificate}"), &key, &["TLS_KEY", "certificate must be the first"]),
        ("", &key, &["TLS_CERT", "BEGIN CERTIFICATE"]),
        (&certificate, "", &["TLS_KEY", "BEGIN PRIVATE KEY"]),
        (&damaged, &key, &["TLS_CERT", "is damaged"]),
        (&certificate, &damaged.replace("CERTIFICATE", "PRIVATE KEY"), &["TLS_KEY", "is damaged"]),
        (no_certificate, &key, &["TLS_CERT", "cannot be used"]),
        (
            &certificate,
            &no_certificate.replace("CERTIFICATE", "PRIVATE KEY"),
            &["TLS_KEY", "must be an RSA"],
        ),
    ] {
        files.write(certificate, key);
        let faults = faults(&files.certificate, &files.key);
        let [fault] = &faults[..] else { panic!("{expected:?}: {faults:?}") };
        let path = if expected[0] == "TLS_KEY" { &files.key } else { &files.certificate };
        assert!(fault.starts_with(&format!("{} is {path:?}, which ", expected[0])), "{fault}");
        assert!(expected.iter().all(|part| fault.contains(part)), "{expected:?}: {fault}");
        assert!(!fault.contains("MI"), "{fault}");
    }
    // Both files at once.
    for (path, problem) in [
        (files.file("missing.pem"), "does not exist; a relative path begins at"),
        (files.file(""), "must be a file that the server's user can read: Is a directory"),
    ] {
        let faults = faults(&path, &path);
        let both =
            ["TLS_CERT", "TLS_KEY"].map(|name| format!("{name} is {path:?}, which {problem}"));
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults.iter().zip(both).all(|(fault, it)| fault.starts_with(&it)), "{faults:?}");
    }
    // The certificate and the key may be in one file, and the certificate may have a chain.
    files.write(&format!("{key}{certificate}{ca}"), "");
    assert_eq!(faults(&files.certificate, &files.certificate), [""; 0]);
}

/// Entra redirects to another host than localhost only by https.
#[test]
fn a_server_with_a_certificate_needs_no_public_url_for_sign_in() {
    let files = TlsFiles::new("todo.example");
    let environment = settings(&files.certificate, &files.key).with("HOST", "todo.example");
    assert_eq!(Config::read(&environment).unwrap().warnings, [""; 0]);
    let environment = settings("", "").with("HOST", "todo.example");
    let warnings = Config::read(&environment).unwrap().warnings;
    assert!(warnings[0].contains("reach the server there by http"), "{warnings:?}");
}

fn settings(certificate: &str, key: &str) -> Environment {
    Environment::default()
        .with("API_CLIENT_ID", entra_dev::ids::API_CLIENT_ID)
        .with("SWAGGER_UI_CLIENT_ID", entra_dev::ids::SWAGGER_UI_CLIENT_ID)
        .with("AAD_TENANT_ID", entra_dev::ids::CONTOSO)
        .with("TLS_CERT", certificate)
        .with("TLS_KEY", key)
}

fn faults(certificate: &str, key: &str) -> Vec<String> {
    match Config::read(&settings(certificate, key)) {
        Ok(_) => Vec::new(),
        Err(InvalidConfig(faults)) => faults,
    }
}

#[test]
fn faults_of_the_certificate_are_reported_together_with_others() {
    let folder = tempfile::tempdir().unwrap();
    let launch = Launch::serve("login.microsoftonline.com")
        .with("TLS_CERT", "cert.pem")
        .with("TLS_KEY", "key.pem");
    let shown = launch.refusal(folder.path());
    for fault in [
        "- AAD_INSTANCE has no scheme",
        "- TLS_CERT is \"cert.pem\", which does not exist",
        "- TLS_KEY is \"key.pem\", which does not exist",
    ] {
        assert!(shown.contains(fault), "{shown}");
    }
}

async fn start() -> (App, TlsFiles) {
    let files = TlsFiles::new("localhost");
    (start_with(&files).await, files)
}

/// A server with this certificate. Its client trusts the authority.
async fn start_with(files: &TlsFiles) -> App {
    let mut app = App::start_with(|environment| {
        environment.with("TLS_CERT", &files.certificate).with("TLS_KEY", &files.key)
    })
    .await;
    app.client = files.authority.client();
    app
}

async fn tcp(app: &App) -> TcpStream {
    TcpStream::connect(app.url.trim_start_matches("https://")).await.unwrap()
}

async fn connect(app: &App, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp(app).await).await
}
