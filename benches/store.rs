//! Measures the time of reading a page of 100 todos from a table of 1,000 rows and from one of
//! 1,000,000. Also measures other requests while a tenant deletes a million todos. Runs on SQLite
//! and, if it is installed, on PostgreSQL. `make bench-store` runs it.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot continue has failed")]

#[path = "../tests/todo_api/support"]
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

use std::{
    fs,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use support::Database;
use todo_api::{
    config::{self, Environment},
    store::{self, Store},
    todo::{Access, NewTodo, Owner, Tenant, TodoName},
};
use uuid::Uuid;

const PAGE: u16 = 100;
const ROUNDS: u32 = 9;
const CALLS: u32 = 400;

#[tokio::main]
async fn main() {
    bench("SQLite", Database::sqlite()).await;
    match Database::postgres("bench-store").await {
        Some(database) => bench("PostgreSQL", database).await,
        None => println!("PostgreSQL is not installed"),
    }
}

async fn bench(name: &str, database: Database) {
    println!("{name}");
    let environment = Environment::default().with("DATABASE_URL", database.url());
    let config = config::read_database(&environment).unwrap();
    let store = store::open(&config, 1, Arc::new(|| 0)).await.unwrap();

    fill(&database, 1_000, 10).await;
    let small = pages(&store, 10).await;
    fill(&database, 1_000_000, 10_000).await;
    let large = pages(&store, 10_000).await;
    for (kind, small, large) in [
        ("the same page repeatedly", small.same, large.same),
        ("the pages of all owners in turn", small.turns, large.turns),
    ] {
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        println!("  {kind}: {small:?} of 1,000 rows, {large:?} of 1,000,000: {ratio:.2} times");
    }
    delete(&store, &database).await;
    store.close().await;
}

/// Adds todos to tenant 1. The owners take turns, so each has the same number of todos.
async fn fill(database: &Database, rows: u32, owners: u32) {
    let sql = match database {
        Database::Sqlite(_) => format!(
            "INSERT INTO todos (tenant, owner, name)
             WITH RECURSIVE numbers (n) AS (
                 SELECT 0 UNION ALL SELECT n + 1 FROM numbers LIMIT {rows}
             )
             SELECT unhex(printf('%032x', 1)), unhex(printf('%032x', n % {owners})),
                    'todo number ' || n
             FROM numbers; ANALYZE;"
        ),
        Database::Postgres(_) => format!(
            "INSERT INTO todos (tenant, owner, name)
             SELECT lpad(to_hex(1), 32, '0')::uuid, lpad(to_hex(n % {owners}), 32, '0')::uuid,
                    'todo number ' || n
             FROM generate_series(0, {rows} - 1) AS n; ANALYZE;"
        ),
    };
    database.execute(sql).await;
}

struct Pages {
    same: Duration,
    turns: Duration,
}

/// Measures the time of reading a page. Returns the minimum of several rounds, because other work
/// on the machine only adds time.
async fn pages(store: &Store, owners: u32) -> Pages {
    let mut best = Pages { same: Duration::MAX, turns: Duration::MAX };
    for round in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..CALLS {
            list(store, 7).await;
        }
        best.same = best.same.min(started.elapsed() / CALLS);
        let started = Instant::now();
        for call in 0..CALLS {
            list(store, (round * CALLS + call) * 7_919 % owners).await;
        }
        best.turns = best.turns.min(started.elapsed() / CALLS);
    }
    best
}

async fn list(store: &Store, owner: u32) {
    let access = Access::Own(owner_of(1, owner));
    let page = black_box(store.list(&access, None, PAGE).await.unwrap());
    assert_eq!(page.todos.len(), usize::from(PAGE));
}

fn owner_of(tenant: u128, number: u32) -> Owner {
    Owner { tenant: Tenant(Uuid::from_u128(tenant)), object_id: Uuid::from_u128(number.into()) }
}

/// Deletes all todos of tenant 1, and reads pages of another tenant until the rows are removed.
async fn delete(store: &Store, database: &Database) {
    let other = owner_of(2, 1);
    let new = NewTodo::named(TodoName::parse("Walk the dog").unwrap());
    for _ in 0..PAGE {
        store.create(&other, &new, None).await.unwrap();
    }
    let memory = peak_kib();
    let started = Instant::now();
    store.delete_all(Tenant(Uuid::from_u128(1)), None).await.unwrap();
    println!("  delete-all of 1,000,000 todos takes {:?}", started.elapsed());
    let own = Access::Own(owner_of(1, 7));
    assert!(store.list(&own, None, PAGE).await.unwrap().todos.is_empty());

    let (mut reads, mut slowest_read, mut slowest_write) = (0, Duration::ZERO, Duration::ZERO);
    loop {
        for _ in 0..200 {
            let started_at = Instant::now();
            let page = store.list(&Access::Own(other), None, PAGE).await.unwrap();
            assert_eq!(page.todos.len(), usize::from(PAGE));
            slowest_read = slowest_read.max(started_at.elapsed());
            reads += 1;
        }
        let started_at = Instant::now();
        let todo = store.create(&owner_of(2, 2), &new, None).await.unwrap();
        slowest_write = slowest_write.max(started_at.elapsed());
        drop(todo);
        if database.number("SELECT count(*) FROM (SELECT 1 FROM todos LIMIT 200000) AS first").await
            < 100_000
        {
            break;
        }
    }
    println!(
        "  while the rows are removed, for {:?}: {reads} reads, the slowest {slowest_read:?}; the \
         slowest write {slowest_write:?}",
        started.elapsed()
    );
    if let (Some(before), Some(after)) = (memory, peak_kib()) {
        println!("  the peak memory use grew by {} KiB", after - before);
    }
}

/// Returns the peak memory use of this process in KiB. `None` unless the system is Linux.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
