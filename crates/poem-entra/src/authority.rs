//! Where tokens come from, and the issuers each cloud writes into them (rule V2).

use std::fmt;

use url::Url;

use crate::ids::TenantId;

/// The part of an issuer that stands for the tenant, in discovery documents and key sets
/// (<https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer>).
pub(crate) const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// An instance and a directory in it.
#[derive(Debug, Clone)]
pub struct Authority {
    instance: Url,
    directory: Directory,
}

/// The path segment behind the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directory {
    /// One tenant, by its id.
    Tenant(TenantId),
    /// One tenant, by a domain of its own; discovery tells the id.
    Domain(String),
    /// Work, school and personal accounts.
    Common,
    /// Work and school accounts of any tenant.
    Organizations,
    /// Personal accounts.
    Consumers,
}

impl Authority {
    pub(crate) fn new(instance: Url, directory: Directory) -> Self {
        Self { instance, directory }
    }

    /// The address that OAuth's endpoints start with: `{instance}/{directory}`.
    pub fn url(&self) -> String {
        format!("{}/{}", self.instance_url(), self.directory)
    }

    /// The instance without a trailing slash.
    pub fn instance_url(&self) -> &str {
        self.instance.as_str().trim_end_matches('/')
    }

    /// The origin a browser needs to reach for the token (`scheme://host:port`).
    pub fn origin(&self) -> String {
        self.instance.origin().ascii_serialization()
    }

    /// What follows the instance.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Whether documents are fetched over plain http, which only loopback hosts may.
    pub(crate) fn is_plain_http(&self) -> bool {
        self.instance.scheme() == "http"
    }

    /// OpenID Connect Discovery 1.0, section 4, at the place Entra puts it.
    pub(crate) fn discovery_url(&self) -> String {
        format!("{}/v2.0/.well-known/openid-configuration", self.url())
    }

    /// The issuers of this instance where Microsoft documents them; `None` where only the
    /// discovery document can say.
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

/// What `iss` must be in tokens of either version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issuers {
    pub(crate) v2: IssuerTemplate,
    /// `None` where the cloud issues no v1 tokens, or nobody says what they look like.
    pub(crate) v1: Option<IssuerTemplate>,
}

/// An issuer with `{tenantid}` where the tenant goes; possibly none, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssuerTemplate(String);

impl IssuerTemplate {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The issuer of one tenant, with `tid` written as the token writes it.
    pub(crate) fn fill(&self, tid: &str) -> String {
        self.0.replace(TENANT_PLACEHOLDER, tid)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
