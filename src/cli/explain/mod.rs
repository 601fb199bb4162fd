//! `todo-api explain`: says what a token contains, what each rule of the validator says about it,
//! why it is refused, how to fix that, and which operations it allows.

mod advice;
mod diagnosis;
mod explanation;
mod input;
mod judge;
mod meanings;
mod operations;
mod text;
mod times;
mod unverified;

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use poem_entra::{Clock, SystemClock};

use crate::config::{self, Environment};

use self::{
    explanation::{Explainer, Explanation, Verdict},
    unverified::UnverifiedToken,
};
use super::{
    dev_tenant::{self, DevTenant},
    output::printed,
};

const EXAMPLES: &str = "\
Examples:
  todo-api token --as uma | todo-api explain
  todo-api explain eyJhbGciOi...
  todo-api explain 'curl -H \"Authorization: Bearer eyJhbGciOi...\" http://localhost:8000/todoitems'
  todo-api explain --operation deleteAllTodos - < token.txt
  todo-api explain --json - < token.txt

The settings are those of `serve`: the environment and .env. Without them, as in `make run`, they are
those of the development tenant. The token stays on this machine: only the keys of the authority are
fetched. An argument can be seen by other users of the machine and is kept in the history of the
shell, so prefer the standard input.

Exit codes: 0 accepted, 1 refused, 2 wrong usage or settings, 3 could not be judged (no keys).";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Explain {
    /// The token, its Authorization header, or a curl command with it [default: standard input]
    #[arg(value_name = "TOKEN or -")]
    input: Vec<OsString>,
    /// Explain only whether the token allows this operation, such as deleteAllTodos
    #[arg(long, value_name = "ID")]
    operation: Option<String>,
    /// Judge as the API of the development tenant, whatever .env says
    #[arg(long)]
    dev: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// The exit codes besides success.
const REFUSED: u8 = 1;
const WRONG_USAGE: u8 = 2;
const NOT_JUDGED: u8 = 3;

impl Explain {
    pub(super) fn run(self) -> ExitCode {
        match self.explain() {
            Ok(Verdict::Accepted) => ExitCode::SUCCESS,
            Ok(Verdict::Refused) => REFUSED.into(),
            Ok(Verdict::NotJudged) => NOT_JUDGED.into(),
            Err(Stop { code, error }) => {
                // If standard error cannot be written, the exit code is enough.
                let _ = writeln!(io::stderr(), "Error: {error:#}");
                code.into()
            }
        }
    }

    fn explain(&self) -> Result<Verdict, Stop> {
        let pasted = input::read(&self.input).map_err(Stop::usage)?;
        let operations = operations::select(self.operation.as_deref()).map_err(|ids| {
            Stop::usage(anyhow::anyhow!(
                "There is no such operation; choose one of: {}",
                ids.join(", ")
            ))
        })?;
        let environment = Environment::load().map_err(Stop::usage)?;
        let is_dev = self.dev || environment.is_unconfigured();
        let config = is_dev.then(|| dev_tenant::read_config(environment.clone())).transpose();
        let config = config.map_err(Stop::usage)?;
        let settings = match &config {
            Some(config) => config.entra.clone(),
            None => config::read_entra(&environment).map_err(Stop::settings)?,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let judgement = runtime.map_err(Stop::other)?.block_on(async {
            let tenant = match &config {
                Some(config) => DevTenant::start_if_stopped(config).await.map_err(Stop::usage)?,
                None => None,
            };
            let judgement = judge::judge(&settings, &pasted.headers).await.map_err(Stop::other);
            if let Some(tenant) = tenant {
                tenant.stop().await;
            }
            judgement
        })?;
        let token = UnverifiedToken::decode(&pasted.token);
        let now = SystemClock.now();
        let explainer = Explainer {
            settings: &settings,
            swagger_ui: config::swagger_ui_client_id(&environment),
            is_dev,
            ignores_settings: self.dev,
            token: &token,
            judgement: &judgement,
            now,
        };
        let explanation = explainer.explain(&operations, self.operation.is_some());
        printed(self.print(&explanation))
            .context("failed to print the explanation")
            .map_err(Stop::other)?;
        Ok(explanation.verdict)
    }

    fn print(&self, explanation: &Explanation) -> io::Result<()> {
        if self.json {
            let mut out = io::stdout().lock();
            serde_json::to_writer_pretty(&mut out, explanation)?;
            writeln!(out)
        } else {
            write!(anstream::stdout().lock(), "{explanation}")
        }
    }
}

/// Why a token could not be explained.
struct Stop {
    code: u8,
    error: anyhow::Error,
}

impl Stop {
    fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: WRONG_USAGE, error: error.into() }
    }

    fn settings(error: config::InvalidConfig) -> Self {
        Self::usage(anyhow::anyhow!(
            "{error}\n\nTo check the settings: todo-api doctor\nIf the token is from serve --dev: \
             todo-api explain --dev"
        ))
    }

    fn other(error: impl Into<anyhow::Error>) -> Self {
        Self { code: NOT_JUDGED, error: error.into() }
    }
}
