//! What was asked lately, and what goes wrong on purpose, as tables.

use super::super::context::Context;
use super::super::html::Escaped;
use super::table::{Table, code};
use crate::audit::{Entry, Outcome};
use crate::directory::Directory;
use crate::timestamp::timestamp;

/// Who got something lately, the last one first.
pub(super) fn sign_ins(directory: &Directory, entries: &[Entry]) -> Table {
    let mut table = Table::new("Recent sign-ins", &["When", "Who", "App", "Client id", "Endpoint"]);
    let granted =
        |entry: &&Entry| entry.person.is_some() && matches!(entry.outcome, Outcome::Granted);
    for entry in entries.iter().filter(granted).take(20) {
        let client_id = entry.client_id.as_deref().unwrap_or_default();
        table.row(&[
            &timestamp(entry.time),
            &Escaped(entry.person.as_deref().unwrap_or_default()),
            &Escaped(directory.app(client_id).map_or("", |app| app.name.as_str())),
            &code(client_id),
            &entry.endpoint,
        ]);
    }
    table
}

/// Every request, with the reason where it was refused.
pub(super) fn trail(entries: &[Entry]) -> Table {
    let columns = ["When", "Endpoint", "Tenant", "Client id", "Detail", "Who", "Outcome"];
    let mut table = Table::new("Audit trail", &columns);
    for entry in entries {
        let outcome = match &entry.outcome {
            Outcome::Asked => "asked".to_owned(),
            Outcome::Granted => "granted".to_owned(),
            Outcome::Refused { aadsts, reason } => format!("AADSTS{aadsts}: {reason}"),
        };
        table.row(&[
            &timestamp(entry.time),
            &entry.endpoint,
            &code(&entry.tenant),
            &code(entry.client_id.as_deref().unwrap_or_default()),
            &Escaped(entry.detail.as_deref().unwrap_or_default()),
            &Escaped(entry.person.as_deref().unwrap_or_default()),
            &Escaped(&outcome),
        ]);
    }
    table
}

/// What a test has set going.
pub(super) fn faults(context: &Context) -> Table {
    let mut table = Table::new("Faults on purpose", &["What", "How"]);
    let offset = context.issuer.clock.offset();
    if offset != 0 {
        let direction = if offset > 0 { "ahead" } else { "behind" };
        table.row(&[&"clock", &format!("{} seconds {direction}", offset.unsigned_abs())]);
    }
    for (endpoint, plan) in context.faults.plans() {
        let name = format!("{endpoint:?}").to_lowercase();
        let plan = serde_json::to_string(&plan).unwrap_or_default();
        table.row(&[&Escaped(&name), &code(&plan)]);
    }
    table
}
