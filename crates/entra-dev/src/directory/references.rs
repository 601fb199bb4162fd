//! Resolves references between the entries of a directory file.

use std::collections::{BTreeMap, HashSet};

use super::{
    app::App,
    check::Checks,
    entries::{AppEntry, DirectoryFile, Text, strings},
    managed_identity::IdentityKind,
    microsoft,
    texts::check_not_repeated,
};

/// The entries that others can refer to, each by id or by name.
pub(super) struct References<'a> {
    tenants: Vec<(&'a str, &'a str)>,
    groups: Vec<(&'a str, &'a str)>,
    apps: Vec<(&'a str, &'a str)>,
    by_client_id: BTreeMap<&'a str, &'a AppEntry>,
    /// Apps, but no people, can have app roles in it.
    graph: App,
}

impl<'a> References<'a> {
    pub(super) fn new(file: &'a DirectoryFile) -> Self {
        fn pair<'a>(id: &'a Text, name: &'a Text) -> (&'a str, &'a str) {
            (id.as_ref(), name.as_ref())
        }
        Self {
            tenants: file.tenants.iter().map(|tenant| pair(&tenant.id, &tenant.name)).collect(),
            groups: file.groups.iter().map(|group| pair(&group.id, &group.name)).collect(),
            apps: file.apps.iter().map(|app| pair(&app.client_id, &app.name)).collect(),
            by_client_id: (file.apps.iter())
                .map(|app| (app.client_id.as_ref().as_str(), app))
                .collect(),
            graph: microsoft::graph(),
        }
    }

    /// Checks that no person has app roles in Microsoft Graph.
    pub(super) fn check_roles_of_person(
        &self,
        checks: &mut Checks,
        entries: &BTreeMap<Text, Vec<Text>>,
    ) {
        for name in entries.keys().filter(|name| is_called(name, &self.graph)) {
            let text = format!("people have no app roles in {:?}, only apps have", name.as_ref());
            checks.report(name.span(), text);
        }
    }

    /// The id of the tenant with this id or name.
    pub(super) fn tenant(&self, checks: &mut Checks, name: &Text) -> String {
        resolve(checks, "tenant", &self.tenants, name)
    }

    /// The ids of the groups with these ids or names.
    pub(super) fn groups(&self, checks: &mut Checks, names: &[Text]) -> Vec<String> {
        let mut seen = HashSet::new();
        let mut ids = Vec::new();
        for name in names {
            let id = resolve(checks, "group", &self.groups, name);
            if !id.is_empty() && !seen.insert(id.clone()) {
                let text = format!("the group {:?} is in the list already", name.as_ref());
                checks.report(name.span(), text);
            }
            ids.push(id);
        }
        ids
    }

    /// The client id of the agent identity with this id or name, whose user account is in this
    /// tenant.
    pub(super) fn agent(&self, checks: &mut Checks, name: &Text, tenant: &str) -> String {
        let client_id = resolve(checks, "app", &self.apps, name);
        let Some(app) = self.by_client_id.get(client_id.as_str()) else { return client_id };
        if app.agent_blueprint.is_none() {
            let text = format!("{:?} is not an agent: it has no agent_blueprint", name.as_ref());
            checks.report(name.span(), text);
        }
        let home = find(&self.tenants, &app.tenant);
        if home.is_some_and(|home| !tenant.is_empty() && tenant != home) {
            let (agent, home) = (name.as_ref(), app.tenant.as_ref());
            let text = format!("the user account of {agent:?} must be in its tenant, {home:?}");
            checks.report(name.span(), text);
        }
        client_id
    }

    /// The client id of the blueprint with this id or name, whose agent is in this tenant.
    pub(super) fn blueprint(&self, checks: &mut Checks, name: &Text, tenant: &str) -> String {
        let client_id = resolve(checks, "app", &self.apps, name);
        let app = self.by_client_id.get(client_id.as_str());
        if app.is_some_and(|app| app.agent_blueprint.is_some()) {
            let text =
                format!("{:?} is an agent itself, so it cannot be a blueprint", name.as_ref());
            checks.report(name.span(), text);
        }
        if let Some(app) = app {
            self.check_known_in(checks, Some(tenant), app, name);
        }
        client_id
    }

    /// The client id of the user-assigned identity with this id or name, which must be in the tenant
    /// of the app that trusts it
    /// (<https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity>).
    pub(super) fn managed_identity(
        &self,
        checks: &mut Checks,
        name: &Text,
        tenant: &str,
    ) -> String {
        let client_id = resolve(checks, "app", &self.apps, name);
        let Some(app) = self.by_client_id.get(client_id.as_str()) else { return client_id };
        let kind = app.managed_identity.as_ref().map(AsRef::as_ref);
        let text = if kind != Some(&IdentityKind::UserAssigned) {
            format!("{:?} is not a user-assigned managed identity", name.as_ref())
        } else if find(&self.tenants, &app.tenant).is_some_and(|home| home != tenant) {
            format!("{:?} is in another tenant than the app that trusts it", name.as_ref())
        } else {
            return client_id;
        };
        checks.report(name.span(), text);
        client_id
    }

    /// The client id of the API with this id or name: an app, or Microsoft Graph.
    pub(super) fn api(&self, checks: &mut Checks, name: &Text) -> String {
        match is_called(name, &self.graph) {
            true => self.graph.client_id.clone(),
            false => resolve(checks, "app", &self.apps, name),
        }
    }

    /// App roles by the client id of the app that declares them. `tenant` is the tenant of the
    /// person or single-tenant app that has the roles.
    pub(super) fn assignments(
        &self,
        checks: &mut Checks,
        entries: &BTreeMap<Text, Vec<Text>>,
        tenant: Option<&str>,
    ) -> BTreeMap<String, Vec<String>> {
        let mut assignments = BTreeMap::new();
        for (name, roles) in entries {
            let client_id = self.api(checks, name);
            if client_id == self.graph.client_id {
                check_roles(checks, name, roles, self.graph.app_roles.iter());
            } else if let Some(app) = self.by_client_id.get(client_id.as_str()) {
                self.check_known_in(checks, tenant, app, name);
                check_roles(checks, name, roles, app.app_roles.iter().map(AsRef::as_ref));
            }
            let known = assignments.insert(client_id, strings(roles)).is_some();
            if known {
                let text = format!("there is another entry for the app {:?}", name.as_ref());
                checks.report(name.span(), text);
            }
        }
        assignments
    }

    /// A single-tenant app has no service principal in other tenants, so nobody can have its app
    /// roles there.
    fn check_known_in(
        &self,
        checks: &mut Checks,
        tenant: Option<&str>,
        app: &AppEntry,
        name: &Text,
    ) {
        let single_tenant = app.single_tenant || app.managed_identity.is_some();
        let Some(home) = find(&self.tenants, &app.tenant).filter(|_| single_tenant) else {
            return;
        };
        if tenant.is_some_and(|tenant| !tenant.is_empty() && tenant != home) {
            let (app, home) = (name.as_ref(), app.tenant.as_ref());
            let text = format!("{app:?} is a single-tenant app, so it exists only in {home:?}");
            checks.report(name.span(), text);
        }
    }
}

