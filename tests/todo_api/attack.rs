//! The real server under attack: malformed, slow, huge, half-closed and pipelined requests, while
//! other clients use it. Afterwards, nothing of the attack is left.
//!
//! `make attack SECONDS=600` attacks for ten minutes instead of half a minute. `SEED=2` makes the
//! attackers do something else. Their requests follow from the seed, but their order also depends on
//! the time.

use std::{
    fs,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tokio::runtime;

use crate::{
    floods::{address, memory},
    support::{
        Answer, App, Attacker, Launch, Program, Target, TestClock, client, environment, wait_until,
    },
};

/// Fewer than the requests that one client may have in progress, for each of their four addresses.
const ATTACKERS: u16 = 64;
/// How much more memory the server may use after an attack than after an earlier one, in MB. The
/// allocator keeps some of the memory that was freed, and the database reads more of its file into
/// memory: on a busy machine, the difference was up to 1 MB. Twenty seconds are enough for 5,000
/// attacks, so a leak of 2 KB in each would be larger.
const TOLERANCE: u64 = 8;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attack_fails_no_good_request_and_leaves_nothing_behind() {
    let time = Duration::from_secs(number_from("ATTACK_SECONDS").unwrap_or(30));
    let seed = number_from("ATTACK_SEED").unwrap_or(1);
    // The allocator returns large blocks to the system at once, so that the resident memory is what
    // is in use. A disk may be slow; this is not what is tested here.
    let launch = Launch::dev()
        .with("RUST_LOG", "warn")
        .with("MALLOC_ARENA_MAX", "1")
        .with("MALLOC_MMAP_THRESHOLD_", "131072")
        .with("MALLOC_TRIM_THRESHOLD_", "131072")
        .with("DATABASE_TIMEOUT", "60");
    let program = Program::launch(launch).await;
    let uma = program.token("uma");
    let target = Target { address: address(&program.url), token: program.token("ulf") };
    // The server opens some files at the first change.
    use_all_operations(&client(), &program.url, &uma).await;
    let files = open_files(&program);

    // After the first third, buffers and caches have their full size.
    let first = attack(&program, &target, &uma, seed, time / 3).await;
    let after_first = wait_until_quiet(&program, files).await;
    let second = attack(&program, &target, &uma, seed + 1, time * 2 / 3).await;
    let after_second = wait_until_quiet(&program, files).await;
    eprintln!(
        "seed {seed}: {first:?}, then {second:?}; memory: {after_first} MB, then {after_second} MB"
    );
    assert!(first.good > 0 && second.good > 0 && second.attacks > usize::from(ATTACKERS));
    assert!(after_second <= after_first + TOLERANCE, "{after_first} MB, then {after_second} MB");
    let log = program.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn an_attack_leaves_no_task_behind() {
    // The server has a runtime of its own, so all its tasks can be counted.
    let servers = runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let app = servers.block_on(App::start_at(TestClock::real(), |environment| environment));
    let token = servers.block_on(app.token("ulf"));
    servers.block_on(app.assert_ready());
    let target = Target { address: address(&app.url), token };
    let tasks = servers.metrics().num_alive_tasks();

    let attackers = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    attackers.block_on(async {
        let attacks = (0..ATTACKERS).map(|number| {
            let mut attacker = Attacker::new(target.clone(), 3, number);
            async move {
                for _ in 0..5 {
                    attacker.attack().await;
                }
            }
        });
        join_all(attacks).await;
        wait_until("all tasks of the attack have ended", async || {
            tokio::task::yield_now().await;
            servers.metrics().num_alive_tasks() <= tasks
        })
        .await;
    });
    servers.block_on(app.assert_ready());
}

/// What happened during an attack.
#[derive(Debug)]
struct Tally {
    attacks: usize,
    /// Sequences of good requests, each of which succeeded.
    good: usize,
}

/// Lets all attackers and some other clients use the server for this time.
async fn attack(
    program: &Program,
    target: &Target,
    token: &str,
    seed: u64,
    time: Duration,
) -> Tally {
    let end = Instant::now() + time;
    let attackers: Vec<_> = (0..ATTACKERS)
        .map(|number| {
            let mut attacker = Attacker::new(target.clone(), seed, number);
            tokio::spawn(async move {
                let mut attacks = 0;
                while Instant::now() < end {
                    attacker.attack().await;
                    attacks += 1;
                }
                attacks
            })
        })
        .collect();
    // Half of the good clients use a new connection for each request.
    let reconnecting = Client::builder().pool_max_idle_per_host(0).no_proxy().build().unwrap();
    let good = [client(), reconnecting].map(|client| {
        let (url, token) = (program.url.clone(), token.to_owned());
        tokio::spawn(async move {
            let mut sequences = 0;
            while Instant::now() < end {
                use_all_operations(&client, &url, &token).await;
                sequences += 1;
            }
            sequences
        })
    });
    let sum = async |tasks| {
        let counts: Vec<Result<usize, _>> = join_all(tasks).await;
        counts.into_iter().map(Result::unwrap).sum()
    };
    Tally { attacks: sum(attackers).await, good: sum(good.into()).await }
}

/// Sends a request to each operation that a user may call, and asserts that it succeeds.
async fn use_all_operations(client: &Client, url: &str, token: &str) {
    let send = async |method: Method, path: &str, body: Option<Value>, status: u16| {
        let mut request = client.request(method, format!("{url}{path}")).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
        answer
    };
    let named = |name: &str| Some(json!({ "item": { "name": name } }));
    let created = send(Method::POST, "/todoitems", named("Walk the dog"), 201).await;
    let path = created.header("location").to_owned();
    assert_eq!(send(Method::GET, &path, None, 200).await.body, created.body);
    let changed = send(Method::PATCH, &path, named("Walk the cat"), 200).await;
    let listed = send(Method::GET, "/todoitems", None, 200).await;
    assert!(listed.body["items"].as_array().unwrap().contains(&changed.body["item"]));
    send(Method::DELETE, &path, None, 204).await;
    for path in ["/health", "/health/ready", "/openapi.json", "/docs"] {
        send(Method::GET, path, None, StatusCode::OK.as_u16()).await;
    }
}

/// Waits until the server has closed the connections of the attack. Returns its memory in MB.
async fn wait_until_quiet(program: &Program, files: usize) -> u64 {
    wait_until("no connection is open", async || {
        tokio::task::yield_now().await;
        open_files(program) <= files
    })
    .await;
    memory(program)
}

fn open_files(program: &Program) -> usize {
    fs::read_dir(format!("/proc/{}/fd", program.id())).unwrap().count()
}

fn number_from(name: &str) -> Option<u64> {
    environment(name).map(|value| value.parse().unwrap())
}
