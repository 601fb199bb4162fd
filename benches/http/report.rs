//! The report of `make bench`.

use std::{fmt::Write, fs, path::PathBuf};

use crate::{
    Options, commits,
    fixture::{CONNECTIONS, DATABASE_CONNECTIONS},
    machine,
    plot::bars,
    programs::root,
    rounds::Measured,
    stats::{Results, Sample, Spread, number},
    subjects::{
        Section,
        Subject::{self, *},
    },
    targets::targets,
};

/// Writes `latest.md` and `latest.svg`.
pub(crate) fn write(options: &Options, measured: &Measured) {
    let folder = folder();
    fs::write(folder.join("latest.md"), text(options, measured)).unwrap();
    fs::write(folder.join("latest.svg"), plot(&measured.results)).unwrap();
    println!("wrote docs/benchmarks/latest.md and latest.svg");
}

/// The folder of the reports.
pub(crate) fn folder() -> PathBuf {
    let folder = root().join("docs/benchmarks");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn text(options: &Options, measured: &Measured) -> String {
    let mut text = String::from("# Benchmark\n\n");
    let Options { rounds, time } = options;
    let command = format!("make bench ROUNDS={rounds} SECONDS={}", time.as_secs());
    writeln!(
        text,
        "`{command}` wrote this page. Compare ratios, not absolute numbers: the load generator and \
         the servers share the processor, so numbers of different machines, or of different runs, \
         cannot be compared.\n"
    )
    .unwrap();
    text += &machine_table();
    writeln!(text, "| other servers | {} |", machine::versions()).unwrap();
    let others = measured.others;
    write!(text, "| processors that other programs used meanwhile | {others} |\n\n").unwrap();
    text += "![Requests per second in relation to bare poem](latest.svg)\n\n";
    text += &method(options);
    text += "\n## Results\n\n";
    text += &results_table(&measured.results);
    text += "\n## Targets\n\n";
    text += &targets_table(measured);
    text += &commits_table(measured);
    text
}

/// A table of the facts about the machine, without its end.
pub(crate) fn machine_table() -> String {
    let mut text = String::from("| machine | |\n| --- | --- |\n");
    for (name, value) in machine::facts() {
        writeln!(text, "| {name} | {value} |").unwrap();
    }
    text
}

fn method(options: &Options) -> String {
    let Options { rounds, time } = options;
    let seconds = time.as_secs();
    format!(
        "Each row was measured {rounds} times for {seconds} seconds, in rounds that start with \
         different rows. Ratios are computed within each round. The tables show the median, and \
         the smallest and the largest value in parentheses.

- The load is `GET /todoitems` with {CONNECTIONS} connections that stay open, unless the row says \
         otherwise. The page has three todos. Before the measurements, all servers have answered \
         with the same bytes, and those with authentication have refused a token with a wrong \
         signature.
- All servers with authentication check the signature, the issuer, the audience, the times and the \
         scope. A development tenant issues the tokens. Only poem-entra keeps a token cache.
- The servers in Rust are built with this repository's release profile and the same memory \
         allocator.
- “With the log” means a line of text for each request, written to a file.
- “CPU” is the CPU time of the server for one request. On PostgreSQL, the time of the database \
         server is in parentheses. The server has {DATABASE_CONNECTIONS} connections to it, and so \
         does pgbench, which repeats the statement that the server sends, with the same values.
- “Memory” is the resident memory at the end of the load. For several processes it is their sum.
- “New tokens” are tokens that the server has not seen. These rows are compared with one token that \
         comes from a script too, because the script costs the load generator time.
"
    )
    .replace("         ", "")
}

fn results_table(results: &Results) -> String {
    let mut text = String::from(
        "| server | req/s | × bare poem | CPU, µs | p50, ms | p99, ms | p99 ÷ bare poem | memory, \
         MB |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for section in Section::ALL {
        let mut rows = Subject::ALL.iter().filter(|subject| subject.section() == section);
        let rows: String = rows.by_ref().filter_map(|subject| row(results, *subject)).collect();
        if !rows.is_empty() {
            writeln!(text, "| **{}** | | | | | | | |", section.title()).unwrap();
            text += &rows;
        }
    }
    text
}

fn row(results: &Results, subject: Subject) -> Option<String> {
    let rate = |sample: &Sample| Some(sample.rate);
    let show =
        |spread: Option<Spread>| spread.map_or("–".to_owned(), |spread| spread.to_string());
    let median =
        |spread: Option<Spread>| spread.map_or("–".to_owned(), |spread| number(spread.median));
    let mut cpu = median(results.spread(subject, |sample| Some(sample.cpu)));
    if let Some(database) = results.spread(subject, |sample| sample.database_cpu) {
        write!(cpu, " (+ {})", number(database.median)).unwrap();
    }
    let cells = [
        subject.name().to_owned(),
        show(Some(results.spread(subject, rate)?)),
        show(results.ratio(subject, Poem, rate)),
        cpu,
        median(results.spread(subject, |sample| sample.p50)),
        median(results.spread(subject, |sample| sample.p99)),
        median(results.ratio(subject, Poem, |sample| sample.p99)),
        median(results.spread(subject, |sample| sample.memory)),
    ];
    Some(format!("| {} |\n", cells.join(" | ")))
}

fn targets_table(measured: &Measured) -> String {
    let mut text = String::from("| | target | measured | met |\n| --- | --- | --- | --- |\n");
    for target in targets(measured) {
        let met = match target.is_met() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "not measured",
        };
        let measured = target.measured.map_or("–".to_owned(), |spread| spread.to_string());
        writeln!(text, "| {} | {} | {measured} | {met} |", target.text, target.bound()).unwrap();
    }
    text
}

