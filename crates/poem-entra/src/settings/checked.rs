//! Checks the settings and converts them to the types that the rules use.

use std::{collections::HashSet, time::Duration};

use url::Url;

use crate::{
    authority::{Authority, Directory},
    ids::{ClientId, TenantId},
    resource::Resource,
};

use super::{Fault, InvalidSettings, Setting, Settings, not_a_guid, paste};

/// Settings that passed their checks.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) authority: Authority,
    pub(crate) client_id: ClientId,
    pub(crate) tenants: Tenants,
    /// The prefix of full scopes, as registered.
    pub(crate) app_id_uri: String,
    pub(crate) resource: Option<Resource>,
    /// The client id, the App ID URIs and the further audiences, without a trailing slash.
    pub(crate) audiences: HashSet<String>,
    pub(crate) v2_only: bool,
    pub(crate) claims_mapping: bool,
    /// In seconds.
    pub(crate) leeway: u64,
}

/// The tenants whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tenants {
    /// The authority's only tenant. If the setting is a domain, the discovery document contains the
    /// tenant's id.
    Own,
    Listed(HashSet<TenantId>),
    Any,
}

const MAX_LEEWAY: Duration = Duration::from_secs(300);
/// This many entries take 30 GB, so a larger number is a mistake.
const MAX_CACHE_ENTRIES: usize = 10_000_000;

impl Settings {
    /// Checks all settings and reports all faults together.
    pub(crate) fn checked(&self) -> Result<Checked, InvalidSettings> {
        let mut faults = Vec::new();
        let instance = collect(&mut faults, Setting::Instance, instance(&self.instance));
        let directory = collect(&mut faults, Setting::Tenant, directory(&self.tenant));
        let client_id = collect(&mut faults, Setting::ClientId, client_id(&self.client_id));
        if let Some(Directory::Tenant(tenant)) = &directory
            && client_id.is_some_and(|client_id| client_id.to_string() == tenant.to_string())
        {
            let problem = "is also the tenant; one of the two ids was pasted twice".into();
            faults.push(Fault { setting: Setting::ClientId, problem });
        }
        let tenants = directory.as_ref().and_then(|directory| {
            let tenants = tenants(directory, &self.allowed_tenants);
            collect(&mut faults, Setting::AllowedTenants, tenants)
        });
        let app_id_uris = app_id_uris(&self.app_id_uris);
        let app_id_uris = collect(&mut faults, Setting::AppIdUris, app_id_uris);
        let resource = self.resource.as_deref().map(Resource::parse).transpose();
        let resource = collect(&mut faults, Setting::Resource, resource);
        let audiences = collect(&mut faults, Setting::Audiences, audiences(&self.audiences));
        self.check_limits(&mut faults);
        match (instance, directory, client_id, tenants, app_id_uris, resource, audiences) {
            (
                Some(instance),
                Some(directory),
                Some(client_id),
                Some(tenants),
                Some(app_id_uris),
                Some(resource),
                Some(mut audiences),
            ) if faults.is_empty() => {
                let default = format!("api://{client_id}");
                let app_id_uri = app_id_uris.first().unwrap_or(&default).clone();
                let uris = app_id_uris.iter().chain([&app_id_uri]);
                audiences.extend(uris.map(|uri| without_slash(uri).to_owned()));
                audiences.insert(client_id.to_string());
                let authority = Authority::new(instance, directory);
                let (v2_only, claims_mapping) = (self.v2_only, self.claims_mapping);
                let leeway = self.leeway.as_secs();
                Ok(Checked {
                    authority,
                    client_id,
                    tenants,
                    app_id_uri,
                    resource,
                    audiences,
                    v2_only,
                    claims_mapping,
                    leeway,
                })
            }
            _ => Err(InvalidSettings(faults)),
        }
    }

    fn check_limits(&self, faults: &mut Vec<Fault>) {
        let mut refuse = |setting, problem: &str| {
            faults.push(Fault { setting, problem: problem.into() });
        };
        if self.leeway > MAX_LEEWAY {
            refuse(Setting::Leeway, "is more than 300 seconds");
        }
        if self.token_cache_entries > MAX_CACHE_ENTRIES {
            refuse(Setting::TokenCacheEntries, "is more than 10000000");
        }
        if self.key_refresh < Duration::from_secs(1) {
            refuse(
                Setting::KeyRefresh,
                "is less than a second, so the keys would be fetched all the time",
            );
        }
    }
}

fn collect<T>(faults: &mut Vec<Fault>, setting: Setting, parsed: Result<T, String>) -> Option<T> {
    parsed.map_err(|problem| faults.push(Fault { setting, problem })).ok()
}

