//! `todo-api token --as NAME`: prints an access token, without a browser.

use std::io::{self, Write};

use anyhow::Context;
use clap::Args;

use crate::config::Environment;

use super::dev_tenant;

#[derive(Debug, Args)]
pub(super) struct Token {
    /// The person to sign in: ada, uma, ulf, noel, gus, pia or tia
    #[arg(long = "as", value_name = "NAME")]
    person: String,
}

impl Token {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = dev_tenant::read_config(Environment::load()?)?;
        let token = dev_tenant::access_token(&config, &self.person)?;
        writeln!(io::stdout(), "{token}").context("failed to print the token")?;
        Ok(())
    }
}
