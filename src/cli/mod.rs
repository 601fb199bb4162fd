//! The commands, one file for each.

mod backup;
mod completions;
mod dev_tenant;
mod doctor;
mod explain;
mod healthcheck;
mod man;
mod new;
mod openapi;
mod output;
mod probe;
mod progress;
mod register;
mod serve;
mod signals;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  todo-api serve --dev        try the API without an Azure account
  todo-api token --as uma     get a token to send to it
  todo-api explain -          find out why a token is refused
  todo-api register --use-az  create the app registrations in your own tenant
  todo-api doctor             find out why it does not work with your own tenant";

/// A todo API protected with Microsoft Entra ID.
#[derive(Debug, Parser)]
#[command(name = "todo-api", version, about, after_help = EXAMPLES)]
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
    /// Explain a token: what it contains, why it is refused, how to fix that, and what it allows
    Explain(explain::Explain),
    /// Check settings, authority, database and address, and say what to fix
    Doctor(doctor::Doctor),
    /// Create or complete the app registrations in Microsoft Entra ID, and write .env
    Register(register::Register),
    /// Create a minimal protected API that depends on poem-entra
    New(new::New),
    /// Ask the running server whether it is ready, for containers
    Healthcheck(healthcheck::Healthcheck),
    /// Print a script for shell completions
    Completions(completions::Completions),
    /// Print the manual page, or write those of all commands
    Man(man::Manual),
}

impl Cli {
    /// Runs the command and returns its exit code.
    ///
    /// # Errors
    ///
    /// The error of the command, with its causes.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(serve) => serve.run()?,
            Command::Openapi(openapi) => openapi.run()?,
            Command::Backup(backup) => backup.run()?,
            Command::Token(token) => token.run()?,
            Command::Explain(explain) => return Ok(explain.run()),
            Command::Doctor(doctor) => return doctor.run(),
            Command::Register(register) => return register.run(),
            Command::New(new) => new.run()?,
            Command::Healthcheck(healthcheck) => healthcheck.run()?,
            Command::Completions(completions) => completions.run()?,
            Command::Man(man) => man.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
