//! Prints an access token of the development tenant, which must be running:
//! cargo run --quiet --example token -- ada

use std::env;

use anyhow::Context;
use entra_dev::running_access_token;

fn main() -> anyhow::Result<()> {
    let person = env::args().nth(1).context("name a person in dev-tenant.toml, such as ada")?;
    let port = dotenvy::var("DEV_TENANT_PORT").map_or(Ok(8001), |port| port.parse())?;
    let token = running_access_token(port, &person)?;
    let token = token.context("the development tenant is not running: cargo run --example dev")?;
    println!("{token}");
    Ok(())
}
