//! Serves the API with the settings in the environment and in `.env`.

use anyhow::{Context, ensure};
use poem::{Server, listener::TcpListener};
use poem_entra::Settings;

use standalone_api::routes;

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    match dotenvy::from_path(".env") {
        Err(error) if !error.not_found() => Err(error).context("failed to read .env"),
        _ => serve(),
    }
}

#[tokio::main]
async fn serve() -> anyhow::Result<()> {
    let names = ["AAD_TENANT_ID", "API_CLIENT_ID", "SWAGGER_UI_CLIENT_ID"];
    let missing: Vec<_> = names.into_iter().filter(|name| variable(name).is_none()).collect();
    ensure!(
        missing.is_empty(),
        "these settings are missing: {}. Copy .env.sample to .env and change the ids, or try the \
         API without an Azure account: cargo run --example dev",
        missing.join(", ")
    );
    let [tenant, api, swagger_ui] = names.map(|name| variable(name).unwrap_or_default());
    let mut settings = Settings::new(tenant, api);
    if let Some(instance) = variable("AAD_INSTANCE") {
        settings.instance = instance;
    }
    let routes = routes(&settings, &swagger_ui)?;
    let address = variable("ADDRESS").unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let server = Server::new(TcpListener::bind(address.clone()));
    server.run(routes).await.with_context(|| {
        format!("failed to listen on {address}; to use another address, set ADDRESS")
    })
}

/// A variable of the environment. An empty one counts as absent.
fn variable(name: &str) -> Option<String> {
    dotenvy::var(name).ok().filter(|value| !value.is_empty())
}
