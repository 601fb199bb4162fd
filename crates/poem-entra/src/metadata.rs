//! The parts of the authority's discovery document that a resource server needs.

use serde::Deserialize;
use url::Url;

use crate::{
    authority::{Authority, Directory, IssuerTemplate, Issuers, TENANT_PLACEHOLDER},
    ids::TenantId,
    settings::is_https_or_loopback,
};

/// What the discovery document says about the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) issuers: Issuers,
    /// The issuer in the document. Keys can be bound to it.
    pub(crate) discovery_issuer: IssuerTemplate,
    /// The tenant, if the authority serves only one.
    pub(crate) tenant: Option<TenantId>,
    pub(crate) jwks_uri: Url,
}

impl Metadata {
    /// Parses the document and checks that its issuer fits the authority.
    pub(crate) fn parse(authority: &Authority, body: &[u8]) -> Result<Self, InvalidMetadata> {
        let document: Document = serde_json::from_slice(body).map_err(InvalidMetadata::Json)?;
        let jwks_uri = Url::parse(&document.jwks_uri)
            .ok()
            .filter(is_https_or_loopback)
            // An authority on the network must not make us fetch from a service on this machine.
            .filter(|url| url.scheme() == "https" || authority.is_plain_http())
            .ok_or_else(|| InvalidMetadata::JwksUri(document.jwks_uri.clone()))?;
        let (template, tenant) = template_and_tenant(authority, &document.issuer)?;
        let issuers = match authority.documented_issuers() {
            Some(documented) if documented.v2 == template => documented,
            Some(_) => return Err(InvalidMetadata::Issuer(document.issuer)),
            None => Issuers { v2: template.clone(), v1: None },
        };
        Ok(Self { issuers, discovery_issuer: template, tenant, jwks_uri })
    }
}

/// Why a discovery document cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidMetadata {
    #[error("the discovery document is not a JSON object with an issuer and a jwks_uri")]
    Json(#[source] serde_json::Error),
    #[error("the discovery document's issuer {0:?} is not an issuer of this authority")]
    Issuer(String),
    #[error("the discovery document's jwks_uri {0:?} is neither https nor on this machine")]
    JwksUri(String),
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

/// The issuer as a template, and the tenant in it, if it has one instead of the placeholder.
fn template_and_tenant(
    authority: &Authority,
    issuer: &str,
) -> Result<(IssuerTemplate, Option<TenantId>), InvalidMetadata> {
    let invalid = || InvalidMetadata::Issuer(issuer.to_owned());
    let many = matches!(authority.directory(), Directory::Common | Directory::Organizations);
    if issuer.contains(TENANT_PLACEHOLDER) {
        return if many { Ok((IssuerTemplate::new(issuer), None)) } else { Err(invalid()) };
    }
    let segment = issuer
        .split(['/', '.'])
        .find(|segment| TenantId::parse(segment).is_some())
        .ok_or_else(invalid)?;
    let tenant = TenantId::parse(segment).ok_or_else(invalid)?;
    let expected = match authority.directory() {
        Directory::Tenant(configured) => tenant == *configured,
        Directory::Consumers => tenant == TenantId::PERSONAL_ACCOUNTS,
        Directory::Domain(_) => true,
        Directory::Common | Directory::Organizations => false,
    };
    if !expected {
        return Err(invalid());
    }
    Ok((IssuerTemplate::new(issuer.replace(segment, TENANT_PLACEHOLDER)), Some(tenant)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    const TENANT: &str = "11111111-1111-4111-8111-111111111111";

    fn parse(instance: &str, tenant: &str, issuer: &str) -> Result<Metadata, InvalidMetadata> {
        let mut settings = Settings::new(tenant, "33333333-3333-4333-8333-333333333333");
        settings.instance = instance.into();
        if matches!(tenant, "common" | "organizations" | "consumers") {
            settings.allowed_tenants = vec!["any".into()];
        }
        let authority = settings.checked().unwrap().authority;
        let body = format!(r#"{{"issuer":"{issuer}","jwks_uri":"https://keys.example/keys"}}"#);
        Metadata::parse(&authority, body.as_bytes())
    }

    #[test]
    fn every_cloud_has_its_documented_issuers() {
        let rows = [
            (
                "https://login.microsoftonline.com",
                "https://login.microsoftonline.com/T/v2.0",
                Some("https://sts.windows.net/T/"),
            ),
            (
                "https://login.microsoftonline.us",
                "https://login.microsoftonline.us/T/v2.0",
                Some("https://sts.windows.net/T/"),
            ),
            (
                "https://login.partner.microsoftonline.cn",
                "https://login.partner.microsoftonline.cn/T/v2.0",
                Some("https://sts.chinacloudapi.cn/T/"),
            ),
            ("https://contoso.ciamlogin.com", "https://T.ciamlogin.com/T/v2.0", None),
        ];
        for (instance, v2, v1) in rows {
            let metadata = parse(instance, TENANT, &v2.replace('T', TENANT)).unwrap();
            assert_eq!(metadata.issuers.v2.fill("T"), v2);
            assert_eq!(metadata.issuers.v1.map(|v1| v1.fill("T")).as_deref(), v1);
            assert_eq!(metadata.tenant, TenantId::parse(TENANT));
        }
    }

    #[test]
    fn an_issuer_of_another_tenant_or_cloud_is_refused() {
        let public = "https://login.microsoftonline.com";
        let other = "22222222-2222-4222-8222-222222222222";
        for (tenant, issuer) in [
            (TENANT, format!("{public}/{other}/v2.0")),
            (TENANT, format!("{public}/{TENANT}/v2.0/")),
            (TENANT, format!("https://login.microsoftonline.us/{TENANT}/v2.0")),
            (TENANT, format!("{public}/{{tenantid}}/v2.0")),
            (TENANT, "https://accounts.example".into()),
            ("common", format!("{public}/{TENANT}/v2.0")),
            ("consumers", format!("{public}/{TENANT}/v2.0")),
        ] {
            assert!(parse(public, tenant, &issuer).is_err(), "{tenant} {issuer}");
        }
    }

    #[test]
    fn discovery_resolves_a_domain_to_its_tenant() {
        let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        let metadata =
            parse("https://login.microsoftonline.com", "contoso.example", &issuer).unwrap();
        assert_eq!(metadata.tenant, TenantId::parse(TENANT));
    }

    #[test]
    fn a_jwks_uri_on_this_machine_or_over_plain_http_is_refused() {
        let settings = Settings::new(TENANT, "33333333-3333-4333-8333-333333333333");
        let authority = settings.checked().unwrap().authority;
        for keys in ["http://keys.example/", "http://localhost:1/", "file:///etc/passwd", "keys"] {
            let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
            let body = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{keys}"}}"#);
            assert!(Metadata::parse(&authority, body.as_bytes()).is_err(), "{keys}");
        }
    }
}
