//! Tables of the people, tenants, groups and apps.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::{
    directory::{App, Directory, Person, Platform, Scope},
    options::Scheme,
    token_issuer::TokenIssuer,
};

use super::table::{Table, code, lines, text};

pub(super) fn people(directory: &Directory) -> Table {
    let columns = &[
        "Person",
        "Sign-in name",
        "Object id",
        "Short name",
        "Tenant",
        "Groups",
        "Notes",
        "App roles",
    ];
    let mut table = Table::new("Who can sign in", columns);
    for person in directory.people() {
        let groups = directory.groups().iter().filter(|group| person.groups.contains(&group.id));
        table.row([
            text(&person.display_name),
            code(&person.sign_in_name),
            code(&person.oid),
            code(&person.name),
            text(tenant_name(directory, &person.tenant)),
            lines(groups.map(|group| text(&group.name))),
            notes(directory, person),
            lines(roles(directory, &person.assignments)),
        ]);
    }
    table
}

fn notes(directory: &Directory, person: &Person) -> Markup {
    let mail = (person.email != person.sign_in_name).then_some(&person.email);
    let notes = [
        person.administrator.then(|| text("administrator")),
        person.guest.then(|| text("guest")),
        person.agent_identity.as_ref().map(|agent| {
            html! { "user account of the agent " (app_name(directory, agent)) }
        }),
        mail.map(|address| html! { "mail to " (code(address)) }),
    ];
    lines(notes.into_iter().flatten())
}

pub(super) fn tenants(directory: &Directory) -> Table {
    let mut table = Table::new("Tenants", &["Name", "Tenant id", "Domains"]);
    for tenant in directory.tenants() {
        table.row([
            text(&tenant.name),
            code(&tenant.id),
            lines(tenant.domains.iter().map(|domain| code(domain))),
        ]);
    }
    table
}

pub(super) fn groups(directory: &Directory) -> Table {
    let mut table = Table::new("Groups", &["Name", "Group id", "Tenant", "Members"]);
    for group in directory.groups() {
        let members = directory.people().iter().filter(|person| person.groups.contains(&group.id));
        table.row([
            text(&group.name),
            code(&group.id),
            text(tenant_name(directory, &group.tenant)),
            lines(members.map(|person| code(&person.sign_in_name))),
        ]);
    }
    table
}

/// The scopes and optional claims of each API.
pub(super) fn apis(directory: &Directory) -> Table {
    let columns = &["API", "Scopes", "Optional claims", "Tokens", "App id URIs"];
    let mut table = Table::new("APIs", columns);
    let offers = |app: &&App| {
        !(app.scopes.is_empty() && app.app_roles.is_empty() && app.optional_claims.is_empty())
    };
    for app in directory.apps().iter().map(|app| &**app).filter(offers) {
        let claims = app.optional_claims.iter().map(|claim| code(claim.name()));
        table.row([
            text(&app.name),
            lines(app.scopes.iter().map(|scope| scope_of(app, scope))),
            lines(claims),
            lines(tokens(app)),
            lines(app.app_id_uris.iter().map(|uri| code(uri))),
        ]);
    }
    table
}

/// The version of the access tokens, and the listener that issues them if the API says so.
fn tokens(app: &App) -> impl Iterator<Item = Markup> + use<> {
    let issuer = app.token_issuer.as_ref().map(|issuer| match issuer {
        TokenIssuer::Listener(Scheme::Http) => text("issuer: HTTP"),
        TokenIssuer::Listener(Scheme::Https) => text("issuer: HTTPS"),
        TokenIssuer::Url(url) => html! { "issuer: " (code(url)) },
    });
    [Some(html! { "version " (app.access_token_version) }), issuer].into_iter().flatten()
}

fn scope_of(app: &App, scope: &Scope) -> Markup {
    let name = code(&format!("{}/{}", app.app_id_uri(), scope.name));
    html! { (name) @if scope.admin_consent { " (administrators consent)" } }
}

/// The app roles of each API with the people and apps that have them, and the assignments without
/// a role. Apps also have the app roles that they inherit.
pub(super) fn app_roles(directory: &Directory) -> Table {
    let mut table = Table::new("App roles", &["Role @ API", "People", "Apps"]);
    for api in directory.apps() {
        for role in api.app_roles.iter().map(Some).chain([None]) {
            let has = |assignments: &Assignments| match (assignments.get(&api.client_id), role) {
                (Some(roles), Some(role)) => roles.contains(role),
                (Some(roles), None) => roles.is_empty(),
                (None, _) => false,
            };
            let app_has = |app: &App| {
                let roles = directory.roles_of_app(app, api);
                match role {
                    Some(role) => roles.contains(role),
                    None => has(&app.permissions) && roles.is_empty(),
                }
            };
            let people = directory.people().iter().filter(|person| has(&person.assignments));
            let people = lines(people.map(|person| code(&person.sign_in_name)));
            let apps = directory.apps().iter().filter(|app| app_has(app));
            let apps = lines(apps.map(|app| text(&app.name)));
            if role.is_some() || !(people.0.is_empty() && apps.0.is_empty()) {
                table.row([role_at(role, &api.name), people, apps]);
            }
        }
    }
    table
}

