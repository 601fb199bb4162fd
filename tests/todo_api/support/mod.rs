//! The harness: a real server and a real development tenant, the tools that tests need besides
//! Rust, and helpers to send requests and to check responses.

mod answer;
mod app;
mod attack;
mod certificates;
mod clock;
mod compose;
mod container;
mod crash_load;
mod database;
mod document;
mod elsewhere;
mod entra_clients;
mod failures;
mod faulty_authority;
mod foreign_issuer;
mod gateway;
pub(crate) mod graph;
mod image;
pub(crate) mod judges;
mod kept;
mod limits;
mod locks;
mod manual;
mod ports;
mod postgres;
mod program;
mod proxy;
mod readiness;
mod retry_load;
mod sign_in;
mod slow_disk;
mod standalone_api;
mod tenant_process;
mod tools;

pub(crate) use self::{
    answer::Answer,
    app::{App, config},
    attack::{Attacker, Target},
    certificates::{Authority, TlsFiles},
    clock::TestClock,
    compose::Service,
    container::{Container, Mount, Network, Setup},
    crash_load::{CrashLoad, read_todos},
    database::{Database, on_both, sqlite_migrations},
    document::{Operation, assert_valid, operations, validator, visit},
    elsewhere::Elsewhere,
    entra_clients::{Column, client_command, run_client},
    failures::{FailingApps, Failure},
    faulty_authority::{Fault, FaultyAuthority},
    foreign_issuer::{ForeignIssuer, SignedIn},
    gateway::{Document, gateway},
    image::Image,
    kept::Kept,
    limits::GIVE_UP_AFTER,
    locks::{MigrationLock, TodosLock, Transaction},
    manual::leads_somewhere,
    ports::free_ports,
    postgres::Postgres,
    program::{Launch, Program, send_signal},
    proxy::Proxy,
    readiness::wait_until,
    retry_load::RetryLoad,
    sign_in::{sign_in, tenant_folder},
    slow_disk::SlowDisk,
    standalone_api::StandaloneApi,
    tenant_process::{EntraDev, cargo},
    tools::{Tool, environment, require, test_name},
};

use std::{
    path::Path,
    process::{Command, Output},
};

use reqwest::{Client, redirect};
use tokio::sync::{Semaphore, SemaphorePermit};

/// A client that follows no redirects and uses no proxy.
pub(crate) fn client() -> Client {
    Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap()
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Waits until no other test runs a browser. While a test holds the permit, no other one starts a
/// browser: each has several processes, and they would make each other slow.
pub(crate) async fn only_browser() -> SemaphorePermit<'static> {
    static BROWSER: Semaphore = Semaphore::const_new(1);
    BROWSER.acquire().await.unwrap()
}

/// Runs a command that uses a browser, and waits until it ends.
pub(crate) async fn run_browser(command: Command) -> Output {
    let _browser = only_browser().await;
    run(command).await
}

/// Runs a command to its end, while the servers of the test keep running.
pub(crate) async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}
