//! SIGHUP: the server reads its certificate again, unless its terminal was closed.

use std::process::Command;

use entra_dev::DevTenant;
use reqwest::{Client, StatusCode};
use tokio::net::TcpStream;

use crate::support::{Launch, Program, TlsFiles, client, free_ports, wait_until};

#[tokio::test]
async fn sighup_replaces_the_certificate_and_connections_go_on() {
    let files = TlsFiles::new("localhost");
    let tenant = DevTenant::start().await.unwrap();
    let mut program = serve(&files, tenant.base_url());
    let kept = files.authority.client();
    wait_until_ready(&program, &kept).await;

    // A renewed certificate of another authority.
    let renewed = TlsFiles::new("localhost");
    let (certificate, key) = renewed.authority.certify("localhost");
    files.write(&certificate, &key);
    program.send_signal("HUP");
    program.wait_for("the certificate was reloaded").await;
    let trusting_new = || renewed.authority.client();
    let trusting_old = || files.authority.client();
    let is_ok = async |client: &Client| {
        let answer = client.get(format!("{}/health", program.url)).send().await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    };
    assert!(is_ok(&kept).await, "the connection ended");
    assert!(is_ok(&trusting_new()).await, "{}", program.log());
    assert!(!is_ok(&trusting_old()).await, "the old certificate is still in use");

    // A broken pair changes nothing.
    let (another, _) = renewed.authority.certify("localhost");
    for (broken, expected) in [
        (&*another, "TLS_KEY is "),
        ("", "has no certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used: "),
    ] {
        files.write(broken, &key);
        program.send_signal("HUP");
        program.wait_for(expected).await;
        assert!(is_ok(&trusting_new()).await && is_ok(&kept).await, "{}", program.log());
    }
    let failed = "failed to reload the certificate; the previous one stays in use";
    assert_eq!(program.log().matches(failed).count(), 3, "{}", program.log());
    assert!(program.stop("TERM").await.success());
}

#[tokio::test]
async fn sighup_without_a_certificate_has_no_effect() {
    let mut program = Program::start().await;
    for number in 1..3 {
        program.send_signal("HUP");
        let logged = async || program.log().matches("SIGHUP has no effect").count() == number;
        wait_until("SIGHUP is logged", logged).await;
        let answer = client().get(format!("{}/health", program.url)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert!(program.stop("TERM").await.success());
}

#[tokio::test]
async fn sighup_while_the_server_starts_or_stops_does_not_kill_it() {
    let [port, unused] = free_ports();
    let launch = Launch::serve(&format!("http://127.0.0.1:{unused}"));
    let mut program = Program::spawn_new(launch.with("PORT", port.to_string()));
    let health = format!("{}/health", program.url);
    wait_until("the server responds", async || client().get(&health).send().await.is_ok()).await;
    program.send_signal("TERM");
    program.wait_for("stopping").await;
    program.send_signal("HUP");
    assert!(program.wait_until_ended().await.success());
}

#[tokio::test]
async fn serve_dev_over_tls_registers_its_https_docs_page() {
    let files = TlsFiles::new("localhost");
    let launch = Launch::dev().with("TLS_CERT", &files.certificate).with("TLS_KEY", &files.key);
    let program = Program::spawn_new(launch);
    let client = files.authority.client();
    wait_until_ready(&program, &client).await;
    assert!(program.url.starts_with("https:"), "{}", program.url);
    program.wait_for(&format!("{}/docs\n", program.url)).await;
    let list = client.get(format!("{}/todoitems", program.url)).bearer_auth(program.token("uma"));
    assert_eq!(list.send().await.unwrap().status(), StatusCode::OK);
    let request = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", entra_dev::ids::SWAGGER_UI_CLIENT_ID)
        .append_pair("redirect_uri", &format!("{}/oauth2-redirect", program.url))
        .append_pair("response_type", "code")
        .append_pair("scope", &format!("api://{}/access_as_user", entra_dev::ids::API_CLIENT_ID))
        .append_pair("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        .append_pair("code_challenge_method", "S256")
        .append_pair("prompt", "none")
        .finish();
    let authorize = format!("{}/common/oauth2/v2.0/authorize?{request}", program.tenant_url());
    let answer = client.get(authorize).send().await.unwrap();
    // It needs a sign-in, and nothing else.
    let location = answer.headers()["location"].to_str().unwrap();
    assert!(location.contains("AADSTS50058%3A"), "{location}");
}

#[tokio::test]
async fn closing_the_terminal_stops_the_server() {
    // `script` runs the command in a terminal of its own, which is closed when `script` ends.
    let terminal = ["sh", "-c", "exec script -qfc \"exec $0 $*\" /dev/null", "/usr/bin/env"];
    let launch = Launch::dev().through(&terminal);
    let mut program = Program::launch(launch).await;
    let address = program.url.trim_start_matches("http://").to_owned();
    // Its terminal is still open.
    let children = format!("/proc/{0}/task/{0}/children", program.id());
    let server = std::fs::read_to_string(children).unwrap().trim().to_owned();
    let hangup = format!("kill -HUP {server}");
    assert!(Command::new("sh").args(["-c", &hangup]).status().unwrap().success());
    program.wait_for("SIGHUP has no effect").await;
    assert!(TcpStream::connect(&address).await.is_ok());
    program.kill();
    let is_closed = async || TcpStream::connect(&address).await.is_err();
    wait_until("the server has stopped", is_closed).await;
}

/// `serve` over TLS with these files.
fn serve(files: &TlsFiles, authority: &str) -> Program {
    let [port] = free_ports().map(|port| port.to_string());
    let launch = Launch::serve(authority).with("PORT", port);
    let launch = launch.with("TLS_CERT", &files.certificate).with("TLS_KEY", &files.key);
    Program::spawn_new(launch)
}

async fn wait_until_ready(program: &Program, client: &Client) {
    let ready = format!("{}/health/ready", program.url);
    wait_until("the server is ready", async || {
        let answer = client.get(&ready).send().await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    })
    .await;
}
