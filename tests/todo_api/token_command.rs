//! `todo-api token`: the token of the running development tenant, or one that is signed without it.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Output,
    thread,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use entra_dev::{DevTenant, Directory, Options, ids::API_CLIENT_ID};
use serde_json::Value;

use crate::support::{Launch, client, free_ports};

/// Runs the command in this folder, with this port of the tenant.
fn token_command(folder: &Path, port: u16, person: &str) -> Output {
    let launch = Launch::default().with("DEV_TENANT_PORT", port.to_string());
    launch.run(folder, &["token", "--as", person])
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().trim().to_owned()
}

/// A part of a token, without verification.
fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The ids of the keys that a tenant publishes.
async fn published(tenant: &DevTenant) -> Vec<Value> {
    let url = format!("{}/common/discovery/v2.0/keys", tenant.base_url());
    let keys: Value = client().get(url).send().await.unwrap().json().await.unwrap();
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
}

fn port_of(tenant: &DevTenant) -> u16 {
    tenant.base_url().rsplit(':').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_tenant_issues_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let text = Directory::EXAMPLE
        .replace("uma", "una")
        .replace("name = \"Todo API\"\n", "name = \"Todo API\"\ntoken_issuer = \"https\"\n");
    let directory = Directory::parse(&text, Path::new("")).unwrap();
    let tenant = DevTenant::start_with(Options { directory, ..Options::ephemeral() });
    let tenant = tenant.await.unwrap();
    let port = port_of(&tenant);

    // It has other people, another issuer and other keys than the command could know.
    let token = printed(&token_command(folder.path(), port, "una"));
    assert!(published(&tenant).await.contains(&part(&token, 0)["kid"]));
    let claims = part(&token, 1);
    assert_eq!(claims["preferred_username"], "una@contoso.example");
    assert_eq!((&claims["aud"], &claims["scp"]), (&API_CLIENT_ID.into(), &"access_as_user".into()));
    let issuer = claims["iss"].as_str().unwrap();
    assert!(issuer.starts_with(tenant.https_url().unwrap()), "{issuer}");
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "it generates no keys");

    let output = token_command(folder.path(), port, "uma");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("there is no person \"uma\"; choose one of: ada, una"), "{shown}");
    tenant.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tenant_the_token_is_signed_with_the_stored_keys() {
    let folder = tempfile::tempdir().unwrap();
    let [port] = free_ports();
    let token = printed(&token_command(folder.path(), port, "uma"));
    let data_dir = folder.path().join("data/dev-tenant");
    assert!(data_dir.join("signing-keys.json").exists());
    let options = Options { port, data_dir: Some(data_dir), ..Options::ephemeral() };
    let tenant = DevTenant::start_with(options).await.unwrap();
    assert!(published(&tenant).await.contains(&part(&token, 0)["kid"]));
    // The same keys are used when the tenant runs.
    let again = printed(&token_command(folder.path(), port, "uma"));
    assert_eq!(part(&again, 0), part(&token, 0));
    tenant.stop().await;
}

#[test]
fn another_program_on_the_port_is_not_trusted() {
    let stranger = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2V2aWwuZXhhbXBsZSJ9.c2ln";
    for answer in [
        "HTTP/1.1 200 OK\r\n\r\nhello".to_owned(),
        "HTTP/1.1 404 Not Found\r\n\r\n{}".to_owned(),
        "HTTP/1.1 400 Bad Request\r\n\r\n{}".to_owned(),
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://localhost:1/\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"abc\"}".to_owned(),
        format!("HTTP/1.1 200 OK\r\n\r\n{{\"access_token\":\"{stranger}\"}}"),
        "SSH-2.0-server\r\n".to_owned(),
        "HTTP/1.1 \u{20ac}\u{20ac}\r\n\r\n{}".to_owned(),
        String::new(),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (text, listening) = (answer.clone(), listener.try_clone().unwrap());
        let served = thread::spawn(move || {
            let (mut connection, _) = listening.accept().unwrap();
            let mut request = [0; 4096];
            let length = connection.read(&mut request).unwrap();
            connection.write_all(text.as_bytes()).unwrap();
            String::from_utf8(request[..length].to_vec()).unwrap()
        });
        let token = printed(&token_command(folder.path(), port, "uma"));
        let request = served.join().unwrap();
        assert!(request.starts_with("POST /_dev/tokens HTTP/1.1\r\n"), "{request}");
        let issuer = part(&token, 1)["iss"].as_str().unwrap().to_owned();
        assert!(issuer.starts_with(&format!("http://localhost:{port}/")), "{answer}: {issuer}");
        assert!(folder.path().join("data/dev-tenant/signing-keys.json").exists(), "{answer}");
    }
}
