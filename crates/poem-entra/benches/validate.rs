//! Measures how long it takes to validate a token, with and without the token cache. `make bench`
//! runs it.
//!
//! Prints the nanoseconds per call of the fastest of several rounds, because other work on the
//! machine can only make a round slower. On Linux, the last line is the memory that 10,000 cache
//! entries use.

#![allow(clippy::unwrap_used, reason = "a panic fails the benchmark")]

#[path = "../tests/validator/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use all of it")]
mod support;

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use serde_json::Value;
use support::{World, token};

const ROUNDS: u32 = 7;
const CALLS: u32 = 2_000;
const TOKENS: usize = 10_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let world = World::new();
    let entra_like = token(&large(world.claims()));
    println!("a token of {} bytes", entra_like.len());

    let uncached = World::with(|settings| settings.token_cache_entries = 0);
    uncached.validator.validate(&entra_like).await.unwrap();
    report("without the cache", measure(&uncached, &entra_like).await);
    world.validator.validate(&entra_like).await.unwrap();
    report("with the cache", measure(&world, &entra_like).await);

    let many: Vec<_> = (0..TOKENS).map(|number| numbered(&world, number)).collect();
    let before = resident_kib();
    for token in &many {
        world.validator.validate(token).await.unwrap();
    }
    let after = resident_kib();
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for token in &many {
            black_box(world.validator.validate(token).await).unwrap();
        }
        best = best.min(started.elapsed());
    }
    report("with the cache, 10,000 tokens", best / TOKENS as u32);
    let cached = world.validator.cached_tokens();
    if let (Some(before), Some(after)) = (before, after) {
        println!("{cached} cache entries use {} KiB", after.saturating_sub(before));
    }
}

async fn measure(world: &World, token: &str) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..CALLS {
            black_box(world.validator.validate(black_box(token)).await).unwrap();
        }
        best = best.min(started.elapsed());
    }
    best / CALLS
}

fn report(what: &str, time: Duration) {
    println!("{what:<36} {:>8} ns", time.as_nanos());
}

/// Adds claims, so that the token has the size of Entra's tokens.
fn large(mut claims: Value) -> Value {
    claims["aio"] = "A".repeat(180).into();
    claims["rh"] = "B".repeat(60).into();
    claims["uti"] = "C".repeat(22).into();
    claims["name"] = "Uma Ulrich".into();
    claims["preferred_username"] = "uma@contoso.example".into();
    claims["roles"] = vec!["User", "Reader"].into();
    claims
}

fn numbered(world: &World, number: usize) -> String {
    let mut claims = large(world.claims());
    claims["uti"] = format!("token-{number}").into();
    token(&claims)
}

fn resident_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}
