//! Who may do what.

use super::{refusal::Refusal, routes::Collection};

/// The account that the token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Account {
    /// Cloud Application Administrator: registers apps, consents for everybody and assigns roles.
    #[default]
    Administrator,
    /// Application Developer: registers apps and changes their own, and can neither consent for
    /// everybody nor assign roles.
    Developer,
    /// A member of a tenant in which only administrators register apps.
    Member,
}

impl Account {
    /// Whether the account may send this request with a token that has these scopes. Each page of
    /// the reference lists both, as in <https://learn.microsoft.com/graph/api/application-update>.
    pub(super) fn check(
        self,
        scopes: &[String],
        is_write: bool,
        collection: Collection,
    ) -> Result<(), Refusal> {
        let accepted = match (collection, is_write) {
            (Collection::Grants, false) => GRANTS_READ,
            (Collection::Grants, true) => GRANTS_WRITE,
            (Collection::Assignments, true) => ASSIGNMENTS_WRITE,
            (Collection::Users, _) => USERS,
            (Collection::Organization, _) => ORGANIZATION,
            (_, false) => APPLICATIONS_READ,
            (_, true) => APPLICATIONS_WRITE,
        };
        let has_scope = scopes.iter().any(|scope| accepted.contains(&scope.as_str()));
        let has_role = !is_write
            || match self {
                Self::Administrator => true,
                Self::Developer => {
                    !matches!(collection, Collection::Grants | Collection::Assignments)
                }
                Self::Member => false,
            };
        match has_scope && has_role {
            true => Ok(()),
            false => Err(Refusal::denied()),
        }
    }
}

const APPLICATIONS_READ: &[&str] =
    &["Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All"];
const APPLICATIONS_WRITE: &[&str] = &["Application.ReadWrite.All"];
const GRANTS_READ: &[&str] = &["Directory.Read.All", "DelegatedPermissionGrant.ReadWrite.All"];
const GRANTS_WRITE: &[&str] = &["DelegatedPermissionGrant.ReadWrite.All"];
const ASSIGNMENTS_WRITE: &[&str] = &["AppRoleAssignment.ReadWrite.All"];
const USERS: &[&str] = &["User.ReadBasic.All", "User.Read.All", "Directory.Read.All"];
const ORGANIZATION: &[&str] = &["Organization.Read.All", "User.Read", "Directory.Read.All"];
