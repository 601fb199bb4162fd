//! Finds the part of a directory that a path names.

use serde_json::Value;

use super::{collection::Collection, edit::EditError};

/// Where a path leads in the JSON form of a directory.
///
/// The first segment is a collection and the second the id or name of an entry. Each further one is
/// a field, or an element of a list.
#[derive(Debug)]
pub(super) struct Place {
    /// The steps to the value that contains it: keys and indexes.
    pub(super) parent: Vec<String>,
    /// Its key or index there; `None` if it is a new element of a list.
    pub(super) step: Option<String>,
    /// Whether it exists.
    pub(super) exists: bool,
}

impl Place {
    /// Finds the place. Only the last segment may name something that does not exist.
    pub(super) fn find(document: &Value, path: &[String]) -> Result<Self, EditError> {
        let mut place = Self { parent: Vec::new(), step: None, exists: true };
        for (depth, segment) in path.iter().enumerate() {
            if !place.exists {
                return Err(missing(document, &path[..depth]));
            }
            place.parent.extend(place.step.take());
            let parent = document.pointer(&pointer(&place.parent)).unwrap_or(&Value::Null);
            (place.step, place.exists) = match parent {
                _ if depth == 0 => match Collection::parse(segment) {
                    Some(collection) => (Some(collection.name().to_owned()), true),
                    None => return Err(missing(document, &path[..1])),
                },
                Value::Array(elements) => {
                    let index = position(document, path, depth, elements, segment);
                    (index.map(|index| index.to_string()), index.is_some())
                }
                Value::Object(fields) => {
                    let same = |key: &&String| is_same(document, path, depth, key, segment);
                    let key = fields.keys().find(same);
                    (Some(key.unwrap_or(segment).clone()), key.is_some())
                }
                _ => return Err(missing(document, &path[..=depth])),
            };
        }
        Ok(place)
    }

    /// The steps to the place, if it exists or can be created as a field.
    pub(super) fn steps(&self) -> Vec<String> {
        self.parent.iter().chain(&self.step).cloned().collect()
    }

    /// The existing value at the place.
    pub(super) fn value<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.pointer(&pointer(&self.steps())).filter(|_| self.exists)
    }

    /// The existing value at the place.
    pub(super) fn value_mut<'a>(&self, document: &'a mut Value) -> Option<&'a mut Value> {
        document.pointer_mut(&pointer(&self.steps())).filter(|_| self.exists)
    }
}

/// A JSON pointer (RFC 6901).
pub(super) fn pointer(steps: &[String]) -> String {
    steps.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

/// The index of the entry or text with this name.
fn position(
    document: &Value,
    path: &[String],
    depth: usize,
    elements: &[Value],
    name: &str,
) -> Option<usize> {
    match (depth, path.first().and_then(|name| Collection::parse(name))) {
        (1, Some(collection)) => collection.find(document, name),
        _ => elements.iter().position(|element| {
            // A federated credential is named by its subject.
            let known = element.as_str().or(element["subject"].as_str());
            known.is_some_and(|known| is_same(document, path, depth, known, name))
        }),
    }
}

/// Whether a known name is the one in the path at this depth. References to other entries can be
/// written as ids or as names.
fn is_same(document: &Value, path: &[String], depth: usize, known: &str, name: &str) -> bool {
    let refers_to = match depth {
        3 => Collection::referred_to_by(&path[2]),
        _ => None,
    };
    known == name || refers_to.is_some_and(|kind| kind.is_same(document, known, name))
}

/// The error for a path whose last segment names nothing.
pub(super) fn missing(document: &Value, path: &[String]) -> EditError {
    let Some((name, parents)) = path.split_last() else {
        return EditError::Missing("there is nothing".to_owned());
    };
    let choose = |known: Vec<&str>| format!("choose one of: {}", known.join(", "));
    EditError::Missing(match parents {
        [] => {
            let known = choose(Collection::ALL.map(Collection::name).to_vec());
            format!("there is no collection {name:?}; {known}")
        }
        [parent] => {
            let collection = Collection::parse(parent);
            let entries = collection.map_or(&[][..], |collection| collection.entries(document));
            let known = entries.iter().filter_map(|entry| entry["name"].as_str()).collect();
            let kind = collection.map_or("entry", Collection::singular);
            format!("there is no {kind} {name:?}; {}", choose(known))
        }
        _ => format!("there is no {name:?} in {}", parents.join("/")),
    })
}
