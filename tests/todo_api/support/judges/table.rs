//! The table of tokens and verdicts, and its text in `docs/CONFORMANCE.md`.

use std::fmt::{self, Write as _};

use poem_entra::Rule;

use super::{
    Mint,
    Verdict::{Accepted, Refused},
};

/// A token, and what the three validators say about it.
pub(crate) struct Row {
    pub(crate) token: &'static str,
    /// The rule that refuses it in poem-entra.
    pub(crate) ours: Option<Rule>,
    pub(crate) jose: Verdict,
    pub(crate) fastapi: Verdict,
    /// Why they differ; empty if they agree.
    pub(crate) why: &'static str,
    pub(crate) make: fn(&Mint<'_>) -> String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused,
}

impl Row {
    pub(crate) fn is_agreed(&self) -> bool {
        let ours = if self.ours.is_none() { Accepted } else { Refused };
        ours == self.jose && ours == self.fastapi
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Accepted => "accepted",
            Refused => "refused",
        })
    }
}

/// A row with a token that all three accept.
pub(crate) const fn good(token: &'static str, make: fn(&Mint<'_>) -> String) -> Row {
    Row { token, ours: None, jose: Accepted, fastapi: Accepted, why: "", make }
}

/// A row with a token that all three refuse.
pub(crate) const fn bad(token: &'static str, rule: Rule, make: fn(&Mint<'_>) -> String) -> Row {
    Row { token, ours: Some(rule), jose: Refused, fastapi: Refused, why: "", make }
}

/// The rows on which the three differ, as a Markdown table.
pub(crate) fn differing<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let heads = "| Token | poem-entra | jose | fastapi-azure-auth | Why they differ |";
    let mut table = format!("{heads}\n|---|---|---|---|---|\n");
    for Row { token, ours, jose, fastapi, why, .. } in rows.filter(|row| !row.is_agreed()) {
        let ours = our_column(*ours);
        writeln!(table, "| {token} | {ours} | {jose} | {fastapi} | {why} |").unwrap();
    }
    table
}

/// The rows on which they agree, as a Markdown table.
pub(crate) fn agreed<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut table = String::from("| Token | All three |\n|---|---|\n");
    for Row { token, ours, .. } in rows.filter(|row| row.is_agreed()) {
        writeln!(table, "| {token} | {} |", our_column(*ours)).unwrap();
    }
    table
}

fn our_column(rule: Option<Rule>) -> String {
    rule.map_or_else(|| Accepted.to_string(), |rule| format!("{Refused} ({rule})"))
}
