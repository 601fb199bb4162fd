//! Authorities: the `{tenant}` segment of a path.

use std::sync::Arc;

use uuid::Uuid;

use super::{lookup::Directory, person::Person, tenant::Tenant};

/// The accounts that an endpoint serves
/// (<https://learn.microsoft.com/entra/identity-platform/msal-client-application-configuration#authority>).
#[derive(Debug, Clone)]
pub(crate) enum Authority {
    /// One tenant. Personal accounts are a tenant, too.
    Tenant(Arc<Tenant>),
    /// Work, school and personal accounts.
    Common,
    /// Work and school accounts.
    Organizations,
}

impl Authority {
    /// Parses a path segment: a GUID, a domain, `common`, `organizations` or `consumers`.
    pub(crate) fn parse(directory: &Directory, segment: &str) -> Option<Self> {
        let is = |name: &str| name.eq_ignore_ascii_case(segment);
        if is("common") {
            return Some(Self::Common);
        }
        if is("organizations") {
            return Some(Self::Organizations);
        }
        let named = |tenant: &&Arc<Tenant>| {
            is(&tenant.id)
                || tenant.domains.iter().any(|domain| is(domain))
                || (tenant.personal && is("consumers"))
        };
        directory.tenants().iter().find(named).map(|tenant| Self::Tenant(Arc::clone(tenant)))
    }

    /// Whether this has the form of a tenant id or a domain.
    pub(crate) fn is_well_formed(segment: &str) -> bool {
        let is_label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let is_domain = || segment.contains('.') && segment.split('.').all(is_label);
        Uuid::try_parse(segment).is_ok() || is_domain()
    }

    /// The segment in published URLs. As in Entra, a domain becomes the GUID.
    pub(crate) fn segment(&self) -> &str {
        match self {
            Self::Tenant(tenant) if tenant.personal => "consumers",
            Self::Tenant(tenant) => &tenant.id,
            Self::Common => "common",
            Self::Organizations => "organizations",
        }
    }

    /// The tenant in the published issuer: as in Entra, a template if the tenant is not known.
    pub(crate) fn issuer_segment(&self) -> &str {
        match self {
            Self::Tenant(tenant) => &tenant.id,
            Self::Common | Self::Organizations => "{tenantid}",
        }
    }

    /// The tenant, unless this is `common` or `organizations`.
    pub(crate) fn tenant(&self) -> Option<&Arc<Tenant>> {
        match self {
            Self::Tenant(tenant) => Some(tenant),
            Self::Common | Self::Organizations => None,
        }
    }

    /// Whether this person may sign in here.
    pub(crate) fn admits(&self, directory: &Directory, person: &Person) -> bool {
        match self {
            Self::Tenant(tenant) => person.tenant == tenant.id,
            Self::Common => true,
            Self::Organizations => {
                directory.tenant(&person.tenant).is_none_or(|tenant| !tenant.personal)
            }
        }
    }

    /// All people who may sign in here. The user accounts of agents have no credentials.
    pub(crate) fn people<'a>(
        &'a self,
        directory: &'a Directory,
    ) -> impl Iterator<Item = &'a Arc<Person>> {
        let people = directory.people().iter().filter(|person| person.agent_identity.is_none());
        people.filter(|person| self.admits(directory, person))
    }
}

impl PartialEq for Authority {
    fn eq(&self, other: &Self) -> bool {
        self.segment() == other.segment()
    }
}
