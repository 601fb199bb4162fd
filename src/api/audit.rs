//! The audit log: which administrator changed the todos of other people. It contains ids and
//! numbers, never names, tokens or bodies.

use super::security::{Member, WritableTodo};

/// Records a successful change to a todo, if it belongs to somebody else.
pub fn record_one(found: &WritableTodo, operation: &'static str) {
    if found.owner != found.caller.owner {
        record(&found.caller, operation, 1);
    }
}

/// Records a successful change to this many todos of the tenant, if there were any.
pub fn record(caller: &Member, operation: &'static str, todos: u64) {
    if todos == 0 {
        return;
    }
    tracing::info!(
        target: "audit",
        tenant = %caller.owner.tenant.0,
        object_id = %caller.owner.object_id,
        client = caller.client.map(tracing::field::display),
        %operation,
        todos,
        "audit: an administrator changed todos of the tenant"
    );
}

/// Records that deleting all todos of the tenant failed. After a timeout or a lost connection, the
/// todos may nevertheless have been deleted, and a retry would find none.
pub fn record_failure(caller: &Member, operation: &'static str) {
    tracing::warn!(
        target: "audit",
        tenant = %caller.owner.tenant.0,
        object_id = %caller.owner.object_id,
        client = caller.client.map(tracing::field::display),
        %operation,
        outcome = %"unknown",
        "audit: an administrator may have changed todos of the tenant"
    );
}
