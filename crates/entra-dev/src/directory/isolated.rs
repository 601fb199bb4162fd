//! Directories for isolated tenants.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    ids::{API_CLIENT_ID, SWAGGER_UI_CLIENT_ID},
    random,
};

use super::{
    apply::add_ids,
    cascade,
    collection::Collection,
    edit::{EditError, EditFault},
    lookup::Directory,
};

/// The directory of an isolated tenant.
pub(crate) struct IsolatedCopy {
    pub(crate) directory: Directory,
    /// The id of the first tenant.
    pub(crate) id: String,
    /// The client ids of the copies of the Todo API and of Swagger UI, if they are in it.
    pub(crate) built_in: [Option<String>; 2],
}

/// A copy of a directory in JSON in which all ids are new and no tenant has a domain, because both
/// name tenants in URLs. The tenant of personal accounts, which has the same id everywhere, is left
/// out with everything that belongs to it.
///
/// # Errors
///
/// The directory has faults, or has no tenant but that of personal accounts.
pub(crate) fn isolated_copy(mut document: Value) -> Result<IsolatedCopy, EditError> {
    add_ids(&mut document);
    document = Directory::checked(&document, Some(&[]))?.to_json();
    let personal = |tenant: &Value| tenant["personal"] == true;
    while let Some(index) = Collection::Tenants.entries(&document).iter().position(personal) {
        cascade::remove(&mut document, Collection::Tenants, index);
    }
    for tenant in document["tenants"].as_array_mut().into_iter().flatten() {
        tenant["domains"] = Value::Array(Vec::new());
    }
    let ids: HashMap<_, _> = Collection::ALL
        .into_iter()
        .flat_map(|kind| kind.entries(&document).iter().map(move |entry| &entry[kind.id_field()]))
        .filter_map(|id| Some((id.as_str()?.to_owned(), random::guid())))
        .collect();
    let text = with_ids(&document.to_string(), &ids);
    let document = serde_json::from_str::<Value>(&text).unwrap_or_default();
    let Some(id) = document["tenants"][0]["id"].as_str().map(str::to_owned) else {
        return Err(EditError::Faults(vec![EditFault {
            pointer: "#/tenants".to_owned(),
            detail: "there must be a tenant other than that of personal accounts".to_owned(),
        }]));
    };
    let built_in = [API_CLIENT_ID, SWAGGER_UI_CLIENT_ID].map(|id| ids.get(id).cloned());
    let directory = Directory::checked(&document, Some(&[]))?;
    Ok(IsolatedCopy { directory, id, built_in })
}

/// Replaces ids wherever they are in a text, such as in App ID URIs.
fn with_ids(text: &str, ids: &HashMap<String, String>) -> String {
    const LENGTH: usize = 36;
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let id = rest.get(..LENGTH).filter(|id| id.as_bytes()[8] == b'-');
        match id.and_then(|id| ids.get(id)) {
            Some(id) => {
                replaced.push_str(id);
                rest = &rest[LENGTH..];
            }
            None => {
                replaced.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    replaced
}
