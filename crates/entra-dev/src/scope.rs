use std::collections::HashSet;
use std::sync::Arc;

use crate::directory::{App, Authority, Directory};
use crate::refusal::Refusal;

/// What a client asks for: parts of an ID token, and permissions of APIs (RFC 6749 section 3.3,
/// "Scopes and permissions in the Microsoft identity platform").
#[derive(Debug, Clone)]
pub(crate) struct Scopes {
    /// In the client's own words and order, which is what it gets back: MSAL compares them.
    asked: Vec<Asked>,
    /// What an access token is for where no API is asked for.
    graph: Arc<App>,
}

#[derive(Debug, Clone)]
struct Asked {
    words: String,
    /// `None` for `openid` and its like.
    permission: Option<Permission>,
}

/// A delegated permission, or all of an API's.
#[derive(Debug, Clone)]
struct Permission {
    resource: Arc<App>,
    /// `None` for `.default`: whatever has been consented to.
    name: Option<String>,
}

/// The scopes of OpenID Connect. Each says something about the ID token, the last about refresh.
const OPENID: [&str; 4] = ["openid", "profile", "email", OFFLINE_ACCESS];
const OFFLINE_ACCESS: &str = "offline_access";

impl Scopes {
    /// Reads the `scope` parameter at the sign-in page of this tenant.
    pub(crate) fn parse(directory: &Directory, tenant: &str, text: &str) -> Result<Self, Refusal> {
        let mut scopes = Self { asked: Vec::new(), graph: Arc::clone(directory.graph()) };
        for words in text.split_ascii_whitespace() {
            if !scopes.has(words) {
                let permission = Permission::parse(directory, tenant, words)?;
                scopes.asked.push(Asked { words: words.to_owned(), permission });
            }
        }
        if scopes.asked.is_empty() {
            return Err(Refusal::invalid_scope(text));
        }
        let authority = Authority::parse(directory, tenant);
        if let Some(tenant) = authority.as_ref().and_then(Authority::tenant) {
            scopes.check_known_in(&tenant.id)?;
        }
        Ok(scopes)
    }

    /// Whether every API that is asked for is one that the tenant with this id knows. Where the
    /// authority is not one tenant, that shows only when somebody has signed in.
    pub(crate) fn check_known_in(&self, tenant: &str) -> Result<(), Refusal> {
        let mut resources = self.permissions().map(|permission| &permission.resource);
        match resources.find(|resource| !resource.is_known_in(tenant)) {
            Some(resource) => Err(Refusal::resource_unknown(&resource.app_id_uri, tenant)),
            None => Ok(()),
        }
    }

    /// Whether these very words are among what was asked for.
    pub(crate) fn has(&self, words: &str) -> bool {
        self.asked.iter().any(|asked| asked.words == words)
    }

    /// Whether a refresh token was asked for.
    pub(crate) fn offline(&self) -> bool {
        self.has(OFFLINE_ACCESS)
    }

    /// The first API that was asked for; Microsoft Graph where none was.
    pub(crate) fn resource(&self) -> &Arc<App> {
        self.permissions().next().map_or(&self.graph, |permission| &permission.resource)
    }

    /// The one API that an access token can be for.
    pub(crate) fn only_resource(&self) -> Result<&Arc<App>, Refusal> {
        let resource = self.resource();
        if self.permissions().all(|other| other.resource.client_id == resource.client_id) {
            Ok(resource)
        } else {
            Err(Refusal::resources_several())
        }
    }

    /// Whether it is `.default` and nothing else, as client credentials need.
    pub(crate) fn is_default_only(&self) -> bool {
        self.permissions().count() == self.asked.len()
            && self.permissions().all(|permission| permission.name.is_none())
    }

