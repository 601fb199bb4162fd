//! What differs between the protocols.

/// A protocol for tokens of managed identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// App Service, Azure Functions and Azure Container Apps.
    AppService,
    /// The Azure Instance Metadata Service of virtual machines.
    Imds,
}

impl Protocol {
    /// The name in the audit trail.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AppService => "App Service",
            Self::Imds => "IMDS",
        }
    }

    /// The first version of the protocol that is accepted.
    pub(super) fn first_version(self) -> &'static str {
        match self {
            Self::AppService => "2019-08-01",
            Self::Imds => "2018-02-01",
        }
    }

    /// The parameters that name an identity: by client id, by object id, by resource.
    pub(super) fn selectors(self) -> [&'static [&'static str]; 3] {
        match self {
            Self::AppService => [&["client_id"], &["principal_id", "object_id"], &["mi_res_id"]],
            Self::Imds => [&["client_id"], &["object_id"], &["msi_res_id", "mi_res_id"]],
        }
    }
}
