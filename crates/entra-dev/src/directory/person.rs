//! People.

use std::collections::BTreeMap;

use crate::ids::CONSUMERS;

/// A person who can sign in. All people are fictional, and none has a password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// The short name for command lines: `ada`.
    pub name: String,
    /// The `name` claim: `Ada Adler`.
    pub display_name: String,
    /// The `preferred_username` claim: `ada@contoso.example`.
    pub sign_in_name: String,
    /// The `email` claim. Default: the sign-in name.
    pub email: String,
    /// The `oid` claim, a GUID. It is the same for every app.
    pub oid: String,
    /// The GUID of the person's tenant: the `tid` claim.
    pub tenant: String,
    /// Whether the person is a guest in the tenant: the `acct` claim is 1.
    pub guest: bool,
    /// Whether this person may consent for everybody in the tenant.
    pub administrator: bool,
    /// The client id of the agent whose user account this is; `None` for a human.
    pub agent_identity: Option<String>,
    /// The GUIDs of the groups this person is in.
    pub groups: Vec<String>,
    /// The app roles, by the client id of the app. An empty list means that the person is assigned
    /// to the app without a role.
    pub assignments: BTreeMap<String, Vec<String>>,
}

impl Person {
    /// The app roles for the app with this client id. If there are none, tokens have no `roles`
    /// claim.
    pub fn roles(&self, client_id: &str) -> &[String] {
        self.assignments.get(client_id).map_or(&[], Vec::as_slice)
    }

    /// The first name: the display name up to the first space.
    pub(crate) fn given_name(&self) -> &str {
        self.display_name.split_once(' ').map_or(&self.display_name, |(given, _)| given)
    }

    /// The last name: the display name after the first space.
    pub(crate) fn family_name(&self) -> Option<&str> {
        self.display_name.split_once(' ').map(|(_, family)| family).filter(|name| !name.is_empty())
    }

    /// The `upn` claim. Guests and personal accounts have none here.
    pub(crate) fn principal_name(&self) -> Option<&str> {
        (!self.guest && !self.is_personal()).then_some(self.sign_in_name.as_str())
    }

    /// Whether this is a personal account.
    pub(crate) fn is_personal(&self) -> bool {
        self.tenant == CONSUMERS
    }

    /// Whether the person has this name, sign-in name or `oid`, ignoring case.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        [&self.name, &self.sign_in_name, &self.oid]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// No person has the requested name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no person {name:?}; choose one of: {known}")]
#[non_exhaustive]
pub struct UnknownPerson {
    /// The requested name.
    pub name: String,
    /// The short names of all people, separated by commas.
    pub known: String,
}
