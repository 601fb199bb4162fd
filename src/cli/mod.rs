//! The commands, one file for each.

mod backup;
mod dev_tenant;
mod openapi;
mod serve;
mod signals;
mod token;

use clap::{Parser, Subcommand};

/// A todo API protected with Microsoft Entra ID.
#[derive(Debug, Parser)]
#[command(name = "todo-api", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API with the settings from the environment and .env
    Serve(serve::Serve),
    /// Write the OpenAPI document without starting a server
    Openapi(openapi::Openapi),
    /// Copy the SQLite database, even while the server runs
    Backup(backup::Backup),
    /// Print an access token of the development tenant, for curl and scripts
    Token(token::Token),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The error of the command, with its causes.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Serve(serve) => serve.run(),
            Command::Openapi(openapi) => openapi.run(),
            Command::Backup(backup) => backup.run(),
            Command::Token(token) => token.run(),
        }
    }
}
