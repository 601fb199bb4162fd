//! `todo-api token --as NAME`: an access token without a browser.

use std::io::{self, Write};

use anyhow::Context;
use clap::Args;

use crate::config::{Config, Environment};

#[derive(Debug, Args)]
pub(super) struct Token {
    /// Whose: ada, uma, ulf, noel, gus, pia or tia
    #[arg(long = "as", value_name = "NAME")]
    person: String,
}

impl Token {
    /// Signs with the keys that the development tenant keeps, so it need not be running.
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = Config::read_dev(Environment::load()?)?;
        let options =
            entra_dev::Options { port: config.dev_tenant.port, ..entra_dev::Options::default() };
        let token = entra_dev::access_token(&options, &self.person)?;
        writeln!(io::stdout(), "{token}").context("failed to print the token")?;
        Ok(())
    }
}
