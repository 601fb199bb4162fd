//! `todo-api backup FILE`: makes a consistent copy of the SQLite file while the server runs.

use std::path::PathBuf;

use clap::Args;

use crate::{
    config::{self, Environment},
    store,
};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to create; it must not exist yet
    #[arg(value_name = "FILE")]
    copy: PathBuf,
}

impl Backup {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = config::read_database(&Environment::load()?)?;
        Ok(store::back_up(&config.location, &self.copy)?)
    }
}
