//! `todo-api token --as NAME`: prints an access token, without a browser.

use std::io::{self, Write};

use anyhow::Context;
use clap::Args;

use crate::config::Environment;

use super::{dev_tenant, output::printed, progress::Progress};

const EXAMPLES: &str = "\
Examples:
  todo-api token --as uma
  curl -H \"Authorization: Bearer $(todo-api token --as ada)\" http://localhost:8000/todoitems";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Token {
    /// The short name of the person to sign in, such as uma; serve --dev lists them
    #[arg(long = "as", value_name = "NAME")]
    person: String,
}

impl Token {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = dev_tenant::read_config(Environment::load()?)?;
        let progress = Progress::start("asking the development tenant");
        let token = dev_tenant::access_token(&config, &self.person)?;
        drop(progress);
        printed(writeln!(io::stdout(), "{token}")).context("failed to print the token")?;
        Ok(())
    }
}
