//! The settings of a [`Validator`](crate::Validator). They are checked as a whole, so that all
//! faults are reported together.

mod checked;
mod paste;
mod warnings;

use std::{fmt, time::Duration};

pub(crate) use self::checked::{Checked, Tenants, is_https_or_loopback, without_slash};
pub use self::paste::not_a_guid;

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
    /// The App ID URIs of the API's registration, exactly as they are registered. The first one is
    /// canonical: full scopes are written with it. Empty means `api://{client_id}`.
    pub app_id_uris: Vec<String>,
    /// The URL at which callers reach the API. It names the API as a protected resource (RFC 9728),
    /// so that clients can find out where to get a token. `None` means that no metadata is
    /// published.
    pub resource: Option<String>,
    /// Audiences to accept in addition to `{client_id}` and the App ID URIs.
    pub audiences: Vec<String>,
    /// For the multi-tenant directories: tenant GUIDs, or the single word `any`.
    pub allowed_tenants: Vec<String>,
    /// Whether to refuse v1 tokens, which an API gets unless its registration asks for version 2
    /// (`requestedAccessTokenVersion`).
    pub v2_only: bool,
    /// Whether the API has its own signing keys, which Entra uses if the API's tokens have claims
    /// from a claims mapping policy. They are fetched together with the keys of the authority
    /// (<https://learn.microsoft.com/entra/identity-platform/access-tokens#validate-the-signature>).
    pub claims_mapping: bool,
    /// How far the clocks of issuer and API may differ, at most 300 seconds.
    pub leeway: Duration,
    /// The time between two refreshes of the signing keys.
    pub key_refresh: Duration,
    /// The shortest time between two refreshes that unknown keys cause.
    pub key_refresh_floor: Duration,
    /// How long a key stays trusted after the first refresh in which it is missing.
    pub key_retention: Duration,
    /// How many accepted tokens the cache holds, so that their signatures are not verified again; 0
    /// turns the cache off.
    pub token_cache_entries: usize,
}

impl Settings {
    /// The settings for the public cloud, with the default values.
    pub fn new(tenant: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            instance: "https://login.microsoftonline.com".into(),
            tenant: tenant.into(),
            client_id: client_id.into(),
            app_id_uris: Vec::new(),
            resource: None,
            audiences: Vec::new(),
            allowed_tenants: Vec::new(),
            v2_only: false,
            claims_mapping: false,
            leeway: Duration::from_secs(60),
            key_refresh: Duration::from_secs(3_600),
            key_refresh_floor: Duration::from_secs(300),
            key_retention: Duration::from_secs(86_400),
            token_cache_entries: 10_000,
        }
    }

    /// Checks the settings without creating a validator.
    ///
    /// # Errors
    ///
    /// [`InvalidSettings`] with every fault.
    pub fn check(&self) -> Result<(), InvalidSettings> {
        self.checked().map(|_| ())
    }
}

/// A setting that can be wrong. `Display` writes the name of its field in [`Settings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Setting {
    /// [`Settings::instance`]
    Instance,
    /// [`Settings::tenant`]
    Tenant,
    /// [`Settings::client_id`]
    ClientId,
    /// [`Settings::app_id_uris`]
    AppIdUris,
    /// [`Settings::resource`]
    Resource,
    /// [`Settings::audiences`]
    Audiences,
    /// [`Settings::allowed_tenants`]
    AllowedTenants,
    /// [`Settings::leeway`]
    Leeway,
    /// [`Settings::key_refresh`]
    KeyRefresh,
    /// [`Settings::token_cache_entries`]
    TokenCacheEntries,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Instance => "instance",
            Self::Tenant => "tenant",
            Self::ClientId => "client_id",
            Self::AppIdUris => "app_id_uris",
            Self::Resource => "resource",
            Self::Audiences => "audiences",
            Self::AllowedTenants => "allowed_tenants",
            Self::Leeway => "leeway",
            Self::KeyRefresh => "key_refresh",
            Self::TokenCacheEntries => "token_cache_entries",
        })
    }
}

/// What is wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The setting.
    pub setting: Setting,
    /// What is wrong with it, as a fragment that follows the setting's name.
    pub problem: String,
}

/// Every fault in the settings.
#[derive(Debug, Clone, thiserror::Error)]
pub struct InvalidSettings(pub Vec<Fault>);

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{} {}", fault.setting, fault.problem)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "33333333-3333-4333-8333-333333333333";

    fn problems(change: impl FnOnce(&mut Settings)) -> Vec<String> {
        let mut settings = Settings::new("11111111-1111-4111-8111-111111111111", CLIENT);
        change(&mut settings);
        match settings.check() {
            Ok(_) => Vec::new(),
            Err(InvalidSettings(faults)) => {
                faults.iter().map(|fault| fault.setting.to_string()).collect()
            }
        }
    }

    #[test]
    fn every_fault_is_listed_at_once() {
        let fields = problems(|settings| {
            settings.tenant.clear();
            settings.client_id = "todo".into();
            settings.instance = "http://login.example".into();
            settings.leeway = Duration::from_secs(301);
        });
        assert_eq!(fields, ["instance", "tenant", "client_id", "leeway"]);
    }

    #[test]
    fn the_tenant_is_not_the_client() {
        assert_eq!(problems(|settings| settings.tenant = CLIENT.into()), ["client_id"]);
    }

    #[test]
    fn a_multi_tenant_authority_needs_tenants_or_the_word_any() {
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
        assert_eq!(fields, ["allowed_tenants"], "any cannot be combined with tenants");
        assert_eq!(problems(|s| s.allowed_tenants = vec!["any".into()]), ["allowed_tenants"]);
    }

    #[test]
    fn plain_http_is_for_loopback_hosts_only() {
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
    fn microsoft_graph_is_not_an_audience() {
        for graph in ["https://graph.microsoft.com/", "00000003-0000-0000-c000-000000000000"] {
            assert_eq!(problems(|s| s.audiences = vec![graph.into()]), ["audiences"]);
            assert_eq!(problems(|s| s.app_id_uris = vec![graph.into()]), ["app_id_uris"]);
        }
    }

    #[test]
    fn an_app_id_uri_is_an_absolute_uri_that_scopes_can_begin_with() {
        for good in [
            format!("api://{CLIENT}"),
            format!("api://11111111-1111-4111-8111-111111111111/{CLIENT}"),
            "api://app.contoso.example".into(),
            format!("api://localhost:3000/{CLIENT}"),
            "https://api.contoso.example".into(),
            "https://api.contoso.example/".into(),
            "http://localhost:8000".into(),
            "urn:contoso:todo".into(),
        ] {
            assert!(problems(|s| s.app_id_uris = vec![good.clone()]).is_empty(), "{good}");
        }
        for bad in [
            "",
            CLIENT,
            "app.contoso.example",
            "localhost:3000",
            "api:",
            "api://",
            "api:///",
            "urn:",
            "api://todo api",
            "api://todo,list",
            "api://todo=list",
            "api://todo\"list",
            "api://todo\\list",
            "api://todo?list",
            "api://{API_CLIENT_ID}",
            "api://<client-id>",
            "api://todo#list",
            "api://todo\u{200b}",
            "api://todo/.default",
            "api://todo/access_as_user offline_access",
        ] {
            let uris = vec!["api://todo".to_owned(), bad.to_owned()];
            assert_eq!(problems(|s| s.app_id_uris = uris), ["app_id_uris"], "{bad}");
        }
    }
}
