//! The result of the checks, for people and for programs.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::cases;

/// All checks that were made.
#[derive(Default)]
pub(super) struct Report {
    checks: Vec<Check>,
    /// The redirect URI of the docs page, if the settings are correct.
    pub(super) redirect_uri: Option<String>,
}

/// The result of one check.
struct Check {
    /// A stable name for programs.
    name: &'static str,
    status: Status,
    detail: String,
    fix: Option<String>,
    /// A URL.
    help: Option<String>,
}

/// How serious a result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Status {
    Ok,
    /// The server works, but something is probably not as intended.
    Warn,
    /// The server does not start, or refuses every token.
    Fail,
}

impl Report {
    pub(super) fn ok(&mut self, name: &'static str, detail: impl Into<String>) {
        let detail = detail.into();
        self.checks.push(Check { name, status: Status::Ok, detail, fix: None, help: None });
    }

    /// `page` is a page of docs/ with an anchor.
    pub(super) fn fault(
        &mut self,
        status: Status,
        name: &'static str,
        detail: impl Into<String>,
        fix: impl Into<String>,
        page: &str,
    ) {
        let (fix, help) = (Some(fix.into()), Some(cases::docs(page)));
        self.checks.push(Check { name, status, detail: detail.into(), fix, help });
    }

    /// The most serious status.
    pub(super) fn status(&self) -> Status {
        self.checks.iter().map(|check| check.status).max().unwrap_or(Status::Ok)
    }

    /// The report for programs.
    pub(super) fn json(&self) -> Value {
        let check = |check: &Check| {
            let mut object = json!({
                "name": check.name,
                "status": check.status.name().to_lowercase(),
                "detail": check.detail,
            });
            for (member, value) in [("fix", &check.fix), ("help", &check.help)] {
                if let Some(value) = value {
                    object[member] = value.as_str().into();
                }
            }
            object
        };
        json!({
            "status": self.status().name().to_lowercase(),
            "redirect_uri": self.redirect_uri,
            "checks": self.checks.iter().map(check).collect::<Vec<_>>(),
        })
    }

    /// The report for people, with styles. `dev` says whether it is about `serve --dev`.
    pub(super) fn text(&self, dev: bool) -> String {
        let mut text = String::new();
        for Check { name, status, detail, fix, help } in &self.checks {
            let (style, status) = (status.style(), status.name());
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{style}{status:<4}{style:#}  {name:<17} {detail}");
            for (label, line) in [("fix", fix), ("see", help)] {
                if let Some(line) = line {
                    let _ = writeln!(text, "      {label:<17} {line}");
                }
            }
        }
        let count = |status| self.checks.iter().filter(|check| check.status == status).count();
        let _ = match (count(Status::Fail), count(Status::Warn)) {
            // The authority does not tell everybody whether an app exists, so the ids may be wrong.
            (0, 0) => writeln!(
                text,
                "\nAll {} checks are OK.\nIf a token is refused all the same: todo-api explain {}- < \
                 token.txt",
                self.checks.len(),
                if dev { "--dev " } else { "" },
            ),
            (fail, warn) => {
                writeln!(text, "\n{} checks: {fail} FAIL, {warn} WARN.", self.checks.len())
            }
        };
        text
    }
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }

    fn style(self) -> Style {
        let color = match self {
            Self::Ok => AnsiColor::Green,
            Self::Warn => AnsiColor::Yellow,
            Self::Fail => AnsiColor::Red,
        };
        color.on_default().bold()
    }
}
