//! The protected resource metadata with real clients: the MCP SDK and oauth4webapi find out where to
//! sign in, sign in at the development tenant, and call.

#[allow(dead_code, unreachable_pub, reason = "its main function runs only as an example")]
#[path = "../../crates/poem-entra/examples/mcp.rs"]
mod example;

use std::{net::TcpListener, process::Command};

use entra_dev::{
    Directory,
    ids::{API_CLIENT_ID, CONTOSO},
};
use poem::listener::TcpAcceptor;
use poem_entra::Settings;
use tokio::task::JoinHandle;

use crate::support::{App, TestClock, Tool, free_ports, require, root, run, test_name};

#[tokio::test]
async fn mcp_clients_sign_in_and_call() {
    let tools = [Tool::Node, Tool::McpSdk, Tool::Oauth4webapi];
    let Some([node, _, _]) = require(test_name!(), tools) else { return };
    let [api_port, mcp_port] = free_ports();
    let api_url = format!("http://localhost:{api_port}");
    let mcp_url = format!("http://localhost:{mcp_port}/mcp");
    let app = start(&[&api_url, &mcp_url], api_port).await;
    let server = serve_example(&app, &mcp_url, mcp_port);

    let mut command = Command::new(node);
    command
        .arg(root().join("tests/clients/mcp.mjs"))
        .env("API_URL", &api_url)
        .env("MCP_URL", &mcp_url)
        .env("DESKTOP_CLIENT_ID", "66666666-6666-4666-8666-666666666666")
        .env("ADA", "ada00000-0000-4000-8000-000000000001");
    let output = run(command).await;
    server.abort();
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(|it| String::from_utf8_lossy(it));
    assert!(output.status.success(), "{stdout}{stderr}");
    assert_eq!(stdout.lines().filter(|line| line.starts_with("ok: ")).count(), 4, "{stdout}");
}

/// A todo API on this port. Its registration has these App ID URIs.
async fn start(app_id_uris: &[&str], port: u16) -> App {
    let name = "name = \"Todo API\"\n";
    let registered = format!("{name}app_id_uri = {app_id_uris:?}\n");
    let directory = Directory::EXAMPLE.replace(name, &registered);
    let directory = Directory::parse(&directory, "".as_ref()).unwrap();
    App::start_having(directory, TestClock::real(), |environment| {
        environment.with("APP_ID_URI", app_id_uris.join(",")).with("PORT", port.to_string())
    })
    .await
}

/// Serves the example of poem-entra on this port.
fn serve_example(app: &App, url: &str, port: u16) -> JoinHandle<()> {
    let mut settings = Settings::new(CONTOSO, API_CLIENT_ID);
    settings.instance = app.tenant.base_url().to_owned();
    settings.resource = Some(url.to_owned());
    settings.app_id_uris = vec![url.to_owned()];
    let routes = example::routes(&settings).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let acceptor = TcpAcceptor::from_std(listener).unwrap();
    tokio::spawn(
        async move { poem::Server::new_with_acceptor(acceptor).run(routes).await.unwrap() },
    )
}
