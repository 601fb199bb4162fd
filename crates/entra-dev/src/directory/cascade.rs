//! References to entries whose name or id changes, or which are removed.

use serde_json::{Map, Value};

use super::collection::Collection;

/// Replaces references to an entry by this id or name.
pub(super) fn rename(document: &mut Value, collection: Collection, old: &str, new: &str) {
    for_each_reference(document, collection, |fields, field| match fields.get_mut(field) {
        Some(Value::String(name)) if name == old => new.clone_into(name),
        Some(Value::Array(names)) => {
            for name in names.iter_mut().filter(|name| *name == old) {
                *name = new.into();
            }
        }
        Some(Value::Object(by_name)) => {
            if let Some(value) = by_name.remove(old) {
                by_name.insert(new.to_owned(), value);
            }
        }
        _ => {}
    });
}

/// Removes an entry with its memberships and assignments, and with everything that belongs to it:
/// the groups, people and apps of a tenant, the agents of a blueprint, the user account of an
/// agent.
pub(super) fn remove(document: &mut Value, collection: Collection, index: usize) {
    let Some(entries) = document[collection.name()].as_array_mut() else { return };
    if index >= entries.len() {
        return;
    }
    let entry = entries.remove(index);
    let names = [&entry[collection.id_field()], &entry["name"]].map(Value::as_str);
    let is_it = |name: &str| names.contains(&Some(name));
    for_each_reference(document, collection, |fields, field| match fields.get_mut(field) {
        Some(Value::Array(names)) => names.retain(|name| !name.as_str().is_some_and(is_it)),
        Some(Value::Object(by_name)) => by_name.retain(|name, _| !is_it(name)),
        _ => {}
    });
    for owned in Collection::ALL {
        let belongs_to_it = |entry: &Value| {
            let mut fields = entry.as_object().into_iter().flatten();
            fields.any(|(field, value)| {
                Collection::referred_to_by(field) == Some(collection)
                    && value.as_str().is_some_and(is_it)
            })
        };
        while let Some(index) = owned.entries(document).iter().position(belongs_to_it) {
            remove(document, owned, index);
        }
    }
}

/// Calls `visit` with the fields of each entry and the name of each field that refers to entries of
/// this kind.
fn for_each_reference(
    document: &mut Value,
    collection: Collection,
    visit: impl Fn(&mut Map<String, Value>, &str),
) {
    for kind in Collection::ALL {
        let entries = document[kind.name()].as_array_mut();
        for fields in entries.into_iter().flatten().filter_map(Value::as_object_mut) {
            let referring: Vec<_> = fields
                .keys()
                .filter(|field| Collection::referred_to_by(field) == Some(collection))
                .cloned()
                .collect();
            for field in referring {
                visit(fields, &field);
            }
        }
    }
}
