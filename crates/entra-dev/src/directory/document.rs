//! The directory as a document: in JSON and TOML, and changed.

use std::sync::Arc;

use serde_json::Value;

use super::{
    check::Finding,
    edit::{Edit, EditError, EditFault},
    federated_credential::{AUDIENCES, TOKEN_EXCHANGE},
    file, json,
    lookup::Directory,
    place::{Place, missing, pointer},
};

/// A changed directory.
pub(crate) struct Edited {
    pub(crate) directory: Directory,
    /// The new value; `None` if something was removed.
    pub(crate) value: Option<Value>,
    /// The path of the new value, with the id of the entry.
    pub(crate) path: Vec<String>,
    /// Whether it did not exist before.
    pub(crate) created: bool,
}

impl Directory {
    /// The directory in the JSON form of a directory file. Fields with a default are included,
    /// except those without a value. Certificates are in PEM.
    pub fn to_json(&self) -> Value {
        // Every entry can be written in JSON, since it was read from the same structure.
        serde_json::to_value(self.file()).unwrap_or_default()
    }

    /// The directory as a directory file in TOML. Fields with their default are left out.
    pub fn to_toml(&self) -> String {
        let Ok(mut document) = toml::Table::try_from(self.file()) else { return String::new() };
        for entries in document.iter_mut().filter_map(|(_, value)| value.as_array_mut()) {
            for entry in entries.iter_mut().filter_map(toml::Value::as_table_mut) {
                if let Some(uris) = entry.get_mut("redirect_uris") {
                    uris.as_table_mut().into_iter().for_each(omit_defaults);
                }
                let credentials = entry.get_mut("federated_credentials");
                let credentials = credentials.and_then(toml::Value::as_array_mut);
                for credential in credentials.into_iter().flatten() {
                    credential.as_table_mut().into_iter().for_each(omit_audiences);
                }
                omit_defaults(entry);
            }
        }
        toml::to_string_pretty(&document).unwrap_or_default()
    }

    /// The directory after a change.
    ///
    /// # Errors
    ///
    /// The path names nothing, or the result would have faults, which are those of a directory file
    /// ([`Directory::parse`]).
    pub fn edit(&self, edit: &Edit) -> Result<Self, EditError> {
        self.edited(edit).map(|edited| edited.directory)
    }

    /// The directory after a change, and what has changed.
    pub(crate) fn edited(&self, edit: &Edit) -> Result<Edited, EditError> {
        let mut document = self.to_json();
        let applied = edit.apply(&mut document)?;
        let directory = Self::checked(&document, applied.steps.as_deref())?;
        let document = directory.to_json();
        let value = |steps: &Vec<String>| document.pointer(&pointer(steps)).cloned();
        Ok(Edited {
            value: applied.steps.as_ref().and_then(value),
            path: named(&document, &applied.steps.unwrap_or_default(), true),
            created: applied.created,
            directory,
        })
    }

    /// Checks a directory in JSON. `changed` are the steps to the part that a client has sent.
    pub(super) fn checked(document: &Value, changed: Option<&[String]>) -> Result<Self, EditError> {
        let text = document.to_string();
        let contents = match json::parse(&text) {
            Ok(value) => file::check(Ok(value.clone()), None).map_err(|findings| {
                let located = |finding: Finding| {
                    let steps = json::steps_to(&value, finding.position);
                    locate(document, changed, &steps, finding.text)
                };
                findings.into_iter().map(located).collect()
            }),
            Err(finding) => {
                let steps = steps_to_null(document).unwrap_or_default();
                Err(vec![locate(document, changed, &steps, finding.text)])
            }
        };
        contents.map(|contents| Self(Arc::new(contents))).map_err(EditError::Faults)
    }

    /// The part of the JSON form that a path names.
    pub(crate) fn part(&self, path: &[String]) -> Result<Value, EditError> {
        let document = self.to_json();
        let place = Place::find(&document, path)?;
        place.value(&document).cloned().ok_or_else(|| missing(&document, path))
    }
}

fn omit_defaults(fields: &mut toml::Table) {
    fields.retain(|_, value| match value {
        toml::Value::Boolean(set) => *set,
        toml::Value::Array(elements) => !elements.is_empty(),
        toml::Value::Table(fields) => !fields.is_empty(),
        _ => true,
    });
}

fn omit_audiences(credential: &mut toml::Table) {
    let default = [TOKEN_EXCHANGE];
    let audiences = credential.get(AUDIENCES).and_then(toml::Value::as_array);
    let is_default =
        |audiences: &Vec<toml::Value>| audiences.iter().filter_map(toml::Value::as_str).eq(default);
    if audiences.is_some_and(is_default) {
        credential.remove(AUDIENCES);
    }
}

/// The fault at the value to which these steps lead. `changed` are the steps to the new value.
fn locate(
    document: &Value,
    changed: Option<&[String]>,
    steps: &[String],
    detail: String,
) -> EditFault {
    let pointer = match changed.and_then(|changed| steps.strip_prefix(changed)) {
        Some(rest) => format!("#{}", pointer(rest)),
        None => named(document, steps, false).join("/"),
    };
    EditFault { pointer, detail }
}

/// The steps as the segments of a path: entries and texts have their ids or names, not indexes.
fn named(document: &Value, steps: &[String], by_id: bool) -> Vec<String> {
    let mut path = Vec::new();
    for (depth, step) in steps.iter().enumerate() {
        let value = document.pointer(&pointer(&steps[..=depth])).unwrap_or(&Value::Null);
        let id = || ["id", "oid", "client_id"].iter().find_map(|field| value[*field].as_str());
        let name = match depth {
            1 if by_id => id(),
            1 => value["name"].as_str(),
            _ if step.parse::<usize>().is_ok() => value.as_str().or(value["subject"].as_str()),
            _ => None,
        };
        path.push(name.unwrap_or(step).to_owned());
    }
    path
}

/// The steps to the first `null`.
fn steps_to_null(value: &Value) -> Option<Vec<String>> {
    let with = |step: String, value: &Value| {
        steps_to_null(value).map(|steps| [vec![step], steps].concat())
    };
    match value {
        Value::Null => Some(Vec::new()),
        Value::Array(elements) => {
            let mut elements = elements.iter().enumerate();
            elements.find_map(|(index, value)| with(index.to_string(), value))
        }
        Value::Object(fields) => {
            fields.iter().find_map(|(field, value)| with(field.clone(), value))
        }
        _ => None,
    }
}

/// Checks that this is JSON without duplicate keys. The error is one line of text.
pub(crate) fn check_keys(text: &str) -> Result<(), String> {
    json::check_keys(text).map_err(|finding| finding.into_fault(text).to_string())
}
