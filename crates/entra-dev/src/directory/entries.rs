//! The entries of a directory file, one struct for each kind, and what they mean.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::check::Checks;
use super::redirect_uri::origin;
use super::references::References;
use super::{App, AppCertificate, Group, OptionalClaim, Person, Platform, Scope, Tenant};

/// Text whose place in the file is known, so that a fault in it can be shown.
pub(super) type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantEntry {
    pub(super) id: Text,
    pub(super) name: Text,
    #[serde(default)]
    pub(super) domains: Vec<Text>,
    #[serde(default)]
    pub(super) personal: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupEntry {
    pub(super) id: Text,
    pub(super) name: Text,
    pub(super) tenant: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonEntry {
    pub(super) name: Text,
    pub(super) display_name: String,
    pub(super) sign_in_name: Text,
    pub(super) email: Option<String>,
    pub(super) oid: Text,
    pub(super) tenant: Text,
    #[serde(default)]
    pub(super) guest: bool,
    #[serde(default)]
    pub(super) administrator: bool,
    #[serde(default)]
    pub(super) groups: Vec<Text>,
    #[serde(default)]
    pub(super) roles: BTreeMap<Text, Vec<Text>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AppEntry {
    pub(super) client_id: Text,
    pub(super) name: Text,
    pub(super) tenant: Text,
    #[serde(default)]
    pub(super) single_tenant: bool,
    pub(super) app_id_uri: Option<Text>,
    pub(super) access_token_version: Option<Spanned<u8>>,
    #[serde(default)]
    pub(super) scopes: Vec<Text>,
    #[serde(default)]
    pub(super) admin_scopes: Vec<Text>,
    #[serde(default)]
    pub(super) app_roles: Vec<Text>,
    #[serde(default)]
    pub(super) optional_claims: Vec<OptionalClaim>,
    #[serde(default)]
    pub(super) assignment_required: bool,
    #[serde(default)]
    pub(super) consent_required: bool,
    #[serde(default)]
    pub(super) id_token_issuance: bool,
    #[serde(default)]
    pub(super) public_client: bool,
    #[serde(default)]
    pub(super) redirect_uris: RedirectUris,
    #[serde(default)]
    pub(super) secrets: Vec<String>,
    #[serde(default)]
    pub(super) expired_secrets: Vec<String>,
    #[serde(default)]
    pub(super) certificates: Vec<Text>,
    #[serde(default)]
    pub(super) permissions: BTreeMap<Text, Vec<Text>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RedirectUris {
    #[serde(default)]
    pub(super) spa: Vec<Text>,
    #[serde(default)]
    pub(super) web: Vec<Text>,
    #[serde(default)]
    pub(super) native: Vec<Text>,
}

impl TenantEntry {
    pub(super) fn to_tenant(&self) -> Tenant {
        Tenant {
            id: self.id.as_ref().clone(),
            name: self.name.as_ref().clone(),
            domains: strings(&self.domains),
            personal: self.personal,
        }
    }
}

impl GroupEntry {
    pub(super) fn to_group(&self, references: &References<'_>, checks: &mut Checks<'_>) -> Group {
        Group {
            id: self.id.as_ref().clone(),
            name: self.name.as_ref().clone(),
            tenant: references.tenant(checks, &self.tenant),
        }
    }
}

impl PersonEntry {
    pub(super) fn to_person(&self, references: &References<'_>, checks: &mut Checks<'_>) -> Person {
        let sign_in_name = self.sign_in_name.as_ref().clone();
        let tenant = references.tenant(checks, &self.tenant);
        Person {
            name: self.name.as_ref().clone(),
            display_name: self.display_name.clone(),
            email: self.email.clone().unwrap_or_else(|| sign_in_name.clone()),
            sign_in_name,
            oid: self.oid.as_ref().clone(),
            guest: self.guest,
            administrator: self.administrator,
            groups: (self.groups.iter()).map(|group| references.group(checks, group)).collect(),
            assignments: references.assignments(checks, &self.roles, Some(&tenant)),
            tenant,
        }
    }
}

impl AppEntry {
    pub(super) fn to_app(
        &self,
        references: &References<'_>,
        checks: &mut Checks<'_>,
        folder: &Path,
    ) -> App {
        let version = self.access_token_version.as_ref();
        if let Some(version) = version.filter(|version| !matches!(version.as_ref(), 1 | 2)) {
            checks.note(version.span(), "the version of access tokens is 1 or 2");
        }
        let client_id = self.client_id.as_ref().clone();
        let tenant = references.tenant(checks, &self.tenant);
        let only_tenant = self.single_tenant.then_some(tenant.as_str());
        let scope =
            |admin_consent| move |name: &Text| Scope { name: name.as_ref().clone(), admin_consent };
        App {
            name: self.name.as_ref().clone(),
            single_tenant: self.single_tenant,
            app_id_uri: self.app_id_uri(checks),
            access_token_version: version.map_or(2, |version| *version.as_ref()),
            scopes: (self.scopes.iter().map(scope(false)))
                .chain(self.admin_scopes.iter().map(scope(true)))
                .collect(),
            app_roles: strings(&self.app_roles),
            optional_claims: self.optional_claims.clone(),
            assignment_required: self.assignment_required,
            consent_required: self.consent_required,
            id_token_issuance: self.id_token_issuance,
            public_client: self.public_client,
            redirect_uris: self.redirect_uris.check(checks),
            secrets: self.secrets.clone(),
            expired_secrets: self.expired_secrets.clone(),
            certificates: (self.certificates.iter())
                .filter_map(|certificate| certificate_in(certificate, checks, folder))
                .collect(),
            permissions: references.assignments(checks, &self.permissions, only_tenant),
            client_id,
            tenant,
        }
    }

    fn app_id_uri(&self, checks: &mut Checks<'_>) -> String {
        match &self.app_id_uri {
            None => format!("api://{}", self.client_id.as_ref()),
            Some(uri) => {
                let absolute = url::Url::parse(uri.as_ref()).is_ok();
                if !absolute || uri.as_ref().contains(char::is_whitespace) {
                    checks.note(uri.span(), "an app id URI is absolute: api://..., https://...");
                }
                uri.as_ref().trim_end_matches('/').to_owned()
            }
        }
    }
}

impl RedirectUris {
    fn check(&self, checks: &mut Checks<'_>) -> Vec<(Platform, String)> {
        let platforms = [
            (Platform::SinglePage, &self.spa),
            (Platform::Web, &self.web),
            (Platform::Native, &self.native),
        ];
        let mut checked = Vec::new();
        for (platform, uris) in platforms {
            for uri in uris {
                if origin(uri.as_ref()).is_none() {
                    let text = "a redirect URI is absolute, http or https, ASCII, no fragment";
                    checks.note(uri.span(), text);
                }
                checked.push((platform, uri.as_ref().clone()));
            }
        }
        checked
    }
}

/// The certificate in this text, or in the file that it names.
fn certificate_in(
    certificate: &Text,
    checks: &mut Checks<'_>,
    folder: &Path,
) -> Option<AppCertificate> {
    let text = certificate.as_ref();
    let pem = if text.starts_with("-----BEGIN") {
        text.clone().into_bytes()
    } else {
        match fs::read(folder.join(text)) {
            Ok(pem) => pem,
            Err(error) => {
                checks.note(certificate.span(), format!("failed to read {text:?}: {error}"));
                return None;
            }
        }
    };
    let parsed = AppCertificate::from_pem(&pem);
    if parsed.is_none() {
        checks.note(certificate.span(), "this is no X.509 certificate in PEM");
    }
    parsed
}

/// The texts without their places.
pub(super) fn strings(texts: &[Text]) -> Vec<String> {
    texts.iter().map(|text| text.as_ref().clone()).collect()
}
