//! The `scope` parameter.

use std::{collections::HashSet, sync::Arc};

use crate::{
    directory::{App, Authority, Directory},
    refusal::Refusal,
};

/// The scopes that a client requests: OpenID Connect scopes and permissions of APIs (RFC 6749,
/// section 3.3; <https://learn.microsoft.com/entra/identity-platform/scopes-oidc>).
#[derive(Debug, Clone)]
pub(crate) struct Scopes {
    /// In the order of the client.
    requested: Vec<RequestedScope>,
    /// The resource of the access token if no API is requested.
    graph: Arc<App>,
}

#[derive(Debug, Clone)]
struct RequestedScope {
    /// As written by the client, but in the registered spelling: as in Entra, case does not matter
    /// in the request, and the response corrects it. MSAL compares the two.
    text: String,
    /// `None` for a scope of OpenID Connect.
    permission: Option<Permission>,
}

/// A delegated permission of an API, or all of them.
#[derive(Debug, Clone)]
struct Permission {
    resource: Arc<App>,
    /// `None` for `.default`: every permission that has been consented to.
    name: Option<String>,
}

/// The scopes of OpenID Connect.
const OPENID: [&str; 4] = ["openid", "profile", "email", OFFLINE_ACCESS];
const OFFLINE_ACCESS: &str = "offline_access";

/// All permissions of an API.
const DEFAULT: &str = ".default";

impl Scopes {
    /// Parses the `scope` parameter of a request to this tenant.
    pub(crate) fn parse(directory: &Directory, tenant: &str, text: &str) -> Result<Self, Refusal> {
        let mut scopes = Self { requested: Vec::new(), graph: Arc::clone(directory.graph()) };
        for scope in text.split_ascii_whitespace() {
            let scope = RequestedScope::parse(directory, tenant, scope)?;
            if !scopes.has(&scope.text) {
                scopes.requested.push(scope);
            }
        }
        if scopes.requested.is_empty() {
            return Err(Refusal::invalid_scope(text));
        }
        // `.default` is all that the app was granted before, so it needs no other permission.
        let has_default = scopes.permissions().any(|permission| permission.name.is_none());
        if has_default && scopes.permissions().count() > 1 {
            return Err(Refusal::default_scope_combined(text));
        }
        let authority = Authority::parse(directory, tenant);
        if let Some(tenant) = authority.as_ref().and_then(Authority::tenant) {
            scopes.check_known_in(&tenant.id)?;
        }
        Ok(scopes)
    }

    /// The same scopes with the APIs as they are now: the directory may have changed since.
    pub(crate) fn in_directory(
        &self,
        directory: &Directory,
        tenant: &str,
    ) -> Result<Self, Refusal> {
        let texts: Vec<_> = self.requested.iter().map(|scope| scope.text.as_str()).collect();
        Self::parse(directory, tenant, &texts.join(" "))
    }

    /// Checks that the tenant with this id knows every requested API. At `common` and
    /// `organizations`, the tenant is known only after the sign-in.
    pub(crate) fn check_known_in(&self, tenant: &str) -> Result<(), Refusal> {
        let mut resources = self.permissions().map(|permission| &permission.resource);
        match resources.find(|resource| !resource.is_known_in(tenant)) {
            Some(resource) => Err(Refusal::resource_unknown(resource.app_id_uri(), tenant)),
            None => Ok(()),
        }
    }

