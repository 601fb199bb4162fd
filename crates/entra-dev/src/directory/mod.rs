//! Who and what there is: tenants, people, groups and apps. Data, read once and never changed.

mod app;
mod authority;
mod certificate;
mod check;
mod entries;
mod file;
mod json;
mod person;
mod redirect_uri;
mod references;
mod tenant;

pub(crate) use app::{App, OptionalClaim, Platform, Scope};
pub(crate) use authority::Authority;
pub(crate) use certificate::AppCertificate;
pub use check::Fault;
pub use file::DirectoryError;
pub use person::{Person, UnknownPerson};
pub(crate) use redirect_uri::origin;
pub(crate) use tenant::{Group, Tenant};

use std::path::Path;
use std::sync::Arc;

use crate::ids::SWAGGER_UI_CLIENT_ID;

/// Tenants, people, groups and apps, as a file describes them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Directory(Arc<Entries>);

#[derive(Debug, Default, Clone)]
pub(crate) struct Entries {
    pub(crate) tenants: Vec<Arc<Tenant>>,
    pub(crate) groups: Vec<Group>,
    pub(crate) people: Vec<Arc<Person>>,
    pub(crate) apps: Vec<Arc<App>>,
    /// Microsoft Graph, which is in every directory.
    pub(crate) graph: Arc<App>,
}

impl Directory {
    /// The text of the built-in directory: an example of the file's format with every kind of app.
    pub const EXAMPLE: &str = include_str!("built_in.toml");

    /// The directory that `text`, which is TOML, describes. Paths of certificates in it are
    /// relative to `folder`.
    ///
    /// # Errors
    ///
    /// Every fault in the text, each with its line.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, DirectoryError> {
        file::parse(text, folder).map(|entries| Self(Arc::new(entries)))
    }

    /// The directory that `text`, which is JSON with the same members, describes.
    ///
    /// # Errors
    ///
    /// Every fault in the text, each with its line; where it is no JSON, the first.
    pub fn parse_json(text: &str, folder: &Path) -> Result<Self, DirectoryError> {
        file::parse_json(text, folder).map(|entries| Self(Arc::new(entries)))
    }

    /// The directory in this file: JSON if its name ends in `.json`, and TOML otherwise.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or every fault in it, each with its line.
    pub fn read(path: &Path) -> Result<Self, DirectoryError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| DirectoryError::Read { path: path.to_owned(), source })?;
        let is_json = path.extension().is_some_and(|name| name.eq_ignore_ascii_case("json"));
        let parse = if is_json { Self::parse_json } else { Self::parse };
        parse(&text, path.parent().unwrap_or(Path::new("")))
    }

    /// Everybody who can sign in, in the order of the account page.
    pub fn people(&self) -> &[Arc<Person>] {
        &self.0.people
    }

    /// The person with this name, sign-in name or `oid`, in any case.
    pub(crate) fn person(&self, name: &str) -> Result<&Arc<Person>, UnknownPerson> {
        self.0.people.iter().find(|person| person.is_called(name)).ok_or_else(|| {
            let names = self.0.people.iter().map(|person| person.name.as_str());
            UnknownPerson { name: name.to_owned(), known: names.collect::<Vec<_>>().join(", ") }
        })
    }

    /// The app with this client id.
    pub(crate) fn app(&self, client_id: &str) -> Option<&Arc<App>> {
        self.0.apps.iter().find(|app| app.client_id.eq_ignore_ascii_case(client_id))
    }

    /// All apps.
    pub(crate) fn apps(&self) -> &[Arc<App>] {
        &self.0.apps
    }

    /// The API that the resource part of a scope names: by app id URI or by client id.
    pub(crate) fn resource(&self, name: &str) -> Option<&Arc<App>> {
        self.0.apps.iter().chain([&self.0.graph]).find(|app| app.is_resource(name))
    }

    /// Microsoft Graph: what an access token is for where a client asks for no API.
    pub(crate) fn graph(&self) -> &Arc<App> {
        &self.0.graph
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

    /// The same directory in which Swagger UI may come back to these addresses.
    pub(crate) fn with_swagger_ui_at(&self, redirect_uris: &[String]) -> Self {
        let apps = self.0.apps.iter().map(|app| {
            if app.client_id == SWAGGER_UI_CLIENT_ID {
                let mut app = App::clone(app);
                app.redirect_uris
                    .extend(redirect_uris.iter().map(|uri| (Platform::SinglePage, uri.clone())));
                Arc::new(app)
            } else {
                Arc::clone(app)
            }
        });
        Self(Arc::new(Entries { apps: apps.collect(), ..Entries::clone(&self.0) }))
    }
}

impl Default for Directory {
    /// The built-in one.
    fn default() -> Self {
        // A test reads it; a fault in it would leave the tenant empty, and no test would pass.
        Self::parse(Self::EXAMPLE, Path::new("")).unwrap_or(Self(Arc::new(Entries::default())))
    }
}