    /// What one API grants of this, in the client's own words: the `scope` of the answer.
    ///
    /// `offline_access` is not among it, as in Entra: it is no permission of an API.
    pub(crate) fn granted_by(&self, resource: &App) -> String {
        let granted = self.asked.iter().filter(|asked| match &asked.permission {
            None => asked.words != OFFLINE_ACCESS,
            Some(permission) => permission.resource.client_id == resource.client_id,
        });
        granted.map(|asked| asked.words.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The names of the permissions at one API: the `scp` claim, separated by spaces.
    pub(crate) fn names_at(&self, resource: &App) -> String {
        let mut names = Vec::<&str>::new();
        let at_it = self.permissions().filter(|p| p.resource.client_id == resource.client_id);
        for permission in at_it {
            match &permission.name {
                Some(name) => names.push(name),
                None => names.extend(resource.scopes.iter().map(|scope| scope.name.as_str())),
            }
        }
        if resource.client_id == self.graph.client_id {
            names.extend(OPENID[..3].iter().filter(|name| self.has(name)));
        }
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(*name));
        names.join(" ")
    }

    /// Everything that is asked for by its full name, which consent is given to.
    pub(crate) fn full_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for Asked { words, permission } in &self.asked {
            let full = |resource: &App, name: &str| format!("{}/{name}", resource.app_id_uri);
            match permission {
                None => names.push(words.clone()),
                Some(Permission { resource, name: Some(name) }) => names.push(full(resource, name)),
                Some(Permission { resource, name: None }) => {
                    names.extend(resource.scopes.iter().map(|scope| full(resource, &scope.name)));
                }
            }
        }
        names
    }

    /// Whether only an administrator can consent to all of this.
    pub(crate) fn need_an_administrator(&self) -> bool {
        self.permissions().any(|permission| match &permission.name {
            Some(name) => permission.resource.scope(name).is_some_and(|scope| scope.admin_consent),
            None => permission.resource.scopes.iter().any(|scope| scope.admin_consent),
        })
    }

    /// What the client asked for: what it means for the person, and in the client's own words.
    pub(crate) fn described(&self) -> impl Iterator<Item = (String, &str)> {
        self.asked.iter().map(|asked| (asked.meaning(), asked.words.as_str()))
    }

    fn permissions(&self) -> impl Iterator<Item = &Permission> {
        self.asked.iter().filter_map(|asked| asked.permission.as_ref())
    }
}

impl Asked {
    fn meaning(&self) -> String {
        match &self.permission {
            Some(Permission { resource, name: Some(name) }) => {
                format!("Use {} as you: {name}", resource.name)
            }
            Some(Permission { resource, name: None }) => {
                format!("Use {} as you, as far as it has been allowed to", resource.name)
            }
            None => match self.words.as_str() {
                "openid" => "Sign you in".to_owned(),
                "profile" => "See your name and sign-in name".to_owned(),
                "email" => "See your mail address".to_owned(),
                _ => "Keep the access it has been given while you are away".to_owned(),
            },
        }
    }
}

impl Permission {
    /// The permission that these words name; `None` for a scope of OpenID Connect.
    ///
    /// Words without a slash belong to Microsoft Graph. Entra takes the app id URI or the bare
    /// client id as the resource.
    fn parse(directory: &Directory, tenant: &str, words: &str) -> Result<Option<Self>, Refusal> {
        if OPENID.contains(&words) {
            return Ok(None);
        }
        let (resource, name) = match words.rsplit_once('/') {
            None => (directory.graph(), words),
            Some((resource, name)) if !resource.is_empty() && !name.is_empty() => {
                // Two slashes, as in `https://api.example//.default`, mean a URI that ends in one.
                let resource = resource.trim_end_matches('/');
                let known = directory.resource(resource);
                (known.ok_or_else(|| Refusal::resource_unknown(resource, tenant))?, name)
            }
            Some(_) => return Err(Refusal::invalid_scope(words)),
        };
        let name = match name {
            ".default" => None,
            _ if resource.scope(name).is_some() => Some(name.to_owned()),
            _ => return Err(Refusal::permission_unknown(name, &resource.client_id)),
        };
        Ok(Some(Self { resource: Arc::clone(resource), name }))
    }
}
