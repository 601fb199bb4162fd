//! The registrations as a directory file of the development tenant (crates/entra-dev/README.md).

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use super::{
    declared,
    resources::{Application, PermissionScope},
    state::State,
    wanted::{Audience, ClientIds, Wanted, Which},
};

/// The optional claims that the development tenant knows.
const KNOWN_CLAIMS: [&str; 12] = [
    "acct",
    "acrs",
    "email",
    "family_name",
    "given_name",
    "groups",
    "idtyp",
    "upn",
    "xms_act_fct",
    "xms_cc",
    "xms_par_app_azp",
    "xms_sub_fct",
];

/// The tenant of all personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The tenant of a directory file.
#[derive(Debug, Clone)]
pub struct Home {
    /// The tenant id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its domain, for sign-in names.
    pub domain: String,
}

/// The directory file for these registrations, in TOML. Its people are those to whom roles are to
/// be assigned or, if there are none, one for each role. Registrations that do not exist yet have
/// these client ids.
///
/// # Errors
///
/// If a value cannot be written in TOML.
pub fn directory_file(
    wanted: &Wanted,
    state: &State,
    home: &Home,
    new: &ClientIds,
) -> Result<String, toml::ser::Error> {
    let mut tenants = vec![TenantEntry {
        id: home.id.clone(),
        name: home.name.clone(),
        domains: vec![home.domain.clone()],
        personal: false,
    }];
    let apps: Vec<_> =
        Which::ALL.iter().filter_map(|which| app(*which, wanted, state, home, new)).collect();
    let personal = Audience::AnyOrganizationAndPersonal.as_str();
    let api = state.api.application.as_ref();
    if api.is_some_and(|api| api.sign_in_audience == personal) {
        tenants.push(TenantEntry {
            id: PERSONAL.to_owned(),
            name: "Personal accounts".to_owned(),
            domains: Vec::new(),
            personal: true,
        });
    }
    let api_name = wanted.names.display(Which::Api);
    let api_name = apps.first().map_or(api_name, |api| api.name.clone());
    let people = people(wanted, state, home, &api_name);
    let file = toml::to_string(&DirectoryFile { tenants, people, apps })?;
    Ok(format!("# The registrations of todo-api register, for the development tenant.\n\n{file}"))
}

fn app(
    which: Which,
    wanted: &Wanted,
    state: &State,
    home: &Home,
    new: &ClientIds,
) -> Option<AppEntry> {
    let application = state.registration(which).application.as_ref()?;
    let client_id = match Uuid::try_parse(&application.app_id) {
        Ok(id) => id.to_string(),
        // A dry run only has a placeholder.
        Err(_) => new.of(which)?.to_owned(),
    };
    let real = |text: &String| text.replace(&application.app_id, &client_id);
    let name = match application.display_name.as_str() {
        "" => wanted.names.display(which),
        name => name.to_owned(),
    };
    Some(AppEntry {
        name,
        tenant: home.name.clone(),
        single_tenant: application.sign_in_audience == Audience::MyOrganization.as_str(),
        app_id_uri: application.identifier_uris.iter().map(real).collect(),
        access_token_version: application.api.requested_access_token_version,
        scopes: scopes(application, "User"),
        admin_scopes: scopes(application, "Admin"),
        app_roles: (application.app_roles.iter().filter(|role| role.is_enabled))
            .filter_map(|role| role.value.clone())
            .collect(),
        optional_claims: (application.optional_claims.access_token.iter())
            .map(|claim| claim.name.clone())
            .filter(|name| KNOWN_CLAIMS.contains(&name.as_str()))
            .collect(),
        redirect_uris: RedirectUris { spa: application.spa.redirect_uris.clone() },
        client_id,
    })
}

fn scopes(application: &Application, consent: &str) -> Vec<String> {
    let enabled = |scope: &&PermissionScope| scope.is_enabled && scope.r#type == consent;
    let scopes = application.api.oauth2_permission_scopes.iter();
    scopes.filter(enabled).map(|scope| scope.value.clone()).collect()
}

fn people(wanted: &Wanted, state: &State, home: &Home, api: &str) -> Vec<PersonEntry> {
    let mut roles: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (user, role) in &wanted.assignments {
        roles.entry(user.clone()).or_default().push(role.clone());
    }
    if roles.is_empty() {
        for role in declared::roles().filter_map(|role| role.value) {
            let user = format!("{}@{}", role.to_ascii_lowercase(), home.domain);
            roles.entry(user).or_default().push(role);
        }
    }
    let mut people: Vec<PersonEntry> = Vec::new();
    for (sign_in_name, roles) in roles {
        let known = state.user(&sign_in_name).and_then(|user| Uuid::try_parse(&user.id).ok());
        let short = sign_in_name.split(['@', '#']).next().unwrap_or_default().to_ascii_lowercase();
        // Two people may differ in their domains only.
        let taken = people.iter().any(|person| person.name == short);
        people.push(PersonEntry {
            name: if taken { sign_in_name.replace('@', ".") } else { short.clone() },
            display_name: short,
            oid: known
                .map_or_else(|| declared::id_of("person", &sign_in_name), |id| id.to_string()),
            tenant: home.name.clone(),
            roles: BTreeMap::from([(api.to_owned(), roles)]),
            sign_in_name,
        });
    }
    people
}

#[derive(Serialize)]
struct DirectoryFile {
    tenants: Vec<TenantEntry>,
    people: Vec<PersonEntry>,
    apps: Vec<AppEntry>,
}

#[derive(Serialize)]
struct TenantEntry {
    id: String,
    name: String,
    domains: Vec<String>,
    personal: bool,
}

#[derive(Serialize)]
struct PersonEntry {
    name: String,
    display_name: String,
    sign_in_name: String,
    oid: String,
    tenant: String,
    roles: BTreeMap<String, Vec<String>>,
}

#[derive(Serialize)]
struct AppEntry {
    client_id: String,
    name: String,
    tenant: String,
    single_tenant: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    app_id_uri: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token_version: Option<u8>,
    scopes: Vec<String>,
    admin_scopes: Vec<String>,
    app_roles: Vec<String>,
    optional_claims: Vec<String>,
    redirect_uris: RedirectUris,
}

#[derive(Serialize)]
struct RedirectUris {
    spa: Vec<String>,
}
