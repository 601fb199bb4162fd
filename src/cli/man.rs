//! `todo-api man`: prints the manual page, or writes one for each command.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_mangen::Man;

use super::{Cli, output::printed};

const EXAMPLES: &str = "\
Examples:
  todo-api man | man -l -                            read the page
  todo-api man --output /usr/local/share/man/man1    install all pages";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Manual {
    /// The folder for the pages, one for each command [default: print the first page]
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

impl Manual {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Some(folder) = self.output else {
            let mut page = Vec::new();
            Man::new(Cli::command()).render(&mut page)?;
            return printed(io::stdout().write_all(&page)).context("failed to print the page");
        };
        fs::create_dir_all(&folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &folder))
            .with_context(|| format!("failed to write the pages to {}", folder.display()))
    }
}
