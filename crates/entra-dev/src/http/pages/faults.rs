//! The table of the planned faults.

use crate::http::context::Context;

use super::table::{Table, code, text};

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
