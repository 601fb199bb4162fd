//! The parts of the authority's discovery document that a resource server needs.

use serde::Deserialize;
use url::Url;

use crate::{
    authority::{Authority, Directory, IssuerTemplate, Issuers, TENANT_PLACEHOLDER},
    cloud::Cloud,
    ids::{ClientId, TenantId},
    object::Object,
    settings::is_https_or_loopback,
};

/// What the discovery document says about the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) issuers: Issuers,
    /// The tenant, if the authority serves only one.
    pub(crate) tenant: Option<OwnTenant>,
    pub(crate) jwks_uri: Url,
    /// The name of the cloud, such as `microsoftonline.com`.
    pub(crate) cloud_instance_name: Option<String>,
}

/// The only tenant of an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnTenant {
    pub(crate) id: TenantId,
    /// The tenant as spelled in the document's issuer. The issuers of tokens have the same
    /// spelling.
    pub(crate) tid: String,
}

impl Metadata {
    /// Parses the document and checks that its issuer fits the authority.
    pub(crate) fn parse(authority: &Authority, body: &[u8]) -> Result<Self, InvalidMetadata> {
        let Object::<Document>(document) =
            serde_json::from_slice(body).map_err(InvalidMetadata::Json)?;
        let jwks_uri = Url::parse(&document.jwks_uri)
            .ok()
            .filter(is_https_or_loopback)
            // An authority on the network must not make us fetch from a service on this machine.
            .filter(|url| url.scheme() == "https" || authority.is_plain_http())
            .ok_or_else(|| InvalidMetadata::JwksUri(document.jwks_uri.clone()))?;
        let (template, tenant) = template_and_tenant(authority, &document.issuer)?;
        if Cloud::is_v1_issuer(&template) {
            return Err(InvalidMetadata::Version(document.issuer));
        }
        // The issuer says which cloud it is: gateways and custom domains are not documented.
        let cloud = Cloud::of_v2_issuer(&template);
        if authority.cloud().is_some_and(|expected| cloud != Some(expected)) {
            return Err(InvalidMetadata::Issuer(document.issuer));
        }
        let v1 = cloud.and_then(Cloud::v1_issuer);
        let issuers = Issuers { v2: template, v1 };
        let cloud_instance_name = document.cloud_instance_name;
        Ok(Self { issuers, tenant, jwks_uri, cloud_instance_name })
    }

    /// The URL of the keys. With an app, its own signing keys are among them: `jwks_uri` already
    /// names an app if the document was requested for one, but a gateway may have removed it.
    pub(crate) fn keys_url(&self, app: Option<ClientId>) -> Url {
        let mut url = self.jwks_uri.clone();
        if let Some(app) = app
            && !url.query_pairs().any(|(name, _)| name == "appid")
        {
            url.query_pairs_mut().append_pair("appid", &app.to_string());
        }
        url
    }
}

/// Why a discovery document cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidMetadata {
    #[error("the discovery document is not a JSON object with an issuer and a jwks_uri")]
    Json(#[source] serde_json::Error),
    #[error("the discovery document's issuer {0:?} is not an issuer of this authority")]
    Issuer(String),
    #[error("the discovery document is for v1 tokens; its issuer is {0:?}")]
    Version(String),
    #[error("the discovery document's jwks_uri {0:?} is neither https nor on this machine")]
    JwksUri(String),
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
    cloud_instance_name: Option<String>,
}

/// The issuer as a template, and the tenant in it, if it has one instead of the placeholder.
fn template_and_tenant(
    authority: &Authority,
    issuer: &str,
) -> Result<(IssuerTemplate, Option<OwnTenant>), InvalidMetadata> {
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
    let template = IssuerTemplate::new(issuer.replace(segment, TENANT_PLACEHOLDER));
    Ok((template, Some(OwnTenant { id: tenant, tid: segment.to_owned() })))
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
            (
                "https://login.sovcloud-identity.fr",
                "https://login.sovcloud-identity.fr/T/v2.0",
                None,
            ),
            (
                "https://login.sovcloud-identity.de",
                "https://login.sovcloud-identity.de/T/v2.0",
                None,
            ),
            (
                "https://login.sovcloud-identity.sg",
                "https://login.sovcloud-identity.sg/T/v2.0",
                None,
            ),
            ("https://contoso.ciamlogin.com", "https://T.ciamlogin.com/T/v2.0", None),
        ];
        for (instance, v2, v1) in rows {
            // A gateway has the issuers of the cloud that it leads to.
            for instance in [instance, "https://gateway.example"] {
                let metadata = parse(instance, TENANT, &v2.replace('T', TENANT)).unwrap();
                assert_eq!(metadata.issuers.v2.fill("T"), v2);
                assert_eq!(metadata.issuers.v1.map(|v1| v1.fill("T")).as_deref(), v1);
                assert_eq!(metadata.tenant.map(|own| own.id), TenantId::parse(TENANT));
            }
        }
    }

    #[test]
    fn the_other_addresses_of_a_cloud_have_its_issuers() {
        for (alias, cloud) in [
            ("https://login.windows.net", "https://login.microsoftonline.com"),
            ("https://login.microsoft.com", "https://login.microsoftonline.com"),
            ("https://sts.windows.net", "https://login.microsoftonline.com"),
            ("https://login.usgovcloudapi.net", "https://login.microsoftonline.us"),
            ("https://login.chinacloudapi.cn", "https://login.partner.microsoftonline.cn"),
        ] {
            let issuer = |instance: &str| format!("{instance}/{TENANT}/v2.0");
            let issuers = |instance: &str| parse(instance, TENANT, &issuer(cloud)).unwrap().issuers;
            assert_eq!(issuers(alias), issuers(cloud), "{alias}");
            assert!(parse(alias, TENANT, &issuer(alias)).is_err(), "{alias}");
        }
    }

    #[test]
    fn a_documented_host_with_a_port_is_a_gateway() {
        let instance = "https://login.microsoftonline.com:8443";
        let issuer = format!("https://gateway.example/{TENANT}/v2.0");
        assert!(parse(instance, TENANT, &issuer).is_ok());
        let without_port = "https://login.microsoftonline.com";
        assert!(parse(without_port, TENANT, &issuer).is_err());
    }

    #[test]
    fn a_v1_document_is_refused_at_every_instance() {
        for instance in ["https://login.microsoftonline.com", "https://gateway.example"] {
            for v1 in ["https://sts.windows.net", "https://sts.chinacloudapi.cn"] {
                for (tenant, tid) in [(TENANT, TENANT), ("common", TENANT_PLACEHOLDER)] {
                    let outcome = parse(instance, tenant, &format!("{v1}/{tid}/"));
                    assert!(matches!(outcome, Err(InvalidMetadata::Version(_))), "{outcome:?}");
                }
            }
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
        assert_eq!(metadata.tenant.map(|own| own.id), TenantId::parse(TENANT));
    }

    #[test]
    fn an_array_is_not_a_discovery_document() {
        let settings = Settings::new(TENANT, "33333333-3333-4333-8333-333333333333");
        let authority = settings.checked().unwrap().authority;
        let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
        for body in ["[]".to_owned(), format!(r#"["{issuer}","https://keys.example/keys",null]"#)] {
            let Err(InvalidMetadata::Json(error)) = Metadata::parse(&authority, body.as_bytes())
            else {
                panic!("{body} is accepted");
            };
            let text = error.to_string();
            assert!(text.starts_with("invalid type: sequence, expected an object"), "{text}");
        }
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
