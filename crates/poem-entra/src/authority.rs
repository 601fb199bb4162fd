//! The authority that issues the tokens, and the issuers (`iss`) that each cloud documents.

use std::fmt;

use url::Url;

use crate::ids::TenantId;

/// The placeholder for the tenant id in the issuers of discovery documents and key sets
/// (<https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer>).
pub(crate) const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// An authority: an instance and a directory in it.
#[derive(Debug, Clone)]
pub struct Authority {
    instance: Url,
    directory: Directory,
}

/// The path segment after the instance. It says whose accounts can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directory {
    /// One tenant, by its id.
    Tenant(TenantId),
    /// One tenant, by one of its domains. The discovery document contains the tenant's id.
    Domain(String),
    /// Work, school and personal accounts.
    Common,
    /// Work and school accounts.
    Organizations,
    /// Personal accounts.
    Consumers,
}

impl Authority {
    pub(crate) fn new(instance: Url, directory: Directory) -> Self {
        Self { instance, directory }
    }

    /// The URL that the OAuth endpoints start with: `{instance}/{directory}`, without a trailing
    /// slash.
    pub fn url(&self) -> String {
        format!("{}/{}", self.instance_url(), self.directory)
    }

    /// The instance's URL without a trailing slash.
    pub fn instance_url(&self) -> &str {
        self.instance.as_str().trim_end_matches('/')
    }

    /// The origin of the instance, `scheme://host` with the port if it is not the default. A page
    /// that requests tokens must be allowed to connect to it.
    pub fn origin(&self) -> String {
        self.instance.origin().ascii_serialization()
    }

    /// The directory.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Whether documents are fetched over plain http, which is allowed only for loopback hosts.
    pub(crate) fn is_plain_http(&self) -> bool {
        self.instance.scheme() == "http"
    }

    /// The URL of Entra's v2 discovery document (OpenID Connect Discovery 1.0, section 4).
    pub(crate) fn discovery_url(&self) -> String {
        format!("{}/v2.0/.well-known/openid-configuration", self.url())
    }

    /// The issuers that Microsoft documents for this instance. `None` for any other instance, whose
    /// issuer is known only from the discovery document.
    pub(crate) fn documented_issuers(&self) -> Option<Issuers> {
        let host = self.instance.host_str()?;
        if self.instance.scheme() != "https" || self.instance.port().is_some() {
            return None;
        }
        let (v2, v1) = match host {
            "login.microsoftonline.com" => (
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                Some("https://sts.windows.net/{tenantid}/"),
            ),
            "login.microsoftonline.us" => (
                "https://login.microsoftonline.us/{tenantid}/v2.0",
                Some("https://sts.windows.net/{tenantid}/"),
            ),
            "login.partner.microsoftonline.cn" | "login.chinacloudapi.cn" => (
                "https://login.partner.microsoftonline.cn/{tenantid}/v2.0",
                Some("https://sts.chinacloudapi.cn/{tenantid}/"),
            ),
            _ if host.ends_with(".ciamlogin.com") => {
                ("https://{tenantid}.ciamlogin.com/{tenantid}/v2.0", None)
            }
            _ => return None,
        };
        Some(Issuers { v2: IssuerTemplate::new(v2), v1: v1.map(IssuerTemplate::new) })
    }
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tenant(tenant) => tenant.fmt(f),
            Self::Domain(domain) => f.write_str(domain),
            Self::Common => f.write_str("common"),
            Self::Organizations => f.write_str("organizations"),
            Self::Consumers => f.write_str("consumers"),
        }
    }
}

/// The issuers that `iss` must match: one for each token version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issuers {
    pub(crate) v2: IssuerTemplate,
    /// `None` if the cloud issues no v1 tokens, or if their issuer is not known.
    pub(crate) v1: Option<IssuerTemplate>,
}

/// An issuer in which `{tenantid}` is the placeholder for the tenant id. It can occur any number of
/// times, or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssuerTemplate(String);

impl IssuerTemplate {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The issuer of one tenant. `tid` must be spelled as in the token, because issuers are
    /// compared byte for byte.
    pub(crate) fn fill(&self, tid: &str) -> String {
        self.0.replace(TENANT_PLACEHOLDER, tid)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
