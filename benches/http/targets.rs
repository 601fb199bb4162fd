//! What this server shall reach, mostly in relation to other rows of the same round.

use crate::{
    commits::Commits,
    rounds::Measured,
    stats::{Sample, Spread},
    subjects::Subject::{self, *},
};

/// A target, and what was measured.
pub(crate) struct Target {
    pub(crate) text: String,
    bound: Bound,
    /// `None` if it could not be measured.
    pub(crate) measured: Option<Spread>,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    fn at_least(bound: f64, text: impl Into<String>, measured: Option<Spread>) -> Self {
        Self { text: text.into(), bound: Bound::AtLeast(bound), measured }
    }

    fn at_most(bound: f64, text: impl Into<String>, measured: Option<Spread>) -> Self {
        Self { text: text.into(), bound: Bound::AtMost(bound), measured }
    }

    /// `≥ 0.7`.
    pub(crate) fn bound(&self) -> String {
        match self.bound {
            Bound::AtLeast(bound) => format!("≥ {bound}"),
            Bound::AtMost(bound) => format!("≤ {bound}"),
        }
    }

    /// Whether the median meets the target.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let median = self.measured?.median;
        Some(match self.bound {
            Bound::AtLeast(bound) => median >= bound,
            Bound::AtMost(bound) => median <= bound,
        })
    }
}

/// All targets, in the order of the report.
pub(crate) fn targets(measured: &Measured) -> Vec<Target> {
    let results = &measured.results;
    let rate = |subject, to| results.ratio(subject, to, |sample| Some(sample.rate));
    let mut targets = Vec::new();
    for (name, plain, logged) in [("list", List, ListLogged), ("get", Get, GetLogged)] {
        targets.extend([
            Target::at_least(0.7, format!("{name}: req/s ÷ bare poem"), rate(plain, Poem)),
            Target::at_least(1.6, format!("{name}: req/s ÷ actix-web"), rate(plain, Actix)),
            Target::at_least(15.0, format!("{name}: req/s ÷ FastAPI"), rate(plain, FastApi)),
            Target::at_most(
                0.55,
                format!("{name}: CPU ÷ actix-web"),
                results.ratio(plain, Actix, |sample| Some(sample.cpu)),
            ),
            Target::at_least(
                0.62,
                format!("{name}, with the log: req/s ÷ bare poem"),
                rate(logged, Poem),
            ),
            Target::at_most(
                1.5,
                format!("{name}, with the log: p99 ÷ bare poem"),
                results.ratio(logged, Poem, |sample| sample.p99),
            ),
            Target::at_least(
                0.88,
                format!("{name}: req/s with the log ÷ without"),
                rate(logged, plain),
            ),
        ]);
    }
    let cpu = |sample: &Sample| Some(sample.cpu);
    let once = |value| Spread::of(vec![value]);
    let most_memory = |subjects: &[Subject]| {
        let values = subjects.iter().filter_map(|subject| results.samples(*subject));
        Spread::of(values.flatten().filter_map(|sample| sample.memory).collect()).map(|all| all.max)
    };
    targets.extend([
        Target::at_least(
            0.85,
            "8,000 tokens in rotation: req/s ÷ one token",
            rate(ListManyTokens, ListScripted),
        ),
        Target::at_least(
            0.9,
            "1 % new tokens: req/s ÷ one token",
            rate(ListNewTokens, ListScripted),
        ),
        Target::at_most(
            1.1,
            "CPU of all workers ÷ one worker",
            results.ratio(List, ListOneWorker, cpu),
        ),
        Target::at_least(
            20_000.0,
            "create, durable: req/s (this or the next is enough)",
            results.spread(Create, |sample| Some(sample.rate)),
        ),
        Target::at_least(
            0.9,
            "create, durable: req/s ÷ rows per second in a loop without a server",
            against_commits(measured, Create, |sample, commits| Some(sample.rate / commits.rate)),
        ),
        Target::at_most(
            0.3,
            "create, one connection: p50 − one durable write, in ms",
            against_commits(measured, CreateAlone, |sample, commits| {
                Some(sample.p50? - commits.sync)
            }),
        ),
        Target::at_least(0.5, "PostgreSQL, list: req/s ÷ pgbench", rate(PgList, PgbenchList)),
        Target::at_least(0.5, "PostgreSQL, get: req/s ÷ pgbench", rate(PgGet, PgbenchGet)),
        Target::at_most(
            30.0,
            "memory under load, in MB",
            most_memory(&[List, ListLogged, Get, GetLogged, ListManyTokens]).and_then(once),
        ),
        Target::at_most(15.0, "memory when idle, in MB", Some(measured.idle_memory)),
        Target::at_most(50.0, "start until ready, in ms", Some(measured.start)),
        Target::at_most(15.0, "size of the program, in MB", once(measured.program_size)),
    ]);
    targets
}

/// A value from a row that creates todos and the commits without a server in the same round.
fn against_commits(
    measured: &Measured,
    subject: Subject,
    value: impl Fn(&Sample, &Commits) -> Option<f64>,
) -> Option<Spread> {
    let samples = measured.results.samples(subject)?.iter().zip(&measured.commits);
    Spread::of(samples.filter_map(|(sample, commits)| value(sample, commits)).collect())
}
