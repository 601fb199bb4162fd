//! Serves the API with a development tenant, so that you can sign in without an Azure account.
//! dev-tenant.toml describes its people and apps.

use std::path::Path;

use anyhow::Context;
use entra_dev::{DevTenant, Directory, Options, ids};
use poem::{Server, listener::TcpListener};
use poem_entra::Settings;

use standalone_api::routes;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/dev-tenant.toml"));
    let options = Options {
        directory: Directory::read(file)?,
        port: port("DEV_TENANT_PORT", 8001)?,
        // Some(8443) for clients that require HTTPS, such as MSAL.
        https_port: None,
        ..Options::default()
    };
    let tenant = DevTenant::start_with(options).await.context(
        "failed to start the development tenant; to use another port, set DEV_TENANT_PORT",
    )?;
    let mut settings = Settings::new(ids::CONTOSO, ids::API_CLIENT_ID);
    settings.instance = tenant.base_url().to_owned();
    let routes = routes(&settings, ids::SWAGGER_UI_CLIENT_ID)?;

    let port = port("PORT", 3000)?;
    println!("\n  Sign in and call the API    http://localhost:{port}/docs");
    println!("  The development tenant      {}/_dev", tenant.base_url());
    println!("  An access token             cargo run --quiet --example token -- ada\n");
    let server = Server::new(TcpListener::bind(("127.0.0.1", port)));
    server.run(routes).await.with_context(|| {
        format!("failed to listen on 127.0.0.1:{port}; to use another port, set PORT")
    })
}

/// A port in the environment, or this one.
fn port(name: &str, default: u16) -> anyhow::Result<u16> {
    Ok(dotenvy::var(name).map_or(Ok(default), |port| port.parse())?)
}
