//! `todo-api openapi`: the document as a file, and whether the file is still true.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, bail};
use clap::Args;
use similar::TextDiff;

use crate::api::{self, document::DocumentSettings};

#[derive(Debug, Args)]
pub(super) struct Openapi {
    /// The file; standard output when not given
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write nothing; exit with 1 and show the difference when the file is not up to date
    #[arg(long, requires = "output")]
    check: bool,
}

impl Openapi {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let document = development_document()?;
        let Some(path) = self.output else {
            write!(io::stdout(), "{document}").context("failed to print the document")?;
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
        let difference = TextDiff::from_lines(&written, &document);
        write!(io::stdout(), "{}", difference.unified_diff().header(&name, "the code"))
            .context("failed to print the difference")?;
        bail!("{name} is not what the code says; `make openapi` writes it anew")
    }
}

/// The document for the development tenant, whatever the environment says, so that the file is the
/// same on every machine.
fn development_document() -> anyhow::Result<String> {
    let settings = DocumentSettings {
        authority: format!("http://localhost:8001/{}", entra_dev::ids::CONTOSO),
        app_id_uri: format!("api://{}", entra_dev::ids::API_CLIENT_ID),
    };
    let document = api::document(&settings)?;
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}
