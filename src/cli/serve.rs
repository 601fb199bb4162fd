//! `todo-api serve`: serves the API. With `--dev` it also starts the development tenant.

use std::{
    io::{self, Write},
    sync::Arc,
    thread,
};

use anyhow::{Context, bail};
use clap::Args;
use poem_entra::SystemClock;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sd_notify::NotifyState;
use tokio::task;

use crate::{
    config::{Config, Environment, ServerConfig},
    listener::{Listener, Stop},
    server::Server,
    telemetry,
    tls::Tls,
    workers::Workers,
};

use super::{
    dev_tenant::{self, DevTenant},
    signals::{Hangup, Hangups, StopSignals},
};

const EXAMPLES: &str = "\
Examples:
  todo-api serve              with the settings in the environment and .env
  todo-api serve --dev        with the development tenant, without any settings
  PORT=9000 todo-api serve --dev";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// Also start a development tenant, where anybody can sign in: needs no Azure account and no
    /// settings
    #[arg(long)]
    dev: bool,
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let environment = Environment::load()?;
        let mut config = if self.dev {
            dev_tenant::read_config(environment)?
        } else {
            match Config::read(&environment) {
                Ok(config) => config,
                Err(error) => bail!(
                    "{error}\n\n.env.sample explains each setting, todo-api register sets the required \
                     ones, and todo-api doctor says what to fix. To try the API without an Azure \
                     account: todo-api serve --dev"
                ),
            }
        };
        let _log = telemetry::start(&config.log)?;
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        limit_to_files(&mut config.server);
        // The requests to the API have their own threads.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let served = runtime.block_on(self.serve(config));
        // After a second signal, nothing may delay the end.
        runtime.shutdown_background();
        served
    }

    async fn serve(&self, config: Config) -> anyhow::Result<()> {
        let mut signals = StopSignals::new()?;
        let hangups = Hangups::new()?;
        let tls = config.server.tls.clone();
        let drain_timeout = config.server.drain_timeout.as_secs();
        let (server, tenant) = tokio::select! {
            started = self.start(config) => started?,
            // Starting can take a long time if another server is migrating the schema.
            _ = signals.next() => return Ok(()),
        };
        notify_systemd(&[NotifyState::Ready]);
        let stop = async move {
            let stop = tokio::select! {
                stop = signals.next() => stop,
                stop = reload_until_terminal_closes(hangups, tls) => stop,
            };
            tracing::info!(
                "stopping: requests in progress have up to {drain_timeout} s to complete"
            );
            notify_systemd(&[NotifyState::Stopping]);
            let second_signal = async move {
                signals.discard_copies().await;
                tracing::info!("another SIGINT (Ctrl-C) or SIGTERM ends the server at once");
                signals.next().await;
            };
            (stop, second_signal)
        };
        server.run(stop).await;
        if let Some(tenant) = tenant {
            tenant.stop().await;
        }
        Ok(())
    }

    async fn start(&self, mut config: Config) -> anyhow::Result<(Server, Option<DevTenant>)> {
        let address = format!("{}:{}", config.server.host, config.server.port);
        let listener = Listener::bind(&config.server.host, config.server.port)
            .await
            .with_context(|| format!("failed to listen on {address}"))?
            .with_tls(config.server.tls.clone());
        let tenant = match self.dev {
            true => Some(DevTenant::start(&mut config, &listener).await?),
            false => None,
        };
        let workers = Workers::start(config.server.worker_threads)
            .context("failed to start the threads that serve requests")?;
        let server = Server::new(&config, listener, workers, Arc::new(SystemClock)).await?;
        let url = server.url();
        match &tenant {
            Some(tenant) => print(io::stdout(), tenant.welcome(&url)),
            None => print(io::stderr(), format!("Todo API: {url}   docs: {url}/docs\n")),
        }
        Ok((server, tenant))
    }
}

/// Reads the certificate again on each SIGHUP. Completes when the terminal was closed, so that no
/// server stays behind that nobody can see.
async fn reload_until_terminal_closes(mut hangups: Hangups, tls: Option<Tls>) -> Stop {
    while let Hangup::Reload = hangups.next().await {
        // systemd waits for the end of a reload that began with these two messages.
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            notify_systemd(&[NotifyState::Reloading, now]);
        }
        reload(tls.clone()).await;
        notify_systemd(&[NotifyState::Ready]);
    }
    Stop::AtOnce
}

async fn reload(tls: Option<Tls>) {
    let Some(tls) = tls else {
        tracing::info!("SIGHUP has no effect, because no certificate is set (TLS_CERT)");
        return;
    };
    match task::spawn_blocking(move || tls.reload()).await {
        Ok(Ok(())) => tracing::info!("the certificate was reloaded"),
        Ok(Err(error)) => {
            tracing::error!(%error, "failed to reload the certificate; the previous one stays in use")
        }
        Err(error) => tracing::error!(%error, "failed to reload the certificate"),
    }
}

/// Tells systemd, if it runs this server as a service of the type `notify` or `notify-reload`
/// ([sd_notify](https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html)).
fn notify_systemd(state: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "failed to notify systemd");
    }
}

/// The number of file descriptors that are not for connections of callers: of the databases, of the
/// listeners, and of requests to the authority.
const OTHER_FILES: usize = 128;
/// The same for each thread that serves requests: of its runtime, and of its connection to SQLite.
const FILES_OF_WORKER: usize = 6;

/// Raises the number of files that this process may open to what the system allows, and lowers the
/// number of connections if that is not enough. Without a file descriptor, a connection could not
/// even be accepted to take the place of another one.
fn limit_to_files(config: &mut ServerConfig) {
    let limit = getrlimit(Resource::Nofile);
    // If the limit cannot be raised, it stays as it is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let files = getrlimit(Resource::Nofile).current;
    let files = files.map_or(usize::MAX, |files| files.try_into().unwrap_or(usize::MAX));
    let others = OTHER_FILES + FILES_OF_WORKER * config.worker_threads.get();
    let possible = files.saturating_sub(others).max(1);
    let wanted = config.max_connections;
    if wanted > possible {
        tracing::warn!(
            "MAX_CONNECTIONS is {wanted}, but the system allows only {files} open files: raise the \
             limit (ulimit -n, LimitNOFILE), or expect {possible} connections"
        );
        config.max_connections = possible;
    }
}

/// Prints without waiting. The reader may be blocked or the disk full, but the server runs anyway.
fn print(mut out: impl Write + Send + 'static, text: String) {
    let failed = |error: io::Error| tracing::warn!(%error, "failed to print the URL of the API");
    let printing = thread::Builder::new().spawn(move || {
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).unwrap_or_else(failed)
    });
    if let Err(error) = printing {
        failed(error);
    }
}
