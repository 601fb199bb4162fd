//! `todo-api doctor`: checks the settings, the authority, the database and the address, and says
//! what to fix. It changes nothing, and it uses the code of `serve`, so it finds what `serve`
//! would.

mod authority;
mod local;
mod report;
mod settings;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;

use crate::config::{self, Config, Environment, InvalidConfig, dev_tenant::ids};

use self::report::{Report, Status};
use super::{
    dev_tenant::{self, DevTenant},
    output::printed,
    probe,
    progress::Progress,
};

const EXAMPLES: &str = "\
Examples:
  todo-api doctor                 check the settings in the environment and .env
  todo-api doctor --dev           check what serve --dev needs
  todo-api doctor --json | jq '.checks[] | select(.status != \"ok\")'

Exit code: 0 if no check is FAIL, otherwise 1; 2 for wrong usage.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Doctor {
    /// Check the settings for serve --dev. If no development tenant is running, one is started for
    /// the time of the checks
    #[arg(long)]
    dev: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let progress = Progress::start("checking");
        let report = runtime.block_on(self.examine())?;
        drop(progress);
        let written = match self.json {
            true => writeln!(io::stdout(), "{:#}", report.json()),
            // This stream removes the styles unless it is a terminal.
            false => write!(anstream::stdout(), "{}", report.text(self.dev)),
        };
        printed(written).context("failed to print the report")?;
        Ok(ExitCode::from(u8::from(report.status() == Status::Fail)))
    }

    async fn examine(&self) -> anyhow::Result<Report> {
        let mut report = Report::default();
        let environment = match Environment::load() {
            Ok(environment) => environment,
            Err(faults) => {
                settings::report_faults(&mut report, &faults, self.dev);
                return Ok(report);
            }
        };
        let config = match self.dev {
            // A program without the development tenant has no such settings.
            true => dev_tenant::read_config(environment.clone()),
            false => Config::read(&environment).map_err(Into::into),
        };
        let mut config = match config {
            Ok(config) => config,
            Err(error) => {
                let faults = error.downcast::<InvalidConfig>()?;
                settings::report_faults(&mut report, &faults, self.dev);
                // These checks need only their own settings.
                if let Ok(database) = config::read_database(&environment) {
                    local::check_database(&mut report, &database).await;
                }
                if let Ok(server) = config::read_server(&environment) {
                    local::check_port(&mut report, &server).await;
                }
                return Ok(report);
            }
        };
        settings::report_warnings(&mut report, &config, self.dev);
        match self.dev {
            true => check_dev_tenant(&mut report, &mut config).await,
            false => authority::check(&mut report, &config).await,
        }
        local::check_database(&mut report, &config.database).await;
        local::check_port(&mut report, &config.server).await;
        local::check_public_url(&mut report, &config);
        Ok(report)
    }
}

/// Checks the development tenant. If none is running, one is started as `serve --dev` would, but
/// with its keys in memory.
async fn check_dev_tenant(report: &mut Report, config: &mut Config) {
    let (name, port) = ("dev_tenant", config.dev_tenant.port);
    match DevTenant::start_in_memory(config).await {
        Ok(tenant) => {
            report.ok(name, "none is running; one was started in memory for these checks");
            authority::check(report, config).await;
            tenant.stop().await;
        }
        // The error says that the port is in use.
        Err(_) if is_tenant(port).await => {
            report.ok(name, format!("one is running at http://localhost:{port}"));
            authority::check(report, config).await;
        }
        Err(error) => {
            let fix = "If a port is in use, stop the other program, or set DEV_TENANT_PORT and \
                       DEV_TENANT_HTTPS_PORT to free ports. Otherwise correct what the text names.";
            let page = "TROUBLESHOOTING.md#the-server-does-not-start";
            report.fault(Status::Fail, name, format!("{error:#}"), fix, page);
        }
    }
}

/// Whether a development tenant listens on this port.
async fn is_tenant(port: u16) -> bool {
    let tenant = ids::TENANT;
    let url = format!("http://localhost:{port}/{tenant}/v2.0/.well-known/openid-configuration");
    let answer = probe::get(&url).await;
    answer.is_ok_and(|(_, body)| body["issuer"].as_str().is_some_and(|it| it.contains(tenant)))
}
