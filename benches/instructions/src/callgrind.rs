//! Runs this program again under Valgrind's Callgrind, and reads the profiles that it writes.

use std::{collections::HashMap, env, fs, process::Command};

use anyhow::{Context, Result, ensure};

use crate::cases::CALLS;

/// The argument with which Valgrind starts this program.
pub(crate) const ARGUMENT: &str = "run-cases";

/// The function that makes the counted calls of one case. Callgrind counts only while it runs, and
/// writes one profile each time that it returns.
const COUNTED: &str = "instructions::cases::counted";

/// The instructions of Rust code in one call of each case.
pub(crate) fn count(cases: &'static [&'static str]) -> Result<Vec<(&'static str, u64)>> {
    let folder = tempfile::tempdir()?;
    let profile = folder.path().join("profile");
    let valgrind = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--dump-after={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(env::current_exe()?)
        .arg(ARGUMENT)
        .status();
    let status = valgrind.context("failed to start valgrind; `make tools` installs it")?;
    ensure!(status.success(), "the program failed under valgrind");
    let mut counts = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let part = profile.with_extension((index + 1).to_string());
        let part = fs::read_to_string(&part)
            .with_context(|| format!("valgrind wrote no profile of the case {case}"))?;
        counts.push((*case, rust_instructions(&part) / CALLS));
    }
    Ok(counts)
}

/// The instructions of the Rust functions in a profile
/// (<https://valgrind.org/docs/manual/cl-format.html>).
fn rust_instructions(profile: &str) -> u64 {
    let mut functions = Functions::default();
    let (mut is_rust, mut is_callee) = (false, false);
    let mut instructions = 0;
    for line in profile.lines() {
        if let Some(function) = line.strip_prefix("fn=") {
            is_rust = functions.is_rust(function);
        } else if let Some(function) = line.strip_prefix("cfn=") {
            functions.is_rust(function);
        } else if line.starts_with("calls=") {
            // The next line has the instructions of the function that is called.
            is_callee = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let count = line.split(' ').nth(1).and_then(|count| count.parse::<u64>().ok());
            if is_rust && !is_callee {
                instructions += count.unwrap_or(0);
            }
            is_callee = false;
        }
    }
    instructions
}

/// Which functions are Rust code, by their number in the profile.
#[derive(Default)]
struct Functions<'a>(HashMap<&'a str, bool>);

impl<'a> Functions<'a> {
    /// The name of a function is written only once, after its number: `(7) core::str::from_utf8`.
    fn is_rust(&mut self, function: &'a str) -> bool {
        match function.split_once(' ') {
            Some((number, name)) => {
                // The names of C functions and of assembly code have no path.
                let is_rust = name.contains("::");
                self.0.insert(number, is_rust);
                is_rust
            }
            None => self.0.get(function).copied().unwrap_or(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_instructions_of_rust_functions_are_counted() {
        let profile = "version: 1\npositions: line\nevents: Ir\n\n\
                       fn=(1) app::handle\n0 20\ncfn=(2) memcpy\ncalls=3 0\n0 300\n+1 5\n\n\
                       fn=(2)\n0 300\ncfn=(3) <app::T as core::fmt::Display>::fmt\ncalls=1 0\n* 9\n\n\
                       fn=(3)\n7 9\n\ntotals: 334\n";
        assert_eq!(rust_instructions(profile), 20 + 5 + 9);
    }
}
