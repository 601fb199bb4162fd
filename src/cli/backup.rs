//! `todo-api backup FILE`: makes a consistent copy of the SQLite file while the server runs.

use std::{
    path::PathBuf,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::Args;
use tokio::task;

use crate::{
    config::{self, Environment},
    store,
};

use super::{progress::Progress, signals::cancel_signal};

const EXAMPLES: &str = "\
Examples:
  todo-api backup todo-backup.db
  todo-api backup \"/var/backups/todo-$(date +%F).db\"";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Backup {
    /// The file to create; it must not exist yet
    #[arg(value_name = "FILE")]
    copy: PathBuf,
}

impl Backup {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let config = config::read_database(&Environment::load()?)?;
        let _progress = Progress::start("copying the database");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut stop = pin!(cancel_signal()?);
            let cancelled = Arc::<AtomicBool>::default();
            let cancel = Arc::clone(&cancelled);
            let mut copying = task::spawn_blocking(move || {
                store::back_up(&config.location, &self.copy, &cancelled)
            });
            let copied = tokio::select! {
                copied = &mut copying => copied,
                // The backup removes the incomplete copy.
                _ = &mut stop => {
                    cancel.store(true, Ordering::Relaxed);
                    copying.await
                }
            };
            Ok(copied??)
        })
    }
}
