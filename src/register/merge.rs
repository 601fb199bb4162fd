//! Adds what is declared to what is registered. Nothing that a person added is removed.

use super::{
    declared::{role_id, scope_id},
    resources::{
        AppRole, OptionalClaim, OptionalClaims, PermissionScope, PreAuthorizedApplication,
        RequiredResource, ResourceAccess,
    },
};

/// An entry of the API's registration that has an id and a value, which tokens contain.
pub(super) trait Entitlement: Clone {
    fn id(&self) -> &str;
    fn value(&self) -> Option<&str>;
    fn disable(&mut self);
    fn set_id(&mut self, id: String);
    /// The declared texts and properties, with the id and the members of the registered entry that
    /// are not declared.
    fn declared_as(&self, registered: &Self) -> Self;
    /// The id that `register` gives to an entry with this value.
    fn id_for(value: &str) -> String;
}

impl Entitlement for PermissionScope {
    fn id(&self) -> &str {
        &self.id
    }

    fn value(&self) -> Option<&str> {
        Some(&self.value)
    }

    fn disable(&mut self) {
        self.is_enabled = false;
    }

    fn set_id(&mut self, id: String) {
        self.id = id;
    }

    fn declared_as(&self, registered: &Self) -> Self {
        // A person may have reserved the consent for administrators.
        let Self { id, r#type, origin, others, .. } = registered.clone();
        Self { id, r#type, origin, others, ..self.clone() }
    }

    fn id_for(value: &str) -> String {
        scope_id(value)
    }
}

impl Entitlement for AppRole {
    fn id(&self) -> &str {
        &self.id
    }

    fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    fn disable(&mut self) {
        self.is_enabled = false;
    }

    fn set_id(&mut self, id: String) {
        self.id = id;
    }

    fn declared_as(&self, registered: &Self) -> Self {
        let Self { id, origin, others, allowed_member_types, .. } = registered.clone();
        // A person may have allowed apps to have the role as well.
        let member_types = with_all(&allowed_member_types, &self.allowed_member_types);
        Self { id, origin, others, allowed_member_types: member_types, ..self.clone() }
    }

    fn id_for(value: &str) -> String {
        role_id(value)
    }
}

/// The registered entries, with all declared ones. An entry with a declared value keeps its id.
///
/// An entry that `register` created and that is not declared any more is disabled. Its id says that
/// `register` created it. It is not removed, because people may have it, and because it may be
/// declared again.
pub(super) fn entitlements<E: Entitlement>(registered: &[E], declared: &[E]) -> Vec<E> {
    let find = |entries: &[E], value: Option<&str>| {
        entries.iter().find(|entry| value.is_some() && entry.value() == value).cloned()
    };
    let kept = registered.iter().map(|entry| match find(declared, entry.value()) {
        Some(declared) => declared.declared_as(entry),
        None => {
            let mut entry = entry.clone();
            if entry.value().is_some_and(|value| E::id_for(value) == entry.id()) {
                entry.disable();
            }
            entry
        }
    });
    let new = declared.iter().filter(|entry| find(registered, entry.value()).is_none()).cloned();
    kept.chain(new.map(|entry| with_free_id(entry, registered))).collect()
}

/// The new entry with an id that no registered one has. An entry has the id of another value after
/// a person has renamed it, and people may have it under its new name.
fn with_free_id<E: Entitlement>(mut entry: E, registered: &[E]) -> E {
    while registered.iter().any(|other| other.id() == entry.id()) {
        let next = E::id_for(entry.id());
        entry.set_id(next);
    }
    entry
}

/// The registered strings, with all wanted ones.
pub(super) fn with_all(registered: &[String], wanted: &[String]) -> Vec<String> {
    let mut all = registered.to_vec();
    for item in wanted {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
    all
}

/// The registered claims, with all wanted ones in access tokens.
pub(super) fn optional_claims(registered: &OptionalClaims, wanted: &[&str]) -> OptionalClaims {
    let mut all = registered.clone();
    for name in wanted {
        if !all.access_token.iter().any(|claim| claim.name == *name) {
            let claim = OptionalClaim { name: (*name).to_owned(), ..OptionalClaim::default() };
            all.access_token.push(claim);
        }
    }
    all
}

/// The registered clients, with this one, which may use these scopes.
pub(super) fn pre_authorized(
    registered: &[PreAuthorizedApplication],
    client: &str,
    scopes: &[String],
) -> Vec<PreAuthorizedApplication> {
    let mut all = registered.to_vec();
    match all.iter_mut().find(|entry| entry.app_id == client) {
        Some(entry) => {
            entry.delegated_permission_ids = with_all(&entry.delegated_permission_ids, scopes);
        }
        None => all.push(PreAuthorizedApplication {
            app_id: client.to_owned(),
            delegated_permission_ids: scopes.to_vec(),
        }),
    }
    all
}

/// The registered permissions, with these scopes of this API.
pub(super) fn required_resources(
    registered: &[RequiredResource],
    api: &str,
    scopes: &[String],
) -> Vec<RequiredResource> {
    let mut all = registered.to_vec();
    let at = all.iter().position(|resource| resource.resource_app_id == api);
    let at = at.unwrap_or_else(|| {
        let resource_app_id = api.to_owned();
        all.push(RequiredResource { resource_app_id, resource_access: Vec::new() });
        all.len() - 1
    });
    for id in scopes {
        let access = ResourceAccess { id: id.clone(), r#type: "Scope".to_owned() };
        if !all[at].resource_access.contains(&access) {
            all[at].resource_access.push(access);
        }
    }
    all
}
