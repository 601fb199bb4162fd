//! What a [`Validator`](crate::Validator) is told, checked as a whole: every fault is listed at
//! once (rules C1 and C2).

use std::{collections::HashSet, fmt};

use url::Url;

use crate::{
    authority::{Authority, Directory},
    ids::{ClientId, TenantId},
};

/// The settings of a validator, as a person writes them.
///
/// `tenant`, `client_id` and, for the multi-tenant directories, `allowed_tenants` have no default.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The authority's address, such as `https://login.microsoftonline.com`.
    pub instance: String,
    /// A tenant's GUID or domain, or `common`, `organizations` or `consumers`.
    pub tenant: String,
    /// The GUID of the API's app registration.
    pub client_id: String,
    /// Audiences to accept besides `{client_id}` and `api://{client_id}`.
    pub audiences: Vec<String>,
    /// For the multi-tenant directories: tenant GUIDs, or the one word `any`.
    pub allowed_tenants: Vec<String>,
    /// Refuse v1 tokens, which an API gets unless its registration asks for version 2
    /// (`requestedAccessTokenVersion`).
    pub v2_only: bool,
    /// How far the clocks of issuer and API may differ, 0 to 300 seconds.
    pub leeway: u64,
    /// Seconds between two refreshes of the signing keys.
    pub key_refresh: u64,
    /// Seconds between two refreshes that unknown keys may cause.
    pub key_refresh_floor: u64,
    /// Seconds for which a key is trusted after the first refresh without it.
    pub key_retention: u64,
    /// Accepted tokens that are remembered, so that their signature is not checked again; 0: none.
    pub token_cache_entries: usize,
}

impl Settings {
    /// The settings for the public cloud with the default times.
    pub fn new(tenant: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            instance: "https://login.microsoftonline.com".into(),
            tenant: tenant.into(),
            client_id: client_id.into(),
            audiences: Vec::new(),
            allowed_tenants: Vec::new(),
            v2_only: false,
            leeway: 60,
            key_refresh: 3_600,
            key_refresh_floor: 300,
            key_retention: 86_400,
            token_cache_entries: 10_000,
        }
    }

    /// Lists what is wrong, without making a validator.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`] with every fault.
    pub fn check(&self) -> Result<(), InvalidSettings> {
        self.checked().map(|_| ())
    }

    /// Checks everything and returns what the rules work with.
    pub(crate) fn checked(&self) -> Result<Checked, InvalidSettings> {
        let mut faults = Vec::new();
        let instance = collect(&mut faults, "instance", instance(&self.instance));
        let directory = collect(&mut faults, "tenant", directory(&self.tenant));
        let client_id = collect(&mut faults, "client_id", client_id(&self.client_id));
        let tenants = directory.as_ref().and_then(|directory| {
            collect(&mut faults, "allowed_tenants", tenants(directory, &self.allowed_tenants))
        });
        let audiences = collect(&mut faults, "audiences", audiences(&self.audiences));
        if self.leeway > 300 {
            faults.push(Fault::new("leeway", "is more than 300 seconds"));
        }
        if self.token_cache_entries > MAX_CACHE_ENTRIES {
            faults.push(Fault::new("token_cache_entries", "is more than 10000000"));
        }
        if self.key_refresh == 0 {
            faults.push(Fault::new("key_refresh", "is 0 seconds; the keys would never rest"));
        }
        match (instance, directory, client_id, tenants, audiences) {
            (
                Some(instance),
                Some(directory),
                Some(client_id),
                Some(tenants),
                Some(mut audiences),
            ) if faults.is_empty() => {
                let client = client_id.to_string();
                audiences.insert(format!("api://{client}"));
                audiences.insert(client);
                let authority = Authority::new(instance, directory);
                let Self { v2_only, leeway, .. } = *self;
                Ok(Checked { authority, client_id, tenants, audiences, v2_only, leeway })
            }
            _ => Err(InvalidSettings(faults)),
        }
    }
}

/// Thirty gigabytes of accepted tokens are a mistake.
const MAX_CACHE_ENTRIES: usize = 10_000_000;

/// Settings that passed their checks.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    pub(crate) authority: Authority,
    pub(crate) client_id: ClientId,
    pub(crate) tenants: Tenants,
    /// Without a trailing slash.
    pub(crate) audiences: HashSet<String>,
    pub(crate) v2_only: bool,
    pub(crate) leeway: u64,
}

/// Whose tokens are accepted (rule V3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tenants {
    /// The one tenant of the authority, which discovery names when the setting is a domain.
    Own,
    Listed(HashSet<TenantId>),
    Any,
}

/// One setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The field of [`Settings`].
    pub field: &'static str,
    /// What is wrong with it, as a fragment that follows the field's name.
    pub problem: String,
}

impl Fault {
    fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

/// Every fault of the settings.
#[derive(Debug, Clone, thiserror::Error)]
pub struct InvalidSettings(pub Vec<Fault>);

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{} {}", fault.field, fault.problem)?;
        }
        Ok(())
    }
}

fn collect<T>(
    faults: &mut Vec<Fault>,
    field: &'static str,
    parsed: Result<T, String>,
) -> Option<T> {
    parsed.map_err(|problem| faults.push(Fault::new(field, problem))).ok()
}

