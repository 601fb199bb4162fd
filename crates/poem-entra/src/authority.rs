//! The authority that issues the tokens, and the issuers (`iss`) of its tokens.

use std::fmt;

use url::Url;

use crate::{
    cloud::Cloud,
    ids::{ClientId, TenantId},
};

/// The placeholder for the tenant id in the issuers of discovery documents and key sets
/// (<https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-issuer>).
pub(crate) const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// The name of the cloud whose tokens have this issuer, by its host, such as `US Government`. Each
/// cloud has its own signing keys. `None` if the host is not one that Microsoft documents.
///
/// ```
/// use poem_entra::authority::cloud_of_issuer;
///
/// let tenant = "11111111-1111-4111-8111-111111111111";
/// let cloud = |host: &str| cloud_of_issuer(&format!("https://{host}/{tenant}/v2.0"));
/// assert_eq!(cloud("login.microsoftonline.us"), Some("US Government"));
/// assert_eq!(cloud("sts.chinacloudapi.cn"), cloud("login.partner.microsoftonline.cn"));
/// assert_eq!(cloud("login.example"), None);
/// ```
pub fn cloud_of_issuer(issuer: &str) -> Option<&'static str> {
    Some(Cloud::of_issuer(&Url::parse(issuer).ok()?)?.name)
}

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

    /// The URL of Entra's v2 discovery document (OpenID Connect Discovery 1.0, section 4). With an
    /// app, it is the document that leads to the app's own signing keys
    /// (<https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signature>).
    pub(crate) fn discovery_url(&self, app: Option<ClientId>) -> String {
        let url = format!("{}/v2.0/.well-known/openid-configuration", self.url());
        match app {
            Some(app) => format!("{url}?appid={app}"),
            None => url,
        }
    }

    /// The cloud that the instance's address belongs to. `None` for any other address: a gateway, a
    /// custom domain or an authority of somebody else.
    pub(crate) fn cloud(&self) -> Option<&'static Cloud> {
        let is_default = self.instance.scheme() == "https" && self.instance.port().is_none();
        Cloud::of_host(self.instance.host_str().filter(|_| is_default)?)
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

    /// Whether this is the issuer of one tenant, as [`Self::fill`] would write it.
    pub(crate) fn matches(&self, issuer: &str, tid: &str) -> bool {
        let mut rest = Some(issuer);
        for (index, part) in self.0.split(TENANT_PLACEHOLDER).enumerate() {
            let tenant = if index == 0 { "" } else { tid };
            rest = rest.and_then(|rest| rest.strip_prefix(tenant)?.strip_prefix(part));
        }
        rest == Some("")
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_matches_only_the_issuer_that_it_is_filled_in_to() {
        let texts = ["", "a", "b", "ab", "aa", "aba", "abab", "/a", "a/a", "a/a/"];
        for template in
            ["", "a", "{tenantid}", "{tenantid}/{tenantid}", "a{tenantid}", "/{tenantid}"]
        {
            let template = IssuerTemplate::new(template);
            for (issuer, tid) in texts.iter().flat_map(|text| texts.map(|tid| (*text, tid))) {
                let expected = template.fill(tid) == issuer;
                assert_eq!(template.matches(issuer, tid), expected, "{template:?} {issuer} {tid}");
            }
        }
    }
}
