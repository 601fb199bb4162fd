use std::collections::BTreeMap;

/// Somebody who can sign in. Everybody is made up and nobody has a password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// The short name for command lines: `ada`.
    pub name: String,
    /// The `name` claim: `Ada Adler`.
    pub display_name: String,
    /// The `preferred_username` claim: `ada@contoso.example`.
    pub sign_in_name: String,
    /// The `email` claim; the sign-in name where the directory gives no other.
    pub email: String,
    /// The `oid` claim, a GUID: who this is, whichever app asks.
    pub oid: String,
    /// The GUID of the tenant whose account this is: the `tid` claim.
    pub tenant: String,
    /// Whether this is a guest in the tenant, which the `acct` claim says with 1.
    pub guest: bool,
    /// Whether this person may consent for everybody in the tenant.
    pub administrator: bool,
    /// The GUIDs of the groups this person is in.
    pub groups: Vec<String>,
    /// The app roles this person has, by the client id of the app; an app without roles counts as
    /// assigned too.
    pub assignments: BTreeMap<String, Vec<String>>,
}

impl Person {
    /// The app roles assigned to this person for the app with this client id; empty leaves the
    /// `roles` claim out.
    pub fn roles(&self, client_id: &str) -> &[String] {
        self.assignments.get(client_id).map_or(&[], Vec::as_slice)
    }

    /// Whether this name, sign-in name or `oid`, in any case, is this person's.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        [&self.name, &self.sign_in_name, &self.oid]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// No person goes by the name that was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nobody here is called {name:?}; there are {known}")]
#[non_exhaustive]
pub struct UnknownPerson {
    /// What was asked for.
    pub name: String,
    /// The short names of everybody there is, separated by commas.
    pub known: String,
}