/// Reports every role that an app does not declare, or that is in the list twice.
fn check_roles<'a>(
    checks: &mut Checks,
    app: &Text,
    roles: &[Text],
    declared: impl Iterator<Item = &'a String> + Clone,
) {
    check_not_repeated(checks, "app role", roles);
    for role in roles {
        if !declared.clone().any(|known| known == role.as_ref()) {
            let (app, role_name) = (app.as_ref(), role.as_ref());
            let text = format!("{app:?} declares no app role {role_name:?}");
            checks.report(role.span(), text);
        }
    }
}

/// Whether this is the client id or the name of the app.
fn is_called(name: &Text, app: &App) -> bool {
    [&app.client_id, &app.name].contains(&name.as_ref())
}

/// The id of the entry with this id or name. If there is none, reports a fault and returns an empty
/// id.
fn resolve(checks: &mut Checks, kind: &str, known: &[(&str, &str)], name: &Text) -> String {
    match find(known, name) {
        Some(id) => id.to_owned(),
        None => {
            checks.report(name.span(), format!("there is no {kind} {:?}", name.as_ref()));
            String::new()
        }
    }
}

fn find<'a>(known: &[(&'a str, &'a str)], name: &Text) -> Option<&'a str> {
    let is_it = |(id, title): &&(&str, &str)| id == name.as_ref() || title == name.as_ref();
    known.iter().find(is_it).map(|(id, _)| *id)
}
