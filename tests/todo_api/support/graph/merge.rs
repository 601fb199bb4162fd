//! How a PATCH changes an object.

use serde_json::Value;

/// Properties that a PATCH replaces as a whole. The documentation does not say whether Graph merges
/// them; a client that sends only a part of them could lose the other parts.
const REPLACED: &[&str] = &["optionalClaims"];

/// Changes an object. Members that are not sent keep their values, also inside complex types such
/// as `api`; collections are replaced: <https://learn.microsoft.com/graph/api/application-update>.
pub(super) fn merge(object: &mut Value, change: &Value) {
    for (name, value) in change.as_object().into_iter().flatten() {
        let old = &mut object[name.as_str()];
        match old.is_object() && value.is_object() && !REPLACED.contains(&name.as_str()) {
            true => merge(old, value),
            false => *old = value.clone(),
        }
    }
}
