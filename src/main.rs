//! The program `todo-api`. See `todo-api --help`.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use todo_api::{causes::Causes, cli::Cli};

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            // If standard error cannot be written, the exit code is enough.
            let _ = writeln!(io::stderr(), "Error: {}", Causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
