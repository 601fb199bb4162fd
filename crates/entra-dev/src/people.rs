use crate::ids::{CONSUMERS, CONTOSO, FABRIKAM};

/// Somebody who can sign in. Everybody is made up and nobody has a password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// The short name for command lines: `ada`.
    pub name: &'static str,
    /// The `name` claim: `Ada Adler`.
    pub display_name: &'static str,
    /// The `preferred_username` claim: `ada@contoso.example`.
    pub sign_in_name: &'static str,
    /// The `oid` claim, a GUID: who this is, whichever app asks.
    pub oid: &'static str,
    /// The GUID of the tenant whose account this is: the `tid` claim.
    pub tenant: &'static str,
    /// The app roles assigned to this person for the API; empty leaves the `roles` claim out.
    pub roles: &'static [&'static str],
    /// Whether this is a guest in the tenant, which the `acct` claim says with 1.
    pub guest: bool,
}

/// No person goes by the name that was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nobody here is called {name:?}; there are {}", names())]
pub struct UnknownPerson {
    /// What was asked for.
    pub name: String,
}

/// Everybody who can sign in, in the order in which the account page shows them.
pub fn people() -> &'static [Person] {
    &PEOPLE
}

/// The person with this name, sign-in name or `oid`, in any case.
pub(crate) fn find(name: &str) -> Result<&'static Person, UnknownPerson> {
    PEOPLE
        .iter()
        .find(|person| {
            [person.name, person.sign_in_name, person.oid]
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        })
        .ok_or_else(|| UnknownPerson { name: name.to_owned() })
}

fn names() -> String {
    PEOPLE.iter().map(|person| person.name).collect::<Vec<_>>().join(", ")
}

static PEOPLE: [Person; 7] = [
    Person {
        name: "ada",
        display_name: "Ada Adler",
        sign_in_name: "ada@contoso.example",
        oid: "ada00000-0000-4000-8000-000000000001",
        tenant: CONTOSO,
        roles: &["Admin"],
        guest: false,
    },
    Person {
        name: "uma",
        display_name: "Uma Ulrich",
        sign_in_name: "uma@contoso.example",
        oid: "0a000000-0000-4000-8000-000000000002",
        tenant: CONTOSO,
        roles: &["User"],
        guest: false,
    },
    Person {
        name: "ulf",
        display_name: "Ulf Urban",
        sign_in_name: "ulf@contoso.example",
        oid: "0f000000-0000-4000-8000-000000000003",
        tenant: CONTOSO,
        roles: &["User"],
        guest: false,
    },
    Person {
        name: "noel",
        display_name: "Noel Novak",
        sign_in_name: "noel@contoso.example",
        oid: "0e100000-0000-4000-8000-000000000004",
        tenant: CONTOSO,
        roles: &[],
        guest: false,
    },
    Person {
        name: "gus",
        display_name: "Gus Grant",
        sign_in_name: "gus@contoso.example",
        oid: "9c500000-0000-4000-8000-000000000005",
        tenant: CONTOSO,
        roles: &["User"],
        guest: true,
    },
    // Entra pads the 64-bit id of a personal account with zeros to make its `oid`.
    Person {
        name: "pia",
        display_name: "Pia Porter",
        sign_in_name: "pia@contoso.example",
        oid: "00000000-0000-0000-91a0-000000000006",
        tenant: CONSUMERS,
        roles: &[],
        guest: false,
    },
    Person {
        name: "tia",
        display_name: "Tia Tanner",
        sign_in_name: "tia@fabrikam.example",
        oid: "71a00000-0000-4000-8000-000000000007",
        tenant: FABRIKAM,
        roles: &["Admin"],
        guest: false,
    },
];
