//! The clouds that Microsoft documents, and the issuers (`iss`) of their tokens.

use url::Url;

use crate::authority::IssuerTemplate;

/// A cloud. Its authority has one issuer for each token version, whatever address is used to reach
/// it (<https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cloud {
    /// What people call it.
    pub(crate) name: &'static str,
    /// The hosts of its authority, which are all names for the same one. A dot at the start means
    /// any host with this end.
    hosts: &'static [&'static str],
    v2_issuer: &'static str,
    /// `None` if the cloud issues no v1 tokens.
    v1_issuer: Option<&'static str>,
}

const CLOUDS: &[Cloud] = &[
    Cloud {
        name: "the public cloud",
        hosts: &[
            "login.microsoftonline.com",
            "login.windows.net",
            "login.microsoft.com",
            "sts.windows.net",
        ],
        v2_issuer: "https://login.microsoftonline.com/{tenantid}/v2.0",
        v1_issuer: Some("https://sts.windows.net/{tenantid}/"),
    },
    Cloud {
        name: "US Government",
        hosts: &["login.microsoftonline.us", "login.usgovcloudapi.net"],
        v2_issuer: "https://login.microsoftonline.us/{tenantid}/v2.0",
        v1_issuer: Some("https://sts.windows.net/{tenantid}/"),
    },
    Cloud {
        name: "China (operated by 21Vianet)",
        hosts: &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
        v2_issuer: "https://login.partner.microsoftonline.cn/{tenantid}/v2.0",
        v1_issuer: Some("https://sts.chinacloudapi.cn/{tenantid}/"),
    },
    Cloud {
        name: "Bleu (France)",
        hosts: &["login.sovcloud-identity.fr"],
        v2_issuer: "https://login.sovcloud-identity.fr/{tenantid}/v2.0",
        v1_issuer: None,
    },
    Cloud {
        name: "Delos (Germany)",
        hosts: &["login.sovcloud-identity.de"],
        v2_issuer: "https://login.sovcloud-identity.de/{tenantid}/v2.0",
        v1_issuer: None,
    },
    Cloud {
        name: "GovSG (Singapore)",
        hosts: &["login.sovcloud-identity.sg"],
        v2_issuer: "https://login.sovcloud-identity.sg/{tenantid}/v2.0",
        v1_issuer: None,
    },
    // External ID: each tenant has its own host.
    Cloud {
        name: "External ID",
        hosts: &[".ciamlogin.com"],
        v2_issuer: "https://{tenantid}.ciamlogin.com/{tenantid}/v2.0",
        v1_issuer: None,
    },
];

impl Cloud {
    /// The cloud whose authority has this host; `None` if the host is not documented.
    pub(crate) fn of_host(host: &str) -> Option<&'static Self> {
        let is_host =
            |known: &&str| host == *known || (known.starts_with('.') && host.ends_with(known));
        CLOUDS.iter().find(|cloud| cloud.hosts.iter().any(is_host))
    }

    /// The cloud whose tokens can have this issuer, by its host alone. US Government shares the
    /// host of its v1 issuer with the public cloud, which is returned then.
    pub(crate) fn of_issuer(issuer: &Url) -> Option<&'static Self> {
        let host = issuer.host_str()?;
        let is_v1_host = |issuer: &str| issuer.split('/').nth(2) == Some(host);
        Self::of_host(host)
            .or_else(|| CLOUDS.iter().find(|cloud| cloud.v1_issuer.is_some_and(is_v1_host)))
    }

    /// The cloud whose v2 tokens have this issuer; `None` if the issuer is not documented.
    pub(crate) fn of_v2_issuer(issuer: &IssuerTemplate) -> Option<&'static Self> {
        CLOUDS.iter().find(|cloud| cloud.v2_issuer == issuer.as_str())
    }

    /// Whether the v1 tokens of any cloud have this issuer.
    pub(crate) fn is_v1_issuer(issuer: &IssuerTemplate) -> bool {
        CLOUDS.iter().any(|cloud| cloud.v1_issuer == Some(issuer.as_str()))
    }

    /// The issuer of the cloud's v1 tokens; `None` if it issues none.
    pub(crate) fn v1_issuer(&self) -> Option<IssuerTemplate> {
        self.v1_issuer.map(IssuerTemplate::new)
    }
}
