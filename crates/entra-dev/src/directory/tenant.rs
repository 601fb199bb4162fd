//! Tenants and groups.

/// An organization, or all personal accounts together.
#[derive(Debug)]
pub(crate) struct Tenant {
    /// The GUID: the `tid` claim.
    pub(crate) id: String,
    /// The display name.
    pub(crate) name: String,
    /// The domains that name it in URLs.
    pub(crate) domains: Vec<String>,
    /// Whether this is the tenant of all personal Microsoft accounts.
    pub(crate) personal: bool,
}

/// A security group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// The GUID that the `groups` claim carries.
    pub(crate) id: String,
    /// The display name.
    pub(crate) name: String,
    /// The id of its tenant.
    pub(crate) tenant: String,
}
