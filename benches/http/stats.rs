//! Measured values, and their median and spread.

use std::{collections::HashMap, fmt, time::Duration};

use super::subjects::Subject;

/// One measurement of a subject.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Milliseconds; unknown for pgbench.
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    /// CPU time of the server for a request, in microseconds.
    pub(crate) cpu: f64,
    /// The same for its database server.
    pub(crate) database_cpu: Option<f64>,
    /// Memory of the server at the end, in MB; unknown for PostgreSQL, whose processes share most of
    /// theirs.
    pub(crate) memory: Option<f64>,
    /// Changes in a commit; known only for SQLite.
    pub(crate) batch: Option<f64>,
}

/// The measurements of all rounds.
#[derive(Default)]
pub(crate) struct Results(HashMap<Subject, Vec<Sample>>);

impl Results {
    pub(crate) fn add(&mut self, subject: Subject, sample: Sample) {
        self.0.entry(subject).or_default().push(sample);
    }

    pub(crate) fn samples(&self, subject: Subject) -> Option<&[Sample]> {
        self.0.get(&subject).map(Vec::as_slice)
    }

    /// The values of a subject in all rounds.
    pub(crate) fn spread(
        &self,
        subject: Subject,
        value: impl Fn(&Sample) -> Option<f64>,
    ) -> Option<Spread> {
        Spread::of(self.samples(subject)?.iter().filter_map(value).collect())
    }

    /// The ratio of one subject's value to another's, computed within each round.
    pub(crate) fn ratio(
        &self,
        subject: Subject,
        to: Subject,
        value: impl Fn(&Sample) -> Option<f64>,
    ) -> Option<Spread> {
        let pairs = self.samples(subject)?.iter().zip(self.samples(to)?);
        Spread::of(pairs.filter_map(|(own, other)| Some(value(own)? / value(other)?)).collect())
    }
}

/// The median of several values, with the smallest and the largest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` without values.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            1 => values[middle],
            _ => (values[middle - 1] + values[middle]) / 2.0,
        };
        Some(Self { median, min, max })
    }
}

impl fmt::Display for Spread {
    /// `0.71 (0.70–0.73)`. The precision is that of the smallest value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, min, max] = [self.median, self.min, self.max].map(number);
        write!(f, "{median} ({min}–{max})")
    }
}

/// A number with about three significant digits, and with commas between thousands.
pub(crate) fn number(value: f64) -> String {
    let decimals = match value.abs() {
        value if value < 10.0 => 2,
        value if value < 100.0 => 1,
        value if value < 1_000.0 => 0,
        _ => return thousands(&format!("{:.0}", (value / 10.0).round() * 10.0)),
    };
    format!("{value:.decimals$}")
}

/// A whole number with commas between thousands.
pub(crate) fn whole(value: u32) -> String {
    thousands(&value.to_string())
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
