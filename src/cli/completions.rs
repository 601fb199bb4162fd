//! `todo-api completions SHELL`: prints a script with which a shell completes the commands.

use std::io::{self, Write};

use anyhow::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, output::printed};

const EXAMPLES: &str = "\
Examples:
  todo-api completions bash > ~/.local/share/bash-completion/completions/todo-api
  todo-api completions zsh > ~/.zfunc/_todo-api          with fpath+=~/.zfunc in .zshrc
  todo-api completions fish > ~/.config/fish/completions/todo-api.fish
  todo-api completions powershell >> $PROFILE";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "todo-api", &mut script);
        printed(io::stdout().write_all(&script)).context("failed to print the script")
    }
}
