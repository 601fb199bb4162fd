//! The caller of Microsoft Graph, and what the caller may read.

use std::sync::Arc;

use poem::Request;
use serde_json::Value;

use crate::{
    directory::{Directory, Person},
    http::{bearer::bearer_token, context::Context},
};

use super::{error::GraphError, resource::Target};

/// Who calls, as the access token says.
pub(super) struct Caller {
    /// The GUID of the tenant. Other tenants are not visible.
    tenant: String,
    /// The object id of the person; `None` if an app calls for itself.
    person: Option<String>,
    /// The delegated permissions or, if an app calls for itself, its app roles.
    permissions: Vec<String>,
}

/// Permissions that are enough: all of one row.
type Needed = &'static [&'static [&'static str]];

/// To read oneself (<https://learn.microsoft.com/graph/api/user-get>).
const READ_SELF: Needed =
    &[&["User.Read"], &["User.ReadBasic.All"], &["User.Read.All"], &["Directory.Read.All"]];
/// To read another person.
const READ_OTHER: Needed = &[&["User.ReadBasic.All"], &["User.Read.All"], &["Directory.Read.All"]];
/// To read one's own memberships (<https://learn.microsoft.com/graph/api/user-getmemberobjects>).
const MEMBERSHIPS_OF_SELF: Needed = &[
    &["User.Read"],
    &["User.Read.All"],
    &["Directory.Read.All"],
    &["User.ReadBasic.All", "GroupMember.Read.All"],
    &["User.ReadBasic.All", "Group.Read.All"],
];
/// To read those of another person.
const MEMBERSHIPS_OF_OTHER: Needed = &[
    &["User.Read.All"],
    &["Directory.Read.All"],
    &["User.ReadBasic.All", "GroupMember.Read.All"],
    &["User.ReadBasic.All", "Group.Read.All"],
];
/// To see more of a group than its id.
const SEE_GROUPS: Needed =
    &[&["GroupMember.Read.All"], &["Group.Read.All"], &["Directory.Read.All"]];
/// To see more of a directory role than its id.
const SEE_ROLES: Needed = &[&["Directory.Read.All"]];

impl Caller {
    /// Verifies the access token of a request. `base_url` is the URL of the listener.
    pub(super) fn authenticate(
        context: &Context,
        directory: &Directory,
        request: &Request,
        base_url: &str,
    ) -> Result<Self, GraphError> {
        let token = bearer_token(request).ok_or_else(|| GraphError::token_missing(base_url))?;
        let token = context.issuer.verify_access_token(directory.graph(), token);
        let token = token.map_err(|error| GraphError::token(base_url, &error))?;
        let text = |name| token.claim(name).unwrap_or_default().to_owned();
        let roles = token.claims.get("roles").and_then(Value::as_array);
        let is_delegated = token.claims.contains_key("scp");
        let permissions = match is_delegated {
            true => text("scp").split(' ').map(str::to_owned).collect(),
            false => (roles.into_iter().flatten())
                .filter_map(|role| role.as_str().map(str::to_owned))
                .collect(),
        };
        Ok(Self { tenant: text("tid"), person: is_delegated.then(|| text("oid")), permissions })
    }

    /// The person of whom the caller may read the profile.
    pub(super) fn may_read<'a>(
        &self,
        directory: &'a Directory,
        target: &Target,
    ) -> Result<&'a Arc<Person>, GraphError> {
        self.find(directory, target, READ_SELF, READ_OTHER)
    }

    /// The person of whom the caller may read the memberships.
    pub(super) fn may_read_memberships<'a>(
        &self,
        directory: &'a Directory,
        target: &Target,
    ) -> Result<&'a Arc<Person>, GraphError> {
        self.find(directory, target, MEMBERSHIPS_OF_SELF, MEMBERSHIPS_OF_OTHER)
    }

    /// Whether the caller sees more of groups than their ids.
    pub(super) fn sees_groups(&self) -> bool {
        self.has(SEE_GROUPS)
    }

    /// Whether the caller sees more of directory roles than their ids.
    pub(super) fn sees_roles(&self) -> bool {
        self.has(SEE_ROLES)
    }

    /// The target, if the caller has the permissions. They are checked first, so that a caller
    /// without them does not learn who exists.
    fn find<'a>(
        &self,
        directory: &'a Directory,
        target: &Target,
        for_self: Needed,
        for_other: Needed,
    ) -> Result<&'a Arc<Person>, GraphError> {
        let own = self.person.as_deref();
        let in_tenant = |person: &&Arc<Person>| person.tenant == self.tenant;
        let found = match target {
            Target::Me => {
                let oid = own.ok_or_else(GraphError::not_delegated)?;
                directory.person_with_oid(oid).filter(in_tenant)
            }
            Target::User(name) => {
                let is_it = |person: &&Arc<Person>| {
                    [&person.oid, &person.sign_in_name]
                        .iter()
                        .any(|known| known.eq_ignore_ascii_case(name))
                };
                directory.people().iter().filter(in_tenant).find(is_it)
            }
        };
        let is_self = found.map_or(*target == Target::Me, |person| Some(&*person.oid) == own);
        let needed = if is_self { for_self } else { for_other };
        if !self.has(needed) {
            let rows = needed.iter().map(|row| row.join(" and "));
            return Err(GraphError::denied(&rows.collect::<Vec<_>>().join(", or ")));
        }
        found.ok_or_else(|| match target {
            Target::Me => GraphError::not_found(own.unwrap_or_default()),
            Target::User(name) => GraphError::not_found(name),
        })
    }

    fn has(&self, needed: Needed) -> bool {
        let has = |name: &&str| self.permissions.iter().any(|permission| permission == name);
        needed.iter().any(|row| row.iter().all(has))
    }
}