/// C2: https, or http to a loopback host.
fn instance(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    if !is_https_or_loopback(&url) {
        return Err("must be https; plain http is for loopback hosts only".into());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("must be a scheme and a host, with no path after it".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name or a password".into());
    }
    Ok(url)
}

/// Whether a document may be fetched from there at all.
pub(crate) fn is_https_or_loopback(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(url::Host::Domain(name))) => name == "localhost",
        ("http", Some(url::Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(url::Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

fn directory(text: &str) -> Result<Directory, String> {
    match text {
        "" => {
            Err("is missing: the tenant's GUID or domain, or common, organizations, consumers"
                .into())
        }
        "common" => Ok(Directory::Common),
        "organizations" => Ok(Directory::Organizations),
        "consumers" => Ok(Directory::Consumers),
        _ => match TenantId::parse(text) {
            Some(tenant) => Ok(Directory::Tenant(tenant)),
            None if is_domain(text) => Ok(Directory::Domain(text.to_ascii_lowercase())),
            None => {
                Err("is neither a GUID, a domain name, nor common, organizations, consumers".into())
            }
        },
    }
}

fn is_domain(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

fn client_id(text: &str) -> Result<ClientId, String> {
    if text.is_empty() {
        return Err("is missing: the application (client) id of the API's registration".into());
    }
    ClientId::parse(text).ok_or_else(|| "is not a GUID".into())
}

/// C1: several tenants must be named, or `any` be said in so many words.
fn tenants(directory: &Directory, allowed: &[String]) -> Result<Tenants, String> {
    let many =
        matches!(directory, Directory::Common | Directory::Organizations | Directory::Consumers);
    match (many, allowed) {
        (false, []) => Ok(Tenants::Own),
        (false, _) => Err("applies only where the tenant is common, organizations or consumers; \
                           here the one tenant is the only one allowed"
            .into()),
        (true, []) => Err("is missing: with a multi-tenant authority, list the tenants' GUIDs, \
                           or say any"
            .into()),
        (true, [any]) if any == "any" => Ok(Tenants::Any),
        (true, list) => list
            .iter()
            .map(|text| TenantId::parse(text).ok_or_else(|| format!("has no GUID in {text:?}")))
            .collect::<Result<_, _>>()
            .map(Tenants::Listed),
    }
}

fn audiences(extra: &[String]) -> Result<HashSet<String>, String> {
    extra
        .iter()
        .map(|audience| match audience.strip_suffix('/').unwrap_or(audience) {
            "" => Err("contains an empty audience".into()),
            // Microsoft Graph's own tokens must never open another API.
            "00000003-0000-0000-c000-000000000000" | "https://graph.microsoft.com" => {
                Err("contains Microsoft Graph, whose tokens are not for this API".into())
            }
            audience => Ok(audience.to_owned()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "33333333-3333-4333-8333-333333333333";

    fn problems(change: impl FnOnce(&mut Settings)) -> Vec<&'static str> {
        let mut settings = Settings::new("11111111-1111-4111-8111-111111111111", CLIENT);
        change(&mut settings);
        match settings.check() {
            Ok(_) => Vec::new(),
            Err(InvalidSettings(faults)) => faults.iter().map(|fault| fault.field).collect(),
        }
    }

    #[test]
    fn c1_every_fault_is_listed_at_once() {
        let fields = problems(|settings| {
            settings.tenant.clear();
            settings.client_id = "todo".into();
            settings.instance = "http://login.example".into();
            settings.leeway = 301;
        });
        assert_eq!(fields, ["instance", "tenant", "client_id", "leeway"]);
    }

    #[test]
    fn c1_a_multi_tenant_authority_needs_a_list_of_tenants_or_the_word_any() {
        for tenant in ["common", "organizations", "consumers"] {
            assert_eq!(problems(|s| s.tenant = tenant.into()), ["allowed_tenants"], "{tenant}");
            for allowed in ["any", "22222222-2222-4222-8222-222222222222"] {
                let fields = problems(|s| {
                    s.tenant = tenant.into();
                    s.allowed_tenants = vec![allowed.into()];
                });
                assert!(fields.is_empty(), "{tenant} {allowed}");
            }
        }
        let fields = problems(|s| {
            s.tenant = "common".into();
            s.allowed_tenants = vec!["any".into(), "22222222-2222-4222-8222-222222222222".into()];
        });
        assert_eq!(fields, ["allowed_tenants"], "any is a word of its own");
        assert_eq!(problems(|s| s.allowed_tenants = vec!["any".into()]), ["allowed_tenants"]);
    }

    #[test]
    fn c2_plain_http_is_for_loopback_hosts_only() {
        for good in [
            "https://login.example",
            "http://localhost:8001",
            "http://127.0.0.1:1",
            "http://[::1]:1",
        ] {
            assert!(problems(|s| s.instance = good.into()).is_empty(), "{good}");
        }
        for bad in [
            "http://login.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "ftp://localhost",
            "https://login.example/tenant",
            "https://user:secret@login.example",
            "login.example",
        ] {
            assert_eq!(problems(|s| s.instance = bad.into()), ["instance"], "{bad}");
        }
    }

    #[test]
    fn microsoft_graph_is_no_audience_of_ours() {
        for graph in ["https://graph.microsoft.com/", "00000003-0000-0000-c000-000000000000"] {
            assert_eq!(problems(|s| s.audiences = vec![graph.into()]), ["audiences"]);
        }
    }
}
