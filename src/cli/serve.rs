//! `todo-api serve`: the API, with `--dev` together with the development tenant.

use std::{
    io::{self, Write},
    pin::pin,
    sync::Arc,
    thread,
};

use anyhow::{Context, bail};
use clap::Args;
use entra_dev::DevTenant;
use poem_entra::SystemClock;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    config::{Config, Environment},
    listener::Listener,
    server::Server,
    telemetry,
};

#[derive(Debug, Args)]
pub(super) struct Serve {
    /// Bring a development tenant along, which signs anybody in: no Azure account, no settings
    #[arg(long)]
    dev: bool,
}

impl Serve {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let environment = Environment::load()?;
        let config = if self.dev {
            Config::read_dev(environment)?
        } else {
            match Config::read(&environment) {
                Ok(config) => config,
                Err(error) => bail!(
                    "{error}\n\n.env.sample explains each setting. To try the API without an \
                     Azure account: todo-api serve --dev"
                ),
            }
        };
        let _log = telemetry::start(&config.log)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.serve(config))
    }

    async fn serve(&self, config: Config) -> anyhow::Result<()> {
        let mut stop = pin!(stop_signal()?);
        let (server, tenant) = tokio::select! {
            started = self.start(config) => started?,
            // A start may wait for another server's.
            () = &mut stop => return Ok(()),
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
            .with_context(|| format!("failed to listen on {address}"))?;
        let tenant = match self.dev {
            true => Some(start_tenant(&mut config, &listener).await?),
            false => None,
        };
        let server = Server::new(&config, listener, Arc::new(SystemClock)).await?;
        let url = server.url();
        match &tenant {
            Some(tenant) => print(io::stdout(), dev_welcome(&url, tenant)),
            None => print(io::stderr(), format!("Todo API: {url}   docs: {url}/docs\n")),
        }
        Ok((server, tenant))
    }
}

/// The tenant signs people in for the docs page of this very server, on whatever port it has.
async fn start_tenant(config: &mut Config, listener: &Listener) -> anyhow::Result<DevTenant> {
    let urls = [listener.url()].into_iter().chain(config.server.public_url.clone());
    let options = entra_dev::Options {
        port: config.dev_tenant.port,
        https_port: Some(config.dev_tenant.https_port),
        spa_redirect_uris: urls.map(|url| format!("{url}/oauth2-redirect")).collect(),
        ..entra_dev::Options::default()
    };
    let tenant =
        DevTenant::start_with(options).await.context("failed to start the development tenant")?;
    config.entra.instance = tenant.base_url().to_owned();
    Ok(tenant)
}

/// SIGINT and SIGTERM; the handlers stand before anything else starts.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
    })
}

/// Nobody may be reading, or the disk be full: no reason to wait, or not to serve.
fn print(mut out: impl Write + Send + 'static, text: String) {
    let failed = |error: io::Error| tracing::warn!(%error, "failed to print where the API is");
    let printing = thread::Builder::new().spawn(move || {
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).unwrap_or_else(failed)
    });
    if let Err(error) = printing {
        failed(error);
    }
}

fn dev_welcome(url: &str, tenant: &DevTenant) -> String {
    let mut text = format!(
        "
  Todo API                 {url}/docs
  Development tenant       {0}/_dev
  The same for MSAL        {1}   (trust {2})

  FOR DEVELOPMENT ONLY: whoever reaches this machine's loopback address signs in as anybody.

  Who can sign in          tenant {3}
",
        tenant.base_url(),
        tenant.https_url().unwrap_or_default(),
        tenant.ca_file().unwrap_or(std::path::Path::new("")).display(),
        entra_dev::ids::CONTOSO,
    );
    for person in tenant.people().iter().filter(|p| p.tenant == entra_dev::ids::CONTOSO) {
        let roles = match person.roles(entra_dev::ids::API_CLIENT_ID) {
            [] => "no role".to_owned(),
            roles => roles.join(", "),
        };
        let guest = if person.guest { ", guest" } else { "" };
        text +=
            &format!("    {:<22} {} ({roles}{guest})\n", person.sign_in_name, person.display_name);
    }
    text += &format!(
        "
  API client id            {}
  Swagger UI client id     {}

  Try                      make token AS=uma
  Stop                     Ctrl+C

",
        entra_dev::ids::API_CLIENT_ID,
        entra_dev::ids::SWAGGER_UI_CLIENT_ID,
    );
    text
}
