//! The directory: parsing and lookups.

use std::{path::Path, sync::Arc};

use crate::ids::{API_CLIENT_ID, SWAGGER_UI_CLIENT_ID};

use super::{
    app::App,
    app_id_uri,
    contents::Contents,
    edit::Edit,
    entries::DirectoryFile,
    file::{self, DirectoryError},
    person::{Person, UnknownPerson},
    tenant::{Group, Tenant},
};

/// Tenants, people, groups and apps, as described by a file. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Directory(pub(super) Arc<Contents>);

impl Directory {
    /// The text of the built-in directory: an example of the file's format with every kind of app.
    pub const EXAMPLE: &str = include_str!("built_in.toml");

    /// Parses a directory in TOML. Paths of certificate files are relative to `folder`.
    ///
    /// # Errors
    ///
    /// The faults in the text, each with its line. If a field is unknown, missing or of the wrong
    /// type, only the first such field is reported.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, DirectoryError> {
        file::parse(text, Some(folder)).map(|contents| Self(Arc::new(contents)))
    }

    /// Parses a directory in JSON, which has the same structure as the TOML format.
    ///
    /// # Errors
    ///
    /// Like [`Self::parse`]; if the text is not JSON, only the first fault.
    pub fn parse_json(text: &str, folder: &Path) -> Result<Self, DirectoryError> {
        file::parse_json(text, folder).map(|contents| Self(Arc::new(contents)))
    }

    /// Parses a directory in TOML that was sent by a client, so it cannot name files.
    pub(crate) fn parse_sent(text: &str) -> Result<Self, DirectoryError> {
        file::parse(text, None).map(|contents| Self(Arc::new(contents)))
    }

    /// Reads a directory file: JSON if its name ends in `.json`, otherwise TOML.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or it has faults: see [`Self::parse`] and [`Self::parse_json`].
    pub fn read(path: &Path) -> Result<Self, DirectoryError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| DirectoryError::Read { path: path.to_owned(), source })?;
        let is_json = path.extension().is_some_and(|name| name.eq_ignore_ascii_case("json"));
        let parse = if is_json { Self::parse_json } else { Self::parse };
        parse(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// The entries of the file.
    pub(super) fn file(&self) -> &DirectoryFile {
        &self.0.file
    }

    /// All people, in the order of the account page.
    pub fn people(&self) -> &[Arc<Person>] {
        &self.0.people
    }

    /// The id of the tenant, group, person or app with this name: its `id`, `oid` or `client_id`.
    pub fn id_of(&self, name: &str) -> Option<&str> {
        let Contents { tenants, groups, people, apps, .. } = &*self.0;
        let tenants = tenants.iter().map(|tenant| (&tenant.name, &tenant.id));
        let groups = groups.iter().map(|group| (&group.name, &group.id));
        let people = people.iter().map(|person| (&person.name, &person.oid));
        let apps = apps.iter().map(|app| (&app.name, &app.client_id));
        let mut named = tenants.chain(groups).chain(people).chain(apps);
        named.find(|(known, _)| *known == name).map(|(_, id)| id.as_str())
    }

    /// Whether the tenant, group, person or app with this id is in the directory.
    pub fn contains(&self, id: &str) -> bool {
        let Contents { tenants, groups, people, apps, .. } = &*self.0;
        tenants.iter().any(|tenant| tenant.id == id)
            || groups.iter().any(|group| group.id == id)
            || people.iter().any(|person| person.oid == id)
            || apps.iter().any(|app| app.client_id == id)
    }

    /// The person with this name, sign-in name or `oid`, ignoring case.
    pub(crate) fn person(&self, name: &str) -> Result<&Arc<Person>, UnknownPerson> {
        self.0.people.iter().find(|person| person.is_called(name)).ok_or_else(|| {
            let names = self.0.people.iter().map(|person| person.name.as_str());
            UnknownPerson { name: name.to_owned(), known: names.collect::<Vec<_>>().join(", ") }
        })
    }

    /// The person with this `oid`.
    pub(crate) fn person_with_oid(&self, oid: &str) -> Option<&Arc<Person>> {
        self.0.people.iter().find(|person| person.oid == oid)
    }

    /// The app with this client id.
    pub(crate) fn app(&self, client_id: &str) -> Option<&Arc<App>> {
        self.0.apps.iter().find(|app| app.client_id.eq_ignore_ascii_case(client_id))
    }

    /// The first app that is an API: it has scopes or app roles.
    pub(crate) fn first_api(&self) -> Option<&Arc<App>> {
        self.0.apps.iter().find(|app| app.is_api())
    }

    /// The first app in which people sign in: it has redirect URIs.
    pub(crate) fn first_client(&self) -> Option<&Arc<App>> {
        self.0.apps.iter().find(|app| !app.redirect_uris.is_empty())
    }

    /// The agents of the blueprint with this client id.
    pub(crate) fn agents_of(&self, blueprint: &str) -> impl Iterator<Item = &Arc<App>> {
        let is_its = move |app: &&Arc<App>| app.agent_blueprint.as_deref() == Some(blueprint);
        self.0.apps.iter().filter(is_its)
    }

    /// The blueprint of this app, if the app is an agent that inherits permissions for this API.
    pub(crate) fn inherits_from(&self, app: &App, api: &App) -> Option<&Arc<App>> {
        let blueprint = self.app(app.agent_blueprint.as_deref()?)?;
        blueprint.inheritable_permissions.contains(&api.client_id).then_some(blueprint)
    }

    /// The app roles that this app has in an API: its own and, without repetition, those that it
    /// inherits.
    pub(crate) fn roles_of_app(&self, app: &App, api: &App) -> Vec<String> {
        let holders = [Some(app), self.inherits_from(app, api).map(AsRef::as_ref)];
        let granted = holders.into_iter().flatten();
        let granted = granted.filter_map(|holder| holder.permissions.get(&api.client_id)).flatten();
        let mut roles = Vec::new();
        for role in granted {
            if !roles.contains(role) {
                roles.push(role.clone());
            }
        }
        roles
    }

    /// All apps.
    pub(crate) fn apps(&self) -> &[Arc<App>] {
        &self.0.apps
    }

    /// The client ids of the apps that have a signing key of their own.
    pub(crate) fn own_signing_keys(&self) -> Vec<String> {
        let apps = self.0.apps.iter().filter(|app| app.own_signing_key);
        apps.map(|app| app.client_id.clone()).collect()
    }

    /// The API that the resource part of a scope names, either by app id URI or by client id.
    pub(crate) fn resource(&self, name: &str) -> Option<&Arc<App>> {
        let built_in = [&self.0.graph, &self.0.token_exchange];
        self.0.apps.iter().chain(built_in).find(|app| app.is_resource(name))
    }

    /// Microsoft Graph: the resource of an access token if a client requests no API.
    pub(crate) fn graph(&self) -> &Arc<App> {
        &self.0.graph
    }

    /// The API for which the tokens of managed identities that are credentials are issued.
    pub(crate) fn token_exchange(&self) -> &Arc<App> {
        &self.0.token_exchange
    }

    /// All tenants.
    pub(crate) fn tenants(&self) -> &[Arc<Tenant>] {
        &self.0.tenants
    }

    /// All groups, of all tenants.
    pub(crate) fn groups(&self) -> &[Group] {
        &self.0.groups
    }

    /// The tenant with this id.
    pub(crate) fn tenant(&self, id: &str) -> Option<&Arc<Tenant>> {
        self.0.tenants.iter().find(|tenant| tenant.id == id)
    }

    /// What is accepted here although Entra refuses it: one text for each case.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.0.apps.iter().flat_map(|app| {
            let refused = app.app_id_uris.iter().filter(|uri| app_id_uri::is_refused_by_entra(uri));
            refused.map(|uri| {
                let name = &app.name;
                format!(
                    "the app id URI {uri:?} of {name:?} works only here: Entra registers URIs that \
                     begin with https:// or api://, but not with http://"
                )
            })
        })
    }

    /// A copy in which Swagger UI has these additional redirect URIs, which are valid.
    pub(crate) fn with_swagger_ui_at(&self, redirect_uris: &[String]) -> Self {
        let path = ["apps", SWAGGER_UI_CLIENT_ID, "redirect_uris", "spa"];
        // Without the app, there is nothing to add.
        redirect_uris.iter().fold(self.clone(), |directory, uri| {
            directory.edit(&Edit::add(path, uri.as_str())).unwrap_or(directory)
        })
    }

    /// A copy in which the Todo API has these App ID URIs and no others, if they are valid.
    pub(crate) fn with_api_known_as(&self, app_id_uris: &[String]) -> Self {
        let edit = Edit::put(["apps", API_CLIENT_ID, "app_id_uri"], app_id_uris);
        // Without the app, there is nothing to change.
        self.edit(&edit).unwrap_or_else(|_| self.clone())
    }
}

impl Default for Directory {
    /// The built-in directory.
    fn default() -> Self {
        // A test parses it. If it had a fault, the directory would be empty and most tests would
        // fail.
        Self::parse(Self::EXAMPLE, Path::new("")).unwrap_or(Self(Arc::new(Contents::default())))
    }
}
