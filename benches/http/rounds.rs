//! The measurements of all rounds.

use std::{
    io::{self, Write},
    process,
    time::{Duration, Instant},
};

use crate::{
    Options,
    commits::Commits,
    fixture::Fixture,
    process::{Usage, machine_cpu},
    servers,
    stats::{Results, Spread, number},
    subjects::Subject,
};

/// What was measured.
pub(crate) struct Measured {
    pub(crate) results: Results,
    /// Milliseconds from the start of the program until it is ready.
    pub(crate) start: Spread,
    /// Memory of the idle program, in MB.
    pub(crate) idle_memory: Spread,
    /// Size of the program, in MB.
    pub(crate) program_size: f64,
    /// The processors that other programs used during the measurements.
    pub(crate) others: Spread,
    /// What the commits of [`Subject::Create`] cost without a server, in each round.
    pub(crate) commits: Vec<Commits>,
}

/// Measures the subjects in turn. Every round starts with another subject.
pub(crate) async fn run(options: &Options, subjects: &[Subject]) -> Measured {
    let fixture = Fixture::start(subjects).await;
    let subjects: Vec<_> =
        subjects.iter().copied().filter(|subject| fixture.has(*subject)).collect();
    let (times, memory) = servers::starts(&fixture.program, &fixture.tenant).await;
    println!("warming up");
    for subject in &subjects {
        fixture.measure(*subject, Duration::from_secs(1));
    }
    let (mut results, mut others, mut commits) = (Results::default(), Vec::new(), Vec::new());
    for round in 0..options.rounds {
        println!("round {} of {}", round + 1, options.rounds);
        let first = round * subjects.len() / options.rounds;
        for subject in subjects.iter().cycle().skip(first).take(subjects.len()) {
            let watch = Watch::start();
            let sample = fixture.measure(*subject, options.time);
            others.push(watch.stop());
            if *subject == Subject::Create {
                commits.extend(fixture.measure_commits(&sample, options.time));
            }
            println!(
                "  {:<58} {:>8} req/s {:>6} µs CPU",
                subject.full_name(),
                number(sample.rate),
                number(sample.cpu)
            );
            io::stdout().flush().unwrap();
            results.add(*subject, sample);
        }
    }
    Measured {
        results,
        start: Spread::of(times).unwrap(),
        idle_memory: Spread::of(memory).unwrap(),
        program_size: std::fs::metadata(&fixture.program).unwrap().len() as f64 / 1e6,
        others: Spread::of(others).unwrap(),
        commits,
    }
}

/// Watches how busy other programs keep the machine.
struct Watch {
    started_at: Instant,
    machine: Duration,
    own: Duration,
}

impl Watch {
    fn start() -> Self {
        let own = Usage::of(process::id()).cpu;
        Self { started_at: Instant::now(), machine: machine_cpu(), own }
    }

    /// The processors that other programs have used.
    fn stop(self) -> f64 {
        let machine = machine_cpu() - self.machine;
        let own = Usage::of(process::id()).cpu - self.own;
        machine.saturating_sub(own).as_secs_f64() / self.started_at.elapsed().as_secs_f64()
    }
}
