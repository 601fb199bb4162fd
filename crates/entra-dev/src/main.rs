//! The program `entra-dev`: a development tenant as a process.

use std::{
    io::{self, IsTerminal, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::PathBuf,
    process::ExitCode,
    str::FromStr,
};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use entra_dev::{DevTenant, Directory, Options, Scheme};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A development tenant that speaks Microsoft Entra ID's protocol on loopback.
///
/// FOR DEVELOPMENT ONLY: anybody who can reach it can sign in as anybody.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// A TOML or JSON file with the tenants, people and apps [default: the built-in ones]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The port for HTTP; 0 means any free port
    #[arg(long, default_value_t = 8001)]
    port: u16,

    /// The port for HTTPS, which MSAL requires; 0 means any free port
    #[arg(long, default_value_t = 8443)]
    https_port: u16,

    /// A loopback name or address. Others are refused: both loopback addresses are always bound,
    /// and no other
    #[arg(long, default_value = "localhost")]
    host: Loopback,

    /// The listener whose URL is the issuer of access tokens for APIs without a `token_issuer`
    #[arg(long, value_enum, default_value = "http")]
    access_token_issuer: Issuer,

    /// The folder for the keys and the certificate authority
    #[arg(long, value_name = "FOLDER", default_value = "data/dev-tenant")]
    data: PathBuf,

    /// Print the built-in tenants, people and apps as a file to start from, and exit
    #[arg(long, exclusive = true)]
    example: bool,

    /// Check the file, print its faults, and exit
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Issuer {
    Http,
    Https,
}

/// A host that only this machine can reach.
#[derive(Debug, Clone)]
struct Loopback;

impl FromStr for Loopback {
    type Err = &'static str;

    fn from_str(host: &str) -> Result<Self, Self::Err> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let bound = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let loopback = host.parse().is_ok_and(|address: IpAddr| bound.contains(&address));
        if loopback || host.eq_ignore_ascii_case("localhost") {
            Ok(Self)
        } else {
            Err("anybody who can reach this server can sign in as anybody, so it only binds \
                 127.0.0.1 and ::1")
        }
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If this cannot be written, the exit code still reports the failure.
            let _ = writeln!(io::stderr(), "Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.example {
        return write!(io::stdout(), "{}", Directory::EXAMPLE).context("failed to print the file");
    }
    let directory = match &arguments.config {
        Some(file) => Directory::read(file)?,
        None => Directory::default(),
    };
    if arguments.check {
        for warning in directory.warnings() {
            writeln!(io::stdout(), "warning: {warning}").context("failed to print a warning")?;
        }
        return writeln!(io::stdout(), "{} people; no faults found", directory.people().len())
            .context("failed to print the result");
    }
    // poem logs every listener, but the welcome text already lists them.
    let default_filter = || EnvFilter::new("info,poem::listener=warn,poem::server=warn");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| default_filter());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // Otherwise it would panic if the log cannot be written.
        .log_internal_errors(false);
    // On a terminal, the subscriber respects NO_COLOR.
    if io::stderr().is_terminal() {
        log.init()
    } else {
        log.with_ansi(false).init()
    }
    let Loopback = arguments.host;
    let options = Options {
        port: arguments.port,
        https_port: Some(arguments.https_port),
        access_token_issuer: match arguments.access_token_issuer {
            Issuer::Http => Scheme::Http,
            Issuer::Https => Scheme::Https,
        },
        data_dir: Some(arguments.data),
        directory,
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(options))
}

async fn serve(options: Options) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let tenant = DevTenant::start_with(options).await.context("failed to start")?;
    // The reader may be gone or the disk full. The tenant serves anyway.
    if let Err(error) = print_welcome(&tenant) {
        tracing::warn!(%error, "failed to print the URLs of the tenant");
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tenant.stop().await;
    Ok(())
}

fn print_welcome(tenant: &DevTenant) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\n  People, apps, activity     {}/_dev", tenant.base_url())?;
    writeln!(out, "  HTTP                       {}", tenant.base_url())?;
    if let (Some(url), Some(ca)) = (tenant.https_url(), tenant.ca_file()) {
        writeln!(out, "  HTTPS                      {url}")?;
        writeln!(out, "  CA certificate to trust    {}", ca.display())?;
    }
    writeln!(out, "\n  FOR DEVELOPMENT ONLY: anybody who can reach it can sign in as anybody.\n")
}
