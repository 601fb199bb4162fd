//! Real clients of one development tenant under two names: a browser knows it as `localhost`, the
//! API and a daemon as `entra-dev`, at another address.

use entra_dev::{
    DevTenant, Options,
    ids::{DAEMON_CLIENT_ID, DAEMON_SECRET},
};

use crate::support::{
    Elsewhere, Launch, Program, Tool, client_command, free_ports, only_browser, require, run,
    test_name,
};

const CONTROL_TOKEN: &str = "the-token-of-the-tests";

#[tokio::test]
async fn a_browser_an_api_and_a_daemon_agree_on_one_tenant_under_two_names() {
    let tools = [Tool::MsalPython, Tool::Node, Tool::MsalBrowser, Tool::Playwright, Tool::Chromium];
    let Some([python, node, ..]) = require(test_name!(), tools) else { return };
    let _browser = only_browser().await;
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::knowing("entra-dev", "127.0.0.2", folder.path());
    let [https_port, port] = free_ports();
    let authority = format!("https://entra-dev:{https_port}");
    let tenant = DevTenant::start_with(Options {
        host: Some([0, 0, 0, 0].into()),
        answer_to: vec!["entra-dev".parse().unwrap()],
        control_token: Some(CONTROL_TOKEN.parse().unwrap()),
        https_port: Some(https_port),
        access_token_issuer: authority.parse().unwrap(),
        data_dir: Some(folder.path().join("tenant")),
        ..Options::ephemeral()
    });
    let tenant = tenant.await.unwrap();

    let launch = Launch::serve(&authority)
        .through(&Elsewhere::COMMAND)
        .with("HOSTS", elsewhere.hosts.to_str().unwrap())
        .with("SSL_CERT_FILE", tenant.ca_file().unwrap().to_str().unwrap())
        .with("PORT", port.to_string());
    let api = Program::launch(launch).await;

    let command = |interpreter, script| {
        let mut command = client_command(interpreter, script, &tenant, &api.url, folder.path());
        command
            .env("API_AUTHORITY", &authority)
            .env("CONTROL_TOKEN", CONTROL_TOKEN)
            .env("SPA_CLIENT_ID", "99999999-9999-4999-8999-999999999999")
            .env("DAEMON_CLIENT_ID", DAEMON_CLIENT_ID)
            .env("DAEMON_SECRET", DAEMON_SECRET);
        command
    };
    let mut daemon = elsewhere.run(&command(&python, "two_names.py"));
    daemon.env("TENANT_HTTPS", &authority);
    for (command, flows) in [
        (daemon, &["ok: daemon", "ok: control"][..]),
        (command(&node, "two_names.mjs"), &["ok: browser"]),
    ] {
        let output = run(command).await;
        let shown = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{shown}{errors}{}", api.log());
        let passed: Vec<_> = shown.lines().filter(|line| line.starts_with("ok: ")).collect();
        assert_eq!(passed, flows, "{shown}");
    }
    tenant.stop().await;
}
