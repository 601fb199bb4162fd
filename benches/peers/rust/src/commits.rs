//! What durable changes cost without a server. FILE is a copy of the todo API's database:
//!
//!     bench-peers commits FILE BATCH SECONDS
//!
//! Prints `result` and these numbers: the rows per second that a loop inserts in commits of BATCH
//! rows; the microseconds of a commit with one row; the bytes that it adds to the write-ahead log;
//! the microseconds of writing as many bytes to a file and syncing it; and the microseconds of
//! passing a value to another thread and back. The times are medians.

use std::{
    env::Args,
    fs::{self, File},
    iter::Skip,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, config::DbConfig, params};
use tokio::sync::{mpsc, oneshot};
use uuid::{Uuid, uuid};

/// The statement, the pragmas and the flags of the todo API's store.
const INSERT: &str = "
    INSERT INTO todos (tenant, owner, name) SELECT ?1, ?2, ?3
    WHERE NOT EXISTS (
        SELECT 1 FROM todo_counts WHERE tenant = ?1 AND owner = ?2 AND number >= ?4
    )";

const TENANT: Uuid = uuid!("11111111-1111-4111-8111-111111111111");
/// As many owners create todos on the server.
const OWNERS: u128 = 200;
const TODO_LIMIT: u32 = 10_000;

/// How often a time is measured.
const TIMES: u64 = 200;

pub fn measure(mut arguments: Skip<Args>) -> anyhow::Result<()> {
    let file = PathBuf::from(arguments.next().context("name a file")?);
    let batch = arguments.next().context("name the number of rows in a commit")?.parse()?;
    let seconds = arguments.next().context("name the seconds")?.parse()?;
    let mut table = Table::open(&file)?;
    let rate = table.rate(batch, Duration::from_secs(seconds))?;
    let lone = median(|_| table.insert(1))?;
    let bytes = table.bytes_of_commit(&file)?;
    let sync = sync(&file, bytes)?;
    println!("result {rate} {lone} {bytes} {sync} {}", hand_over()?);
    Ok(())
}

struct Table {
    connection: Connection,
    rows: u128,
}

impl Table {
    fn open(file: &Path) -> anyhow::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "wal_autocheckpoint", 2_000)?;
        Ok(Self { connection, rows: 0 })
    }

    /// Rows per second.
    fn rate(&mut self, batch: u32, time: Duration) -> anyhow::Result<f64> {
        let (first, started_at) = (self.rows, Instant::now());
        while started_at.elapsed() < time {
            self.insert(batch)?;
        }
        Ok((self.rows - first) as f64 / started_at.elapsed().as_secs_f64())
    }

    /// Inserts rows of different owners in one commit.
    fn insert(&mut self, batch: u32) -> anyhow::Result<()> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for _ in 0..batch {
            let owner = Uuid::from_u128(self.rows % OWNERS);
            let mut statement = transaction.prepare_cached(INSERT)?;
            statement.execute(params![TENANT, owner, "Walk the dog", TODO_LIMIT])?;
            self.rows += 1;
        }
        Ok(transaction.commit()?)
    }

    /// The size that the log usually has after a commit with one row, if it was empty.
    fn bytes_of_commit(&mut self, file: &Path) -> anyhow::Result<u64> {
        let mut sizes = Vec::new();
        for _ in 0..9 {
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            self.insert(1)?;
            sizes.push(fs::metadata(beside(file, "-wal"))?.len());
        }
        sizes.sort_unstable();
        Ok(sizes[sizes.len() / 2])
    }
}

/// Writes one after the other to a file that has its full size already, as the log usually has.
fn sync(database: &Path, bytes: u64) -> anyhow::Result<f64> {
    let file = File::create_new(beside(database, "-sync"))?;
    let data = vec![1; usize::try_from(bytes)?];
    for at in 0..TIMES {
        file.write_all_at(&data, at * bytes)?;
    }
    file.sync_all()?;
    median(|at| {
        file.write_all_at(&data, at * bytes)?;
        Ok(file.sync_data()?)
    })
}

/// Passes a value from a worker thread to another one and back, as the store passes a change to the
/// thread that writes.
fn hand_over() -> anyhow::Result<f64> {
    let (queue, mut values) = mpsc::channel::<oneshot::Sender<()>>(1_024);
    let writer = thread::spawn(move || {
        while let Some(reply) = values.blocking_recv() {
            let _ = reply.send(());
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let worker = runtime.spawn(async move {
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let started_at = Instant::now();
            let (reply, result) = oneshot::channel();
            queue.try_send(reply)?;
            tokio::time::timeout(Duration::from_secs(5), result).await??;
            times.push(started_at.elapsed());
        }
        anyhow::Ok(middle(times))
    });
    let time = runtime.block_on(worker)??;
    writer.join().expect("the other thread never panics");
    Ok(time)
}

fn median(mut run: impl FnMut(u64) -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for at in 0..TIMES {
        let started_at = Instant::now();
        run(at)?;
        times.push(started_at.elapsed());
    }
    Ok(middle(times))
}

/// Microseconds.
fn middle(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
