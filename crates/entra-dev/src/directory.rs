use crate::ids::{CONSUMERS, CONTOSO, FABRIKAM};
use crate::people::{Person, people};

/// Whose sign-in page this is: what the `{tenant}` segment of a path stands for.
///
/// See "Application configuration options: authority" in the Microsoft identity platform's docs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authority {
    /// One tenant, by the GUID of its id; personal accounts are a tenant like any other.
    Tenant(&'static str),
    /// Work, school and personal accounts.
    Common,
    /// Work and school accounts.
    Organizations,
}

impl Authority {
    /// The authority a path segment names: a GUID, a domain or one of the three words.
    pub(crate) fn parse(segment: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(segment))
            .map(|(_, authority)| *authority)
    }

    /// The segment that the published URLs carry. A domain becomes the GUID, as in Entra.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::Tenant(CONSUMERS) => "consumers",
            Self::Tenant(id) => id,
            Self::Common => "common",
            Self::Organizations => "organizations",
        }
    }

    /// The tenant part of the issuer. Entra publishes a literal template where it can be any.
    pub(crate) fn issuer_segment(self) -> &'static str {
        match self {
            Self::Tenant(id) => id,
            Self::Common | Self::Organizations => "{tenantid}",
        }
    }

    /// Whether this person may sign in here.
    pub(crate) fn admits(self, person: &Person) -> bool {
        match self {
            Self::Tenant(id) => person.tenant == id,
            Self::Common => true,
            Self::Organizations => person.tenant != CONSUMERS,
        }
    }

    /// Everybody who may sign in here.
    pub(crate) fn people(self) -> impl Iterator<Item = &'static Person> {
        people().iter().filter(move |person| self.admits(person))
    }
}

/// What people call the tenant with this GUID.
pub(crate) fn tenant_name(tenant: &str) -> &'static str {
    match tenant {
        CONTOSO => "Contoso",
        FABRIKAM => "Fabrikam",
        _ => "Personal accounts",
    }
}

const NAMES: [(&str, Authority); 8] = [
    (CONTOSO, Authority::Tenant(CONTOSO)),
    ("contoso.example", Authority::Tenant(CONTOSO)),
    (FABRIKAM, Authority::Tenant(FABRIKAM)),
    ("fabrikam.example", Authority::Tenant(FABRIKAM)),
    (CONSUMERS, Authority::Tenant(CONSUMERS)),
    ("consumers", Authority::Tenant(CONSUMERS)),
    ("common", Authority::Common),
    ("organizations", Authority::Organizations),
];