    /// Whether this scope was requested, in the registered spelling.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.requested.iter().any(|requested| requested.text == scope)
    }

    /// Whether a refresh token was requested.
    pub(crate) fn offline(&self) -> bool {
        self.has(OFFLINE_ACCESS)
    }

    /// The first API that was requested, or Microsoft Graph if none was.
    pub(crate) fn resource(&self) -> &Arc<App> {
        self.permissions().next().map_or(&self.graph, |permission| &permission.resource)
    }

    /// The only API that was requested. An access token is for one API.
    pub(crate) fn only_resource(&self) -> Result<&Arc<App>, Refusal> {
        let resource = self.resource();
        if self.permissions().all(|other| other.resource.client_id == resource.client_id) {
            Ok(resource)
        } else {
            Err(Refusal::resources_several())
        }
    }

    /// Whether the `resource` parameter names the API of these scopes (RFC 8707, section 2).
    /// Without an API, they are of Microsoft Graph.
    pub(crate) fn are_all_of(&self, resource: &str) -> bool {
        self.resource().is_named(resource)
            && self.permissions().all(|permission| permission.resource.is_named(resource))
    }

    /// Whether only `.default` was requested, which client credentials require.
    pub(crate) fn is_default_only(&self) -> bool {
        self.permissions().count() == self.requested.len()
            && self.permissions().all(|permission| permission.name.is_none())
    }

    /// The scopes granted at one API: the `scope` of the response.
    ///
    /// As in Entra, `offline_access` is left out: it is not a permission of an API.
    pub(crate) fn granted_by(&self, resource: &App) -> String {
        let granted = self.requested.iter().filter(|scope| match &scope.permission {
            None => scope.text != OFFLINE_ACCESS,
            Some(permission) => permission.resource.client_id == resource.client_id,
        });
        granted.map(|scope| scope.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The permissions at one API, separated by spaces: the `scp` claim.
    pub(crate) fn names_at(&self, resource: &App) -> String {
        let mut names = Vec::<&str>::new();
        let at_it = self.permissions().filter(|p| p.resource.client_id == resource.client_id);
        for permission in at_it {
            match &permission.name {
                Some(name) => names.push(name),
                None => names.extend(resource.default_scopes().map(|scope| scope.name.as_str())),
            }
        }
        if resource.client_id == self.graph.client_id {
            names.extend(OPENID[..3].iter().filter(|name| self.has(name)));
        }
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(*name));
        names.join(" ")
    }

    /// The full names of all requested scopes. Consent is recorded for these.
    pub(crate) fn full_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for RequestedScope { text, permission } in &self.requested {
            let full = |resource: &App, name: &str| format!("{}/{name}", resource.app_id_uri());
            match permission {
                None => names.push(text.clone()),
                Some(Permission { resource, name: Some(name) }) => names.push(full(resource, name)),
                Some(Permission { resource, name: None }) => {
                    names
                        .extend(resource.default_scopes().map(|scope| full(resource, &scope.name)));
                }
            }
        }
        names
    }

    /// Whether at least one of these scopes needs an administrator's consent.
    pub(crate) fn need_an_administrator(&self) -> bool {
        self.permissions().any(|permission| match &permission.name {
            Some(name) => permission.resource.scope(name).is_some_and(|scope| scope.admin_consent),
            None => permission.resource.default_scopes().any(|scope| scope.admin_consent),
        })
    }

    /// Each requested scope: a description for the person, and the scope.
    pub(crate) fn described(&self) -> impl Iterator<Item = (String, &str)> {
        self.requested.iter().map(|scope| (scope.description(), scope.text.as_str()))
    }

    fn permissions(&self) -> impl Iterator<Item = &Permission> {
        self.requested.iter().filter_map(|scope| scope.permission.as_ref())
    }
}

impl RequestedScope {
    /// Parses one scope, ignoring case.
    ///
    /// A scope without a slash belongs to Microsoft Graph. As in Entra, the resource is a
    /// registered App ID URI or a client id.
    fn parse(directory: &Directory, tenant: &str, scope: &str) -> Result<Self, Refusal> {
        if let Some(name) = OPENID.iter().find(|name| name.eq_ignore_ascii_case(scope)) {
            return Ok(Self { text: (*name).to_owned(), permission: None });
        }
        let (prefix, resource, name) = match scope.rsplit_once('/') {
            None => (String::new(), directory.graph(), scope),
            Some((written, name)) if !written.is_empty() && !name.is_empty() => {
                let known = directory.resource(written);
                let resource = known.ok_or_else(|| Refusal::resource_unknown(written, tenant))?;
                (prefix_of(resource, written), resource, name)
            }
            Some(_) => return Err(Refusal::invalid_scope(scope)),
        };
        let name = match resource.scope(name) {
            Some(scope) => Some(scope.name.clone()),
            None if name.eq_ignore_ascii_case(DEFAULT) => None,
            None => return Err(Refusal::permission_unknown(name, &resource.client_id)),
        };
        let text = format!("{prefix}{}", name.as_deref().unwrap_or(DEFAULT));
        let resource = Arc::clone(resource);
        Ok(Self { text, permission: Some(Permission { resource, name }) })
    }

    fn description(&self) -> String {
        match &self.permission {
            Some(Permission { resource, name: Some(name) }) => {
                format!("Use {} as you: {name}", resource.name)
            }
            Some(Permission { resource, name: None }) => {
                format!("Use {} as you, with all permissions that have been granted", resource.name)
            }
            None => match self.text.as_str() {
                "openid" => "Sign you in".to_owned(),
                "profile" => "See your name and sign-in name".to_owned(),
                "email" => "See your mail address".to_owned(),
                _ => "Keep this access while you are away".to_owned(),
            },
        }
    }
}

/// The part of a scope before its name: the resource in the registered spelling, and the slashes as
/// written by the client.
fn prefix_of(resource: &App, written: &str) -> String {
    let name = resource.registered_name(written).unwrap_or(written);
    let slashes = written.len() - written.trim_end_matches('/').len() + 1;
    format!("{name}{}", "/".repeat(slashes))
}
