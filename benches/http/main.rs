//! Measures requests, with wrk as the load generator. The modes, and their make targets:
//!
//! - `compare`, `make bench`: this server, other servers and PostgreSQL; writes
//!   docs/benchmarks/latest.md
//! - `own`, `make bench-http`: only this server; writes nothing
//! - `curve`, `make bench-curve`: how the speed depends on connections, tokens and rows; writes
//!   docs/benchmarks/curve.md
//!
//! The harness itself need not be fast, so it may be a debug build. It builds the servers in release
//! mode. Read `subjects.rs` first, which lists what `compare` measures.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot continue has failed")]
#![allow(clippy::disallowed_methods, reason = "this measures real time on a real machine")]

mod commits;
mod curve;
mod fixture;
mod load;
mod machine;
mod plot;
mod postgres;
mod process;
mod programs;
mod report;
mod rounds;
mod servers;
mod stats;
mod subjects;
mod targets;
mod tenant;

#[path = "../../tests/todo_api/support"]
#[allow(dead_code, unused_imports, unused_macros, reason = "the tests use all of it")]
mod support {
    mod database;
    mod limits;
    mod ports;
    mod postgres;
    mod tools;

    pub(crate) use self::{
        database::Database,
        limits::GIVE_UP_AFTER,
        ports::free_ports,
        postgres::Postgres,
        tools::{Tool, require},
    };
}

use std::{env, process::ExitCode, time::Duration};

use subjects::Subject;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = env::args().skip(1).filter(|argument| argument != "--bench");
    let mode = arguments.next();
    let mut number = || arguments.next().map(|number| number.parse::<u32>().unwrap());
    let (rounds, seconds) = (number(), number());
    let options = |default_rounds, default_seconds| Options {
        rounds: rounds.unwrap_or(default_rounds) as usize,
        time: Duration::from_secs(seconds.unwrap_or(default_seconds).into()),
    };
    if !load::has_wrk() {
        eprintln!("The load generator wrk is missing. On Debian or Ubuntu: apt-get install wrk");
        return ExitCode::FAILURE;
    }
    match mode.as_deref() {
        Some("compare") => {
            let options = options(5, 3);
            let measured = rounds::run(&options, Subject::ALL).await;
            report::write(&options, &measured);
        }
        Some("own") => report::print(&rounds::run(&options(3, 3), Subject::OWN).await),
        Some("curve") => curve::run(&options(3, 3)).await,
        _ => {
            eprintln!("usage: http compare|own|curve [ROUNDS [SECONDS]]");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// How long to measure.
struct Options {
    rounds: usize,
    /// The time of each measurement.
    time: Duration,
}