/// App roles by the client id of the app that declares them.
type Assignments = BTreeMap<String, Vec<String>>;

fn roles(directory: &Directory, assignments: &Assignments) -> impl Iterator<Item = Markup> {
    assignments.iter().flat_map(|(client_id, roles)| {
        let app = app_name(directory, client_id);
        let no_role = roles.is_empty().then(|| role_at(None, app));
        roles.iter().map(|role| role_at(Some(role), app)).chain(no_role).collect::<Vec<_>>()
    })
}

fn role_at(role: Option<&String>, app: &str) -> Markup {
    let role = role.map_or_else(|| text("no role"), |role| code(role));
    html! { (role) " @ " (app) }
}

pub(super) fn apps(directory: &Directory) -> Table {
    let columns =
        &["App", "Client id", "Tenant", "Credentials", "Permissions", "Settings", "Redirect URIs"];
    let mut table = Table::new("Apps", columns);
    for app in directory.apps() {
        let uris = (app.redirect_uris.iter())
            .map(|(platform, uri)| html! { (code(uri)) " (" (platform_name(*platform)) ")" });
        table.row([
            text(&app.name),
            code(&app.client_id),
            text(tenant_name(directory, &app.tenant)),
            credentials(directory, app),
            permissions(directory, app),
            settings(directory, app),
            lines(uris),
        ]);
    }
    table
}

/// The app roles of an app, those that it inherits from its blueprint, and the APIs for which it
/// has none.
fn permissions(directory: &Directory, app: &App) -> Markup {
    let blueprint = app.agent_blueprint.iter().filter_map(|blueprint| directory.app(blueprint));
    let apis = blueprint.flat_map(|blueprint| &blueprint.inheritable_permissions);
    let inherited = apis.filter_map(|api| directory.resource(api)).flat_map(|api| {
        let own = app.permissions.get(&api.client_id);
        let roles = directory.roles_of_app(app, api).into_iter();
        let inherited = roles.filter(move |role| !own.is_some_and(|own| own.contains(role)));
        inherited.map(|role| html! { (role_at(Some(&role), &api.name)) " (inherited)" })
    });
    lines(roles(directory, &app.permissions).chain(inherited))
}

fn settings(directory: &Directory, app: &App) -> Markup {
    let blueprint = (app.agent_blueprint.iter())
        .map(|blueprint| html! { "agent of the blueprint " (app_name(directory, blueprint)) });
    let settings = [
        (app.single_tenant, "single tenant"),
        (app.own_signing_key, "own signing key"),
        (app.public_client, "public client"),
        (app.consent_required, "consent required"),
        (app.assignment_required, "assignment required"),
        (app.id_token_issuance, "ID tokens at authorize"),
    ];
    let set = settings.into_iter().filter(|(set, _)| *set).map(|(_, name)| text(name));
    let added = app.added_to.iter().map(|id| html! { "added to " (tenant_name(directory, id)) });
    let identity = (app.managed_identity.iter())
        .map(|identity| html! { (identity.kind.name()) " managed identity" });
    let inheritable = (app.inheritable_permissions.iter())
        .map(|api| html! { "agents inherit permissions of " (app_name(directory, api)) });
    lines(set.chain(added).chain(blueprint).chain(inheritable).chain(identity))
}

/// The secrets can be shown, because they are for development. Certificates are shown by their
/// thumbprint.
fn credentials(directory: &Directory, app: &App) -> Markup {
    let secrets = app.secrets.iter().map(|secret| code(secret));
    let expired = app.expired_secrets.iter().map(|secret| html! { (code(secret)) " (expired)" });
    let certificates = (app.certificates.iter())
        .map(|certificate| html! { "certificate " (code(certificate.thumbprint())) });
    let issuers = (app.federated_credentials.iter())
        .map(|known| html! { "tokens of " (code(&known.issuer)) " for " (code(&known.subject)) });
    let identities = (app.trusted_managed_identities.iter())
        .map(|client_id| html! { "tokens of " (app_name(directory, client_id)) });
    lines(secrets.chain(expired).chain(certificates).chain(issuers).chain(identities))
}

pub(super) fn platform_name(platform: Platform) -> &'static str {
    match platform {
        Platform::SinglePage => "single-page",
        Platform::Web => "web",
        Platform::Native => "native",
    }
}

fn app_name<'a>(directory: &'a Directory, client_id: &str) -> &'a str {
    directory.resource(client_id).map_or("", |app| app.name.as_str())
}

fn tenant_name<'a>(directory: &'a Directory, id: &str) -> &'a str {
    directory.tenant(id).map_or("", |tenant| tenant.name.as_str())
}
