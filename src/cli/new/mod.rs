//! `todo-api new NAME`: creates a minimal protected API that depends on `poem-entra`.

mod folder;
mod name;
mod project;

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context;
use clap::Args;

use super::output::printed;

use self::{
    name::ProjectName,
    project::{Origin, files},
};

const EXAMPLES: &str = "\
Examples:
  todo-api new billing                     create the folder billing
  todo-api new billing --path ../todo-api  use the crates of a checkout of this repository

The project depends on poem-entra, in the version of this program, and has an operation for people,
one for a role and one for apps. Its tests use real tokens of a development tenant.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct New {
    /// The name of the package and of its folder, which must not exist yet
    #[arg(value_name = "NAME")]
    name: ProjectName,
    /// Depend on the crates in this checkout of the repository, instead of fetching them with git
    #[arg(long, value_name = "FOLDER")]
    path: Option<PathBuf>,
}

impl New {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let origin = match &self.path {
            Some(checkout) => Origin::checkout(checkout)?,
            None => Origin::repository(),
        };
        let name = self.name;
        folder::create(name.as_str(), &files(&name, &origin))?;
        printed(write!(
            io::stdout(),
            "Created {name}: a web API that Microsoft Entra ID protects.

Next:
  cd {name}
  cargo run --example dev    start it with a development tenant; sign in at /docs
  cargo test                 test it with real tokens

README.md says how to use your own tenant.
{note}",
            note = origin.note(),
        ))
        .context("failed to print the next steps")
    }
}
