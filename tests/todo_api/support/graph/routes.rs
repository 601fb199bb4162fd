//! What a path names.

use super::refusal::Refusal;

/// The objects that a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collection {
    Applications,
    ServicePrincipals,
    /// `oauth2PermissionGrants`
    Grants,
    /// `servicePrincipals/{id}/appRoleAssignedTo`
    Assignments,
    Users,
    Organization,
    /// `directory/deletedItems`
    DeletedItems,
}

/// How a path names one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// By object id; for users also by name.
    Id(String),
    /// By an alternate key: `applications(appId='…')`.
    Alternate(String, String),
}

/// A path below `/v1.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) collection: Collection,
    /// The object; for assignments, the service principal.
    pub(super) key: Option<Key>,
    /// An action such as `addPassword`, the type of deleted items, or the id of an assignment.
    pub(super) rest: Option<String>,
}

impl Route {
    /// Reads a percent-decoded path without its query.
    pub(super) fn parse(path: &str) -> Result<Self, Refusal> {
        let unknown = || {
            let message = format!("Resource not found for the segment '{path}'.");
            Refusal::new(400, "BadRequest", message)
        };
        let path = path.strip_prefix("/v1.0/").ok_or_else(unknown)?;
        let segments: Vec<&str> = path.split('/').collect();
        let (name, alternate) = match segments[0].split_once('(') {
            Some((name, key)) => (name, Some(alternate(key).ok_or_else(unknown)?)),
            None => (segments[0], None),
        };
        let id = |index: usize| segments.get(index).map(|id| Key::Id((*id).to_owned()));
        // The first segment after the key.
        let after = if alternate.is_some() { 1 } else { 2 };
        let rest = |index: usize| segments.get(index).map(|&rest| rest.to_owned());
        let (collection, key, rest, most) = match name {
            "organization" => (Collection::Organization, None, None, 1),
            "users" => (Collection::Users, id(1), None, 2),
            "applications" => {
                (Collection::Applications, alternate.or(id(1)), rest(after), after + 1)
            }
            "oauth2PermissionGrants" => (Collection::Grants, id(1), None, 2),
            "servicePrincipals" if rest(after).as_deref() == Some("appRoleAssignedTo") => {
                (Collection::Assignments, alternate.or(id(1)), rest(after + 1), after + 2)
            }
            "servicePrincipals" => {
                (Collection::ServicePrincipals, alternate.or(id(1)), None, after)
            }
            "directory" if rest(1).as_deref() == Some("deletedItems") => {
                (Collection::DeletedItems, id(2), rest(3), 4)
            }
            _ => return Err(unknown()),
        };
        let empty = segments.iter().any(|segment| segment.is_empty());
        match segments.len() > most || empty {
            true => Err(unknown()),
            false => Ok(Self { collection, key, rest }),
        }
    }
}

/// The name and the value in `appId='…')`.
fn alternate(key: &str) -> Option<Key> {
    let (name, value) = key.strip_suffix("')")?.split_once("='")?;
    Some(Key::Alternate(name.to_owned(), value.replace("''", "'")))
}
