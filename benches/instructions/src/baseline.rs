//! The counts that are stored in the repository.

use std::{fmt::Write, fs, process::Command};

use anyhow::{Context, Result, bail};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.txt");

/// By how many percent a count may differ.
const TOLERANCE: f64 = 5.0;

/// Prints the counts beside those of the baseline. Fails if one differs by more than the tolerance.
pub(crate) fn check(counts: &[(&str, u64)]) -> Result<()> {
    let text =
        fs::read_to_string(FILE).context("failed to read benches/instructions/baseline.txt")?;
    let mut differs = false;
    println!("{:<24} {:>10} {:>10} {:>9}", "instructions a call", "baseline", "now", "change");
    for &(case, now) in counts {
        let baseline = text.lines().find_map(|line| line.strip_prefix(case)?.trim().parse().ok());
        let baseline: u64 = baseline.with_context(|| format!("the baseline has no {case}"))?;
        let change = (now as f64 / baseline as f64 - 1.0) * 100.0;
        differs |= change.abs() > TOLERANCE;
        println!("{case:<24} {baseline:>10} {now:>10} {change:>+8.1}%");
    }
    if differs {
        let compiler = compiler()?;
        let same = text.contains(&compiler);
        bail!(
            "A count differs by more than {TOLERANCE} % from benches/instructions/baseline.txt. \
             If it grew, find out why. If the change is intended, run `make instructions-renew` \
             and commit the file.{}",
            if same { "" } else { " The baseline was written with another compiler." }
        );
    }
    Ok(())
}

/// Writes the counts to the baseline.
pub(crate) fn renew(counts: &[(&str, u64)]) -> Result<()> {
    let mut text = format!(
        "# Instructions of Rust code in one call, written by `make instructions-renew` with\n# {}\n",
        compiler()?
    );
    for (case, count) in counts {
        writeln!(text, "{case:<24} {count:>8}")?;
    }
    print!("{text}");
    fs::write(FILE, text).context("failed to write benches/instructions/baseline.txt")
}

/// The version of the compiler and the platform that it runs on.
fn compiler() -> Result<String> {
    let output = Command::new("rustc").arg("--version").output().context("failed to run rustc")?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(format!("{version}, {}", std::env::consts::ARCH))
}
