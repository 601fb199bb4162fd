//! `todo-api healthcheck`: asks the server on this machine whether it is ready. An image without a
//! shell and curl can use it for its health check.

use std::io::{self, Write};

use anyhow::{Context, bail};
use clap::Args;

use crate::{
    config::{self, Environment},
    listener,
};

use super::{output::printed, probe, progress::Progress};

const EXAMPLES: &str = "\
Examples:
  todo-api healthcheck           exits with 0 if the server has its keys and its database
  todo-api healthcheck --alive   exits with 0 if the server responds at all
  HEALTHCHECK CMD [\"todo-api\", \"healthcheck\"]   in a Dockerfile";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Healthcheck {
    /// Only check that the server is running, not that its keys and its database can be used
    #[arg(long)]
    alive: bool,
}

impl Healthcheck {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let server = config::read_server(&Environment::load()?)?;
        if server.port == 0 {
            bail!("PORT is 0, so the port of the server is not known");
        }
        let path = if self.alive { "/health" } else { "/health/ready" };
        let url = listener::url(&server.host, server.port, server.tls.as_ref()) + path;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let progress = Progress::start("asking the server");
        let asked = runtime.block_on(probe::get(&url));
        drop(progress);
        let (status, body) = asked.with_context(|| format!("no response from {url}"))?;
        let state = |name| Some(format!("{name}: {}", body.get(name)?.as_str()?));
        let parts: Vec<_> = ["code", "keys", "database"].into_iter().filter_map(state).collect();
        let is_alive = self.alive && status == 200 && body == "OK";
        if parts.is_empty() && !is_alive {
            bail!(
                "{url} responded with {status}, but not as this API does; does another program use \
                 the port? Set PORT to the port of the API"
            );
        }
        if status != 200 {
            bail!("{url} responded with {status} ({})", parts.join(", "));
        }
        let state = if self.alive { "alive" } else { "ready" };
        printed(writeln!(io::stdout(), "{state}")).context("failed to print the state")
    }
}