fn commits_table(measured: &Measured) -> String {
    let mut text = String::from(
        "\n## Durable writes without a server\n\n\
         Measured on the same disk and in the same rounds as the rows of create. The loop inserts \
         into a copy of the server's database, with the server's statement and settings.\n\n\
         | | |\n| --- | --- |\n",
    );
    for (name, value) in commits::rows(&measured.commits) {
        writeln!(text, "| {name} | {value} |").unwrap();
    }
    text
}

/// The report of `make bench-http`.
pub(crate) fn print(measured: &Measured) {
    println!();
    println!("{:<44} {:>28} {:>10} {:>10} {:>10}", "", "req/s", "CPU, µs", "p50, ms", "p99, ms");
    for subject in Subject::OWN {
        let Some(rate) = measured.results.spread(*subject, |sample| Some(sample.rate)) else {
            continue;
        };
        let median = |value: fn(&Sample) -> Option<f64>| {
            measured.results.spread(*subject, value).map_or("–".into(), |all| number(all.median))
        };
        println!(
            "{:<44} {:>28} {:>10} {:>10} {:>10}",
            subject.full_name(),
            rate.to_string(),
            median(|sample| Some(sample.cpu)),
            median(|sample| sample.p50),
            median(|sample| sample.p99),
        );
    }
}

fn plot(results: &Results) -> String {
    let subjects = [
        Poem,
        PoemOpenApi,
        Guard,
        GuardUncached,
        List,
        ListLogged,
        ListUncached,
        Get,
        GetLogged,
        PgList,
        PgGet,
        Actix,
        Axum,
        Fastify,
        FastApi,
    ];
    let mut rows = Vec::new();
    for subject in subjects {
        if let Some(ratio) = results.ratio(subject, Poem, |sample| Some(sample.rate)) {
            let own = matches!(subject.section(), Section::Sqlite | Section::Postgres);
            rows.push((subject.full_name(), ratio, own));
        }
    }
    bars("Requests per second in relation to bare poem, GET with 64 connections", &rows)
}
