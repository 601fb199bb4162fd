//! Changes to a directory.

use serde_json::Value;

use crate::keys::KeyError;

/// A change to a directory, as in the HTTP interface below `/_dev/directory`.
///
/// The path names what is changed: a collection (`tenants`, `groups`, `people` or `apps`), the id
/// or name of an entry, and then fields and elements of lists. The values are those of a directory
/// file in JSON.
///
/// ```
/// use entra_dev::{Directory, Edit};
/// use serde_json::json;
///
/// let directory = Directory::default()
///     .edit(&Edit::patch(["people", "noel"], json!({ "roles": { "Todo API": ["Admin"] } })))?
///     .edit(&Edit::add(["apps", "Web site", "redirect_uris", "web"], "https://shop.example/in"))?
///     .edit(&Edit::remove(["people", "gus"]))?;
/// assert_eq!(directory.people()[3].name, "noel");
/// # Ok::<(), entra_dev::EditError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    pub(super) path: Vec<String>,
    pub(super) change: Change,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    Add(Value),
    Put(Value),
    Patch(Value),
    Remove,
}

/// Why a directory cannot be changed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The path names nothing. The text lists what there is.
    #[error("{0}")]
    Missing(String),
    /// What the path names cannot be changed like this.
    #[error("this cannot be done here; choose one of: {allowed}")]
    NotAllowed {
        /// The methods that are possible, separated by commas.
        allowed: &'static str,
    },
    /// The directory would have these faults.
    #[error("{}", list(.0))]
    Faults(Vec<EditFault>),
    /// There are as many isolated tenants as are possible.
    #[error("there are {0} isolated tenants already: remove those that are not used any more")]
    TooManyTenants(usize),
    /// The key of an app with its own signing key cannot be read or generated.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

/// What is wrong with a changed directory.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct EditFault {
    /// In the new value, a JSON pointer as a URI fragment (`#/tenant`, RFC 6901); elsewhere in the
    /// directory, the path (`people/ada/roles`).
    pub pointer: String,
    /// What is wrong, and what is expected instead: the same text as for a directory file.
    pub detail: String,
}

fn list(faults: &[EditFault]) -> String {
    let texts = faults.iter().map(|EditFault { pointer, detail }| match pointer.as_str() {
        "#" => detail.clone(),
        pointer => format!("{pointer}: {detail}"),
    });
    texts.collect::<Vec<_>>().join("; ")
}

impl Edit {
    /// Adds an entry to a collection, or a text to a list such as `apps/Web site/secrets`. If the
    /// entry has no id, it gets a random one. A text that is in the list already is not added
    /// again.
    pub fn add(path: impl IntoIterator<Item: Into<String>>, value: impl Into<Value>) -> Self {
        Self::new(path, Change::Add(value.into()))
    }

    /// Creates or replaces an entry, a field or an element of a list. A replaced entry keeps its id
    /// if the value has none.
    pub fn put(path: impl IntoIterator<Item: Into<String>>, value: impl Into<Value>) -> Self {
        Self::new(path, Change::Put(value.into()))
    }

    /// Changes some fields of an entry (JSON Merge Patch, RFC 7396): `null` removes a field. If the
    /// name or the id changes, references in other entries follow.
    pub fn patch(path: impl IntoIterator<Item: Into<String>>, value: impl Into<Value>) -> Self {
        Self::new(path, Change::Patch(value.into()))
    }

    /// Removes an entry, a field or an element of a list. An entry is removed with its memberships
    /// and assignments, and with what belongs to it: a tenant with its groups, people and apps, a
    /// blueprint with its agents, an agent with its user account.
    pub fn remove(path: impl IntoIterator<Item: Into<String>>) -> Self {
        Self::new(path, Change::Remove)
    }

    fn new(path: impl IntoIterator<Item: Into<String>>, change: Change) -> Self {
        Self { path: path.into_iter().map(Into::into).collect(), change }
    }
}