/// The instance's URL. It must be https, or http with a loopback host.
fn instance(text: &str) -> Result<Url, String> {
    if let Some(url) = paste::with_scheme(text) {
        return Err(format!("has no scheme; write {url}"));
    }
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    if !is_https_or_loopback(&url) {
        return Err("must be https; plain http is allowed only for loopback hosts".into());
    }
    if paste::has_tenant_in_path(&url) {
        return Err(format!(
            "must be only a scheme and a host; write {} (the tenant is a separate setting)",
            url.origin().ascii_serialization()
        ));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("must be a scheme and a host, without a path".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name or a password".into());
    }
    Ok(url)
}

/// Whether documents may be fetched from this URL.
pub(crate) fn is_https_or_loopback(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(url::Host::Domain(name))) => name == "localhost",
        ("http", Some(url::Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(url::Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

pub(super) fn directory(text: &str) -> Result<Directory, String> {
    match text {
        "" => {
            Err("is missing: the tenant's GUID or domain, or common, organizations or consumers"
                .into())
        }
        "common" => Ok(Directory::Common),
        "organizations" => Ok(Directory::Organizations),
        "consumers" => Ok(Directory::Consumers),
        _ => match TenantId::parse(text) {
            Some(tenant) => Ok(Directory::Tenant(tenant)),
            None if is_domain(text) => Ok(Directory::Domain(text.to_ascii_lowercase())),
            None => Err(paste::paste_error(text, "a GUID or a domain name").unwrap_or_else(|| {
                "is not a GUID, a domain name, common, organizations or consumers".into()
            })),
        },
    }
}

pub(super) fn is_domain(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn client_id(text: &str) -> Result<ClientId, String> {
    if text.is_empty() {
        return Err("is missing: the application (client) id of the API's registration".into());
    }
    ClientId::parse(text).ok_or_else(|| not_a_guid(text))
}

/// A multi-tenant authority needs a list of tenants or an explicit `any`.
fn tenants(directory: &Directory, allowed: &[String]) -> Result<Tenants, String> {
    let many =
        matches!(directory, Directory::Common | Directory::Organizations | Directory::Consumers);
    match (many, allowed) {
        (false, []) => Ok(Tenants::Own),
        (false, _) => Err("applies only if the tenant is common, organizations or consumers; \
                           otherwise only the configured tenant is allowed"
            .into()),
        (true, []) => Err("is missing: for a multi-tenant authority, list the GUIDs of the \
                           allowed tenants, or write any"
            .into()),
        (true, [any]) if any == "any" => Ok(Tenants::Any),
        (true, list) => list
            .iter()
            .map(|text| {
                TenantId::parse(text)
                    .ok_or_else(|| format!("contains {text:?}, which {}", not_a_guid(text)))
            })
            .collect::<Result<_, _>>()
            .map(Tenants::Listed),
    }
}

/// The App ID URIs. They are the beginning of every full scope, so they must be URIs, and contain
/// nothing that separates scopes or the parameters of a challenge. Braces are not allowed in URIs
/// (RFC 3986, appendix A): they are left over from a placeholder.
fn app_id_uris(uris: &[String]) -> Result<&[String], String> {
    for uri in uris {
        refuse_microsoft_graph(uri)?;
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"\\,=?#{}<>^`|".contains(&byte);
        let name = uri.split_once("://").map(|(_, name)| name).or(uri.strip_prefix("urn:"));
        let is_named = name.is_some_and(|name| !name.trim_matches('/').is_empty());
        if !(uri.bytes().all(is_plain) && is_named && Url::parse(uri).is_ok()) {
            return Err(format!(
                "contains {uri:?}, which is not an App ID URI, such as api://{{client id}} or \
                 https://api.contoso.example"
            ));
        }
        if uri.ends_with("/.default") {
            return Err(format!("contains {uri:?}, which is a scope; leave out /.default"));
        }
    }
    Ok(uris)
}

fn audiences(extra: &[String]) -> Result<HashSet<String>, String> {
    extra
        .iter()
        .map(|audience| {
            refuse_microsoft_graph(audience)?;
            match without_slash(audience) {
                "" => Err("contains an empty audience".into()),
                audience => Ok(audience.to_owned()),
            }
        })
        .collect()
}

/// Tokens for Microsoft Graph must never give access to another API.
fn refuse_microsoft_graph(audience: &str) -> Result<(), String> {
    match without_slash(audience) {
        "00000003-0000-0000-c000-000000000000" | "https://graph.microsoft.com" => {
            Err("contains Microsoft Graph, whose tokens are not for this API".into())
        }
        _ => Ok(()),
    }
}

/// An audience in the form in which it is compared: without one trailing slash.
pub(crate) fn without_slash(audience: &str) -> &str {
    audience.strip_suffix('/').unwrap_or(audience)
}
