//! Tables of the last requests and of the planned faults.

use crate::{
    audit::{Entry, Outcome},
    directory::Directory,
    http::context::Context,
    timestamp::timestamp,
};

use super::table::{Table, code, text};

/// The last sign-ins, the newest first.
pub(super) fn sign_ins(directory: &Directory, entries: &[Entry]) -> Table {
    let mut table =
        Table::new("Recent sign-ins", &["Time", "Person", "App", "Client id", "Endpoint"]);
    let granted =
        |entry: &&Entry| entry.person.is_some() && matches!(entry.outcome, Outcome::Granted);
    for entry in entries.iter().filter(granted).take(20) {
        let client_id = entry.client_id.as_deref().unwrap_or_default();
        table.row([
            text(&timestamp(entry.time)),
            text(entry.person.as_deref().unwrap_or_default()),
            text(directory.app(client_id).map_or("", |app| app.name.as_str())),
            code(client_id),
            text(entry.endpoint),
        ]);
    }
    table
}

/// All recorded requests, with the reason if they were refused.
pub(super) fn audit_trail(entries: &[Entry]) -> Table {
    let columns = &["Time", "Endpoint", "Tenant", "Client id", "Detail", "Person", "Outcome"];
    let mut table = Table::new("Audit trail", columns);
    for entry in entries {
        let outcome = match &entry.outcome {
            Outcome::Asked => "asked".to_owned(),
            Outcome::Granted => "granted".to_owned(),
            Outcome::Refused { aadsts: 0, reason } => reason.clone(),
            Outcome::Refused { aadsts, reason } => format!("AADSTS{aadsts}: {reason}"),
        };
        table.row([
            text(&timestamp(entry.time)),
            text(entry.endpoint),
            code(&entry.tenant),
            code(entry.client_id.as_deref().unwrap_or_default()),
            text(entry.detail.as_deref().unwrap_or_default()),
            text(entry.person.as_deref().unwrap_or_default()),
            text(&outcome),
        ]);
    }
    table
}

/// The planned faults, and the shift of the clock.
pub(super) fn faults(context: &Context) -> Table {
    let mut table = Table::new("Planned faults", &["Endpoint", "Fault"]);
    let offset = context.issuer.clock.offset();
    if offset != 0 {
        let direction = if offset > 0 { "ahead" } else { "behind" };
        let shift = format!("{} seconds {direction}", offset.unsigned_abs());
        table.row([text("clock"), text(&shift)]);
    }
    for (endpoint, plan) in context.faults.plans() {
        let name = format!("{endpoint:?}").to_lowercase();
        let plan = serde_json::to_string(&plan).unwrap_or_default();
        table.row([text(&name), code(&plan)]);
    }
    table
}
