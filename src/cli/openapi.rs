//! `todo-api openapi`: writes the OpenAPI document, or checks that a file contains it.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::Args;
use imara_diff::{Algorithm, BasicLineDiffPrinter, Diff, InternedInput, UnifiedDiffConfig};
use serde_json::Value;

use super::output::printed;
use crate::{
    api::{self, document::DocumentSettings},
    config::{Config, Environment, dev_tenant::ids},
    server,
};

const EXAMPLES: &str = "\
Examples:
  todo-api openapi --output openapi.json     write the document
  todo-api openapi --configured --yaml       print it for your own tenant, as YAML
  todo-api openapi --check --output openapi/openapi.json";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Openapi {
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write nothing; if the file is not up to date, print the difference and exit with 1
    #[arg(long, requires = "output")]
    check: bool,
    /// Write YAML instead of JSON
    #[arg(long)]
    yaml: bool,
    /// Write the document for the settings in the environment and .env, instead of the one with the
    /// ids of the development tenant
    #[arg(long)]
    configured: bool,
}

impl Openapi {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let document = self.document()?;
        let Some(path) = self.output else {
            printed(write!(io::stdout(), "{document}")).context("failed to print the document")?;
            return Ok(());
        };
        if !self.check {
            fs::write(&path, document)
                .with_context(|| format!("failed to write {}", path.display()))?;
            return Ok(());
        }
        let written = fs::read_to_string(&path)
            .with_context(|| format!("failed to read {}", path.display()))?;
        if written == document {
            return Ok(());
        }
        let name = path.display().to_string();
        let difference = difference(&written, &document);
        printed(write!(
            io::stdout(),
            "--- {name}
+++ the code
{difference}"
        ))
        .context("failed to print the difference")?;
        bail!("{name} is not up to date; without --check, this command writes it")
    }

    fn document(&self) -> anyhow::Result<String> {
        let document = match self.configured {
            true => server::document(&Config::read(&Environment::load()?)?)?,
            false => reference_document()?,
        };
        Ok(match self.yaml {
            true => serde_saphyr::to_string(&document)?,
            false => serde_json::to_string_pretty(&document)? + "\n",
        })
    }
}

/// The lines that differ, in the unified format.
fn difference(before: &str, after: &str) -> String {
    let lines = InternedInput::new(before, after);
    let mut difference = Diff::compute(Algorithm::Myers, &lines);
    difference.postprocess_lines(&lines);
    let printer = BasicLineDiffPrinter(&lines.interner);
    difference.unified_diff(&printer, UnifiedDiffConfig::default(), &lines).to_string()
}

/// The document with the ids of the development tenant. It does not depend on the environment, so
/// it is the same on every machine.
fn reference_document() -> serde_json::Result<Value> {
    let settings = DocumentSettings {
        server: "http://localhost:8000".to_owned(),
        authority: format!("http://localhost:8001/{}", ids::TENANT),
        app_id_uri: format!("api://{}", ids::API),
    };
    api::document(&settings)
}
