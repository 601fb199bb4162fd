//! What the durable changes of the create rows cost without a server.

use std::{fs, path::Path, process::Command, time::Duration};

use crate::{
    process::command,
    programs::work_folder,
    servers::Server,
    stats::{Spread, number},
};

/// One measurement by `bench-peers commits`, which also explains the numbers.
pub(crate) struct Commits {
    /// The changes in a commit of the server, and of the loop.
    pub(crate) batch: f64,
    /// Rows per second in a loop with such commits.
    pub(crate) rate: f64,
    /// Milliseconds of a commit with one row.
    lone: f64,
    /// The bytes that it adds to the log.
    bytes: f64,
    /// Milliseconds to write as many bytes and to sync them.
    pub(crate) sync: f64,
    /// Microseconds to pass a value to another thread and back.
    hand_over: f64,
}

impl Commits {
    /// Measures on a copy of the server's database.
    pub(crate) fn measure(
        program: &Path,
        peers: &Path,
        server: &Server,
        batch: f64,
        time: Duration,
    ) -> Self {
        let file = work_folder("commits").join("todo.db");
        let mut backup = command(program);
        succeed(backup.arg("backup").arg(&file).current_dir(&server.folder));
        let mut commits = command(peers);
        commits.arg("commits").arg(&file).arg(batch.round().max(1.0).to_string());
        let printed = succeed(commits.arg(time.as_secs().to_string()));
        let numbers = printed.trim().strip_prefix("result ").unwrap().split(' ');
        let numbers: Vec<f64> = numbers.map(|number| number.parse().unwrap()).collect();
        let [rate, lone, bytes, sync, hand_over] = numbers[..] else { panic!("{printed}") };
        let [lone, sync] = [lone, sync].map(|micros| micros / 1e3);
        Self { batch, rate, lone, bytes, sync, hand_over }
    }
}

/// The number of commits so far to a server's SQLite database. SQLite keeps it in the index of its
/// log (<https://sqlite.org/walformat.html>, section 2.1: `iChange`).
pub(crate) fn count(server: &Server) -> u32 {
    let index = fs::read(server.folder.join("data/todo.db-shm")).unwrap();
    u32::from_ne_bytes(index[8..12].try_into().unwrap())
}

/// The rows of the report: a description and a value.
pub(crate) fn rows(all: &[Commits]) -> Vec<(String, Spread)> {
    let spread = |value: fn(&Commits) -> f64| Spread::of(all.iter().map(value).collect());
    let Some(bytes) = spread(|commits| commits.bytes) else { return Vec::new() };
    let sync = format!("a write of {} bytes and its sync, in ms", number(bytes.median));
    let rows = [
        ("changes in a commit of create".to_owned(), spread(|commits| commits.batch)),
        ("rows per second in a loop with such commits".into(), spread(|commits| commits.rate)),
        ("a commit with one row in a loop, in ms".into(), spread(|commits| commits.lone)),
        (sync, spread(|commits| commits.sync)),
        (
            "passing a value to another thread and back, in µs".into(),
            spread(|commits| commits.hand_over),
        ),
    ];
    rows.into_iter().filter_map(|(text, value)| Some((text, value?))).collect()
}

fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
