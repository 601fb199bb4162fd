//! The answer as text for people. Colours are left out if the output is not a terminal.

use std::fmt::{self, Display, Write};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::explanation::{Explanation, Field, Reason, Verdict};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default();

/// The width of a line with sentences.
const WIDTH: usize = 96;

/// The API stops at the first rule that is broken.
const GOES_ON: &str = "(the rules below are shown as if this fault were gone)";

impl Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { header, claims, .. } = self;
        self.verdict(f)?;
        if !header.is_empty() {
            title(f, "Header")?;
            fields(f, header)?;
        }
        if !claims.is_empty() {
            title(
                f,
                match self.claims_are_verified {
                    true => "Claims",
                    false => "Claims (not verified: anybody could have written them)",
                },
            )?;
            fields(f, claims)?;
        }
        self.rules(f)?;
        if let Some(reason) = &self.reason {
            title(f, "Why it is refused, and what helps")?;
            reason.fmt(f)?;
        }
        for reason in &self.refused_operations {
            title(f, &format!("Why {} is refused, and what helps", reason.operations.join(", ")))?;
            reason.fmt(f)?;
        }
        for note in &self.notes {
            title(f, &format!("Note: {}", note.title))?;
            paragraph(f, "", &note.text)?;
            paragraph(f, "Help: ", &note.help)?;
        }
        self.operations(f)?;
        writeln!(f)?;
        self.verdict(f)?;
        writeln!(f, "{DIM}Judged as the API {} of {}.{DIM:#}", self.api, self.authority)
    }
}

impl Explanation {
    fn rules(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        title(f, "Rules, in the order in which the API checks them")?;
        let first_fault = self.rules.iter().position(|row| row.outcome == "fail");
        for (index, row) in self.rules.iter().enumerate() {
            let (style, word) = match row.outcome {
                "pass" => (GOOD, "pass"),
                "fail" => (BAD, "FAIL"),
                "not_judged" => (DIM, "not judged"),
                _ => (DIM, "not reached"),
            };
            write!(f, "  {style}{word:<11}{style:#}  ")?;
            match &row.detail {
                Some(detail) => writeln!(f, "{:<22}  {}", row.rule, printable(detail))?,
                None => writeln!(f, "{}", row.rule)?,
            }
            let goes_on = || self.rules[index + 1..].iter().any(|row| row.is_checked());
            if first_fault == Some(index) && goes_on() {
                writeln!(f, "  {DIM}{GOES_ON}{DIM:#}")?;
            }
        }
        Ok(())
    }

    fn operations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        title(f, "Operations")?;
        for row in &self.operations {
            let (style, word) = if row.allowed { (GOOD, "yes") } else { (BAD, "no") };
            write!(f, "  {style}{word:<3}{style:#}  {:<14}  ", row.operation)?;
            let call = format!("{} {}", row.method, row.path);
            let why = match &row.missing {
                Some(missing) => format!("missing: {missing}"),
                None => row.condition.clone().unwrap_or_default(),
            };
            writeln!(f, "{}", format!("{call:<23}  {why}").trim_end())?;
        }
        Ok(())
    }

    /// The operations that refuse an accepted token.
    fn exceptions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.verdict != Verdict::Accepted {
            return Ok(());
        }
        let refused = self.operations.iter().filter(|row| !row.allowed);
        for (index, row) in refused.enumerate() {
            let before = if index == 0 { ", but not for: " } else { ", " };
            let missing = row.missing.as_deref().unwrap_or_default();
            write!(f, "{before}{} (missing: {missing})", row.operation)?;
        }
        Ok(())
    }

    /// One line, which is both the first and the last but one.
    fn verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (style, word) = match self.verdict {
            Verdict::Accepted => (GOOD, "ACCEPTED"),
            Verdict::Refused => (BAD, "REFUSED"),
            Verdict::NotJudged => (OPEN, "NOT JUDGED"),
        };
        write!(f, "{style}{word}{style:#}")?;
        if let Some(reason) = &self.reason {
            write!(f, ": {}", reason.title)?;
        }
        self.exceptions(f)?;
        if self.ignores_settings {
            write!(f, " (the settings in .env were not used)")?;
        }
        writeln!(f)
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, status, code, detail, advice, .. } = self;
        writeln!(f, "  {BAD}{}{BAD:#}", self.title)?;
        paragraph(f, "", &advice.cause)?;
        for (index, step) in advice.steps.iter().enumerate() {
            paragraph(f, &format!("{}. ", index + 1), step)?;
        }
        paragraph(f, "The API answers: ", &format!("{status} {code}, rule {rule}: {detail}"))?;
        if let (Some(expected), Some(received)) = (&self.expected, &self.received) {
            paragraph(f, "Expected: ", expected)?;
            paragraph(f, "Received: ", received)?;
        }
        if let Some(failure) = &self.failure {
            paragraph(f, "Failure: ", failure)?;
        }
        if let Some(development) = &advice.development {
            paragraph(f, "Here, with the development tenant: ", development)?;
        }
        paragraph(f, "In the portal (entra.microsoft.com): ", &advice.portal)?;
        if let Some(setting) = &advice.setting {
            paragraph(f, "In the settings of this API (.env): ", setting)?;
        }
        if !advice.az.is_empty() {
            writeln!(f, "  {BOLD}With the Azure CLI:{BOLD:#}")?;
            for command in &advice.az {
                writeln!(f, "    {}", printable(command))?;
            }
        }
        paragraph(f, "Help: ", &self.help)
    }
}

fn title(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    writeln!(f, "\n{BOLD}{text}{BOLD:#}")
}

fn fields(f: &mut fmt::Formatter<'_>, fields: &[Field]) -> fmt::Result {
    let width = fields.iter().map(|field| field.name.chars().count().min(20)).max().unwrap_or(0);
    for Field { name, value, meaning } in fields {
        let name = printable(name);
        writeln!(f, "  {name:<width$}  {}", shown(value))?;
        writeln!(f, "  {:<width$}  {DIM}{meaning}{DIM:#}", "")?;
    }
    Ok(())
}

/// A value of a token on one line.
fn shown(value: &Value) -> String {
    const LIMIT: usize = 200;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut short: String = text.chars().take(LIMIT).collect();
    if short.len() < text.len() {
        short += " ...";
    }
    printable(&short)
}

/// A text without control characters, which a forged token could use to change the terminal or to
/// write lines of its own. Characters that change the direction of text are control characters
/// here.
fn printable(text: &str) -> String {
    let is_control = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match is_control(c) {
            true => safe.extend(c.escape_unicode()),
            false => safe.push(c),
        }
    }
    safe
}

/// A label in bold and sentences, wrapped and indented.
fn paragraph(f: &mut fmt::Formatter<'_>, label: &str, text: &str) -> fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    let text = printable(text);
    let mut line = String::new();
    let mut column = label.chars().count();
    write!(f, "  {BOLD}{label}{BOLD:#}")?;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > 0 && column + width > WIDTH {
            writeln!(f, "{}", line.trim_end())?;
            line.clear();
            line.write_str("  ")?;
            column = 0;
        }
        write!(line, "{word} ")?;
        column += width + 1;
    }
    writeln!(f, "{}", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_change_the_terminal() {
        let shown = shown(&Value::from("\u{1b}[31mred\nline\u{202e}"));
        assert_eq!(shown, "\\u{1b}[31mred\\u{a}line\\u{202e}");
        let long = super::shown(&Value::from("x".repeat(201)));
        assert_eq!(long, format!("{} ...", "x".repeat(200)));
    }
}
