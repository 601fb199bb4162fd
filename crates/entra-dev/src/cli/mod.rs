//! The program `entra-dev`.

mod arguments;
mod log;
mod stdin;

use std::{
    fmt::Write as _,
    io::{self, Write},
    thread,
};

use anyhow::Context;
use entra_dev::{DevTenant, Directory, Options, check_health, setup};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use arguments::Arguments;
use arguments::Command;

pub(crate) fn run(mut arguments: Arguments) -> anyhow::Result<()> {
    if let Some(Command::Healthcheck { port }) = arguments.command {
        return Ok(check_health(port)?);
    }
    if arguments.example {
        return print(Directory::EXAMPLE);
    }
    let directory = arguments.directory()?;
    if arguments.check {
        let warnings = directory.warnings();
        let mut text: String = warnings.map(|warning| format!("warning: {warning}\n")).collect();
        let people = match directory.people().len() {
            1 => "1 person".to_owned(),
            count => format!("{count} people"),
        };
        writeln!(text, "{people}; no faults found")?;
        return print(&text);
    }
    if let Some(language) = arguments.language {
        let app = arguments.app.take();
        return print(&setup(&arguments.options(directory), language, app.as_deref())?);
    }
    let _log = log::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let until_stdin_closes = arguments.until_stdin_closes;
    let served = runtime.block_on(serve(arguments.options(directory), until_stdin_closes));
    // A fault that delays a response must not delay the end.
    runtime.shutdown_background();
    served
}

async fn serve(options: Options, until_stdin_closes: bool) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stdin_closes = stdin::end(until_stdin_closes)?;
    let tenant = DevTenant::start_with(options).await.context("failed to start")?;
    let text = welcome(&tenant)?;
    // The reader may be gone or blocked, or the disk full. The tenant serves anyway.
    thread::Builder::new().spawn(move || {
        if let Err(error) = print(&text) {
            tracing::warn!(%error, "failed to print the URLs of the tenant");
        }
    })?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = stdin_closes => tracing::info!("standard input has ended, so the tenant stops"),
    }
    tenant.stop().await;
    Ok(())
}

/// The URLs of the tenant, and who can reach it.
fn welcome(tenant: &DevTenant) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(text, "\n  People, apps, activity     {}/_dev", tenant.base_url())?;
    writeln!(text, "  HTTP                       {}", tenant.base_url())?;
    if let Some(url) = tenant.https_url() {
        writeln!(text, "  HTTPS                      {url}")?;
        match tenant.ca_file() {
            Some(ca) => writeln!(text, "  CA certificate to trust    {}", ca.display())?,
            None => writeln!(text, "  CA certificate to trust    {}/ca.pem", tenant.base_url())?,
        }
    }
    if let Some(notice) = tenant.notice() {
        writeln!(text, "\n  {notice}")?;
    }
    writeln!(text, "\n  FOR DEVELOPMENT ONLY: anybody who can reach it can sign in as anybody.\n")?;
    Ok(text)
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("failed to print")
}
