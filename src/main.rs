//! The program: see `todo-api --help`.

use std::process::ExitCode;

use clap::Parser;
use todo_api::cli::Cli;

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
