//! Counts the instructions of what every request needs, and compares the counts with `baseline.txt`.
//! `make instructions` runs it, and `make instructions-renew` writes the file.
//!
//! A count, unlike a time, does not depend on what else the machine does. It would still depend on
//! the processor: aws-lc and the C library have several versions of their functions, and choose one
//! when the program starts, by what the processor can do (AVX2, AVX-512, SHA). For this reason only
//! the instructions of Rust code are counted. Verifying a signature, hashing and allocating are
//! not: `make bench-validate` measures the first two, and a test counts the allocations.

#![allow(clippy::unwrap_used, reason = "a panic fails the measurement")]

mod baseline;
mod callgrind;
mod cases;
#[path = "../../../crates/poem-entra/tests/validator/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use all of it")]
mod support;

use std::env;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    match env::args().nth(1).as_deref() {
        Some("check") => baseline::check(&callgrind::count(cases::NAMES)?),
        Some("renew") => baseline::renew(&callgrind::count(cases::NAMES)?),
        // Valgrind runs this program again with this argument.
        Some(callgrind::ARGUMENT) => {
            cases::run();
            Ok(())
        }
        _ => bail!("usage: instructions check|renew"),
    }
}
