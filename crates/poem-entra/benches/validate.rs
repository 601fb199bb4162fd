//! Measures how long it takes to validate a token, with and without the token cache, and compares a
//! new token with the verification of its signature alone. `make bench-validate` runs it.
//!
//! Prints the nanoseconds per call of the fastest of many short batches, because other work on the
//! machine can only make a batch slower. On Linux, the last line is the memory that 10,000 cache
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

use aws_lc_rs::signature::{KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use support::{World, signing::key_pair, token};

const ROUNDS: usize = 7;
const TOKENS: usize = 10_000;
/// The number of calls in a batch. It is so small that most batches are not interrupted.
const BATCH: usize = 100;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let world = World::new();
    let entra_like = token(&large(world.claims()));
    println!("a token of {} bytes", entra_like.len());

    let many: Vec<_> = (0..TOKENS).map(|number| numbered(&world, number)).collect();
    let before = resident_kib();
    for token in &many {
        world.validator.validate(token).await.unwrap();
    }
    let after = resident_kib();
    let (mut alone, mut new) = (Duration::MAX, Duration::MAX);
    // Both in every round, so that a slower moment of the machine does not change their ratio.
    for _ in 0..ROUNDS {
        alone = alone.min(verifications(&many));
        new = new.min(first_validations(&many).await);
    }
    report("the RSA verification alone", alone);
    report("a new token", new);
    println!("{:<36} {:>8.2}", "their ratio", new.as_secs_f64() / alone.as_secs_f64());

    let uncached = World::with(|settings| settings.token_cache_entries = 0);
    uncached.validator.validate(&entra_like).await.unwrap();
    report("without the cache", measure(&uncached, &entra_like).await);
    world.validator.validate(&entra_like).await.unwrap();
    report("with the cache", measure(&world, &entra_like).await);

    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        best = best.min(fastest(&world, &many).await);
    }
    report("with the cache, 10,000 tokens", best);
    let cached = world.validator.cached_tokens();
    if let (Some(before), Some(after)) = (before, after) {
        println!("{cached} cache entries use {} KiB", after.saturating_sub(before));
    }
}

/// The time of a verification with a parsed key, which is the least that a new token can cost.
fn verifications(tokens: &[String]) -> Duration {
    let public = key_pair(0).public_key();
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.as_ref()).unwrap();
    let parts = tokens.iter().map(|token| token.rsplit_once('.').unwrap());
    let signed: Vec<_> = parts
        .map(|(message, signature)| (message, URL_SAFE_NO_PAD.decode(signature).unwrap()))
        .collect();
    let batch = |batch: &[(&str, Vec<u8>)]| {
        let started = Instant::now();
        for (message, signature) in batch {
            key.verify_sig(black_box(message.as_bytes()), signature).unwrap();
        }
        started.elapsed() / BATCH as u32
    };
    signed.chunks_exact(BATCH).map(batch).min().unwrap()
}

/// The time of the first validation of a token, which also adds it to the cache.
async fn first_validations(tokens: &[String]) -> Duration {
    let world = World::new();
    world.validator.warm_up().await;
    fastest(&world, tokens).await
}

/// The time of validating the same token again and again.
async fn measure(world: &World, token: &str) -> Duration {
    fastest(world, &vec![token.to_owned(); TOKENS]).await
}

async fn fastest(world: &World, tokens: &[String]) -> Duration {
    let mut best = Duration::MAX;
    for batch in tokens.chunks_exact(BATCH) {
        let started = Instant::now();
        for token in batch {
            black_box(world.validator.validate(black_box(token)).await).unwrap();
        }
        best = best.min(started.elapsed() / BATCH as u32);
    }
    best
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
