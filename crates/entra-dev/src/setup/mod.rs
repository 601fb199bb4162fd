//! What an app needs in order to use the tenant, for each language.

mod language;
mod managed_identity;
mod quoting;

use std::{fmt::Write, path::Path, sync::Arc};

use crate::{
    directory::{App, Directory, Platform},
    host_name::HostNames,
    http::GRAPH_PATH,
    identity_header::IdentityHeader,
    options::{Options, Scheme},
    token_issuer::TokenIssuer,
};

pub use language::{BadLanguage, Language};

/// What the apps of the directory, or only one of them, need in this language: trust in the
/// certificate authority, the authority, ids and redirect URIs, and the calls that turn instance
/// discovery off. No server needs to run.
///
/// `app` is a name or a client id, in any case.
///
/// # Errors
///
/// There is no such app. The error lists all apps.
pub fn setup(
    options: &Options,
    language: Language,
    app: Option<&str>,
) -> Result<String, UnknownApp> {
    let names = HostNames::with(options.answer_to.clone());
    let name = names.others().first().map_or_else(|| "localhost".to_owned(), ToString::to_string);
    let https_port = options.https_port.unwrap_or_default();
    let urls = [format!("http://{name}:{}", options.port), format!("https://{name}:{https_port}")];
    let ca = options.data_dir.as_ref().map(|folder| folder.join(crate::tls::CA_FILE));
    let directory = &options.directory;
    let setup = Setup {
        http: &urls[0],
        https: &urls[1],
        ca: ca.as_deref().unwrap_or(Path::new(crate::tls::CA_FILE)),
        default_issuer: &options.access_token_issuer,
        directory,
        identity_header: &options.identity_header,
    };
    let is_it = |known: &App| {
        let names = [&known.client_id, &known.name];
        app.is_none_or(|app| names.iter().any(|name| name.eq_ignore_ascii_case(app)))
    };
    let apps: Vec<_> = directory.apps().iter().filter(|known| is_it(known)).collect();
    if apps.is_empty() {
        let known = directory.apps().iter().map(|app| app.name.as_str()).collect::<Vec<_>>();
        return Err(UnknownApp {
            name: app.unwrap_or_default().to_owned(),
            known: known.join(", "),
        });
    }
    let mut text = setup.of_language(language);
    for app in apps {
        text += &setup.of_app(language, app);
    }
    Ok(text)
}

/// The directory has no app with this name or client id.
#[derive(Debug, thiserror::Error)]
#[error("there is no app {name:?}; the apps are {known}")]
pub struct UnknownApp {
    name: String,
    known: String,
}

/// A tenant, as apps see it.
pub(crate) struct Setup<'a> {
    /// The URLs under which the app reaches the listeners.
    pub(crate) http: &'a str,
    pub(crate) https: &'a str,
    /// The file with the certificate of the authority.
    pub(crate) ca: &'a Path,
    pub(crate) default_issuer: &'a TokenIssuer,
    pub(crate) directory: &'a Directory,
    pub(crate) identity_header: &'a IdentityHeader,
}

impl Setup<'_> {
    /// What all apps in this language need.
    pub(crate) fn of_language(&self, language: Language) -> String {
        format!("{language}\n\n{}", indented(&language.trust(self)))
    }

    /// What this app needs in this language.
    pub(crate) fn of_app(&self, language: Language, app: &App) -> String {
        let mut text = format!("\n{} ({})\n\n", app.name, app.client_id);
        for (title, value) in self.settings(app) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "    {title:<15} {value}");
        }
        let calls = match &app.managed_identity {
            Some(identity) => managed_identity::calls(language, self, app, identity),
            None => language.calls(self, app) + &managed_identity::federation(self, app),
        };
        if !calls.is_empty() {
            text += &format!("\n{}", indented(&calls));
        }
        text
    }

    /// The authority of the tenant of this app.
    fn authority(&self, app: &App) -> String {
        format!("{}/{}", self.https, app.tenant)
    }

    fn settings(&self, app: &App) -> Vec<(&'static str, String)> {
        let mut settings = vec![("authority", self.authority(app)), ("tenant", app.tenant.clone())];
        if let Some(identity) = &app.managed_identity {
            settings.extend(managed_identity::settings(self, app, identity));
            return settings;
        }
        if app.is_api() {
            let (issuer, audience) = match app.access_token_version {
                1 => (format!("{}/{}/", self.issuer(app), app.tenant), app.app_id_uri()),
                _ => (format!("{}/{}/v2.0", self.issuer(app), app.tenant), &*app.client_id),
            };
            settings.push(("audience", audience.to_owned()));
            settings.push(("issuer", issuer));
        }
        settings.extend(app.secrets.iter().map(|secret| ("secret", secret.clone())));
        settings.extend(managed_identity::trusted(self, app));
        for (platform, uri) in &app.redirect_uris {
            let platform = match platform {
                Platform::SinglePage => "single-page",
                Platform::Web => "web",
                Platform::Native => "native",
            };
            settings.push(("redirect URI", format!("{uri} ({platform})")));
        }
        if let Some(blueprint) = app.agent_blueprint.as_ref() {
            let name = self.directory.app(blueprint).map_or("", |app| &app.name);
            settings.push(("blueprint", format!("{name} ({blueprint})")));
        }
        if is_client(app) {
            settings.push(("Microsoft Graph", format!("{}{GRAPH_PATH}", self.https)));
            settings.extend(self.scopes(app).into_iter().map(|scope| ("scope", scope)));
        }
        settings
    }

    /// The base URL of the issuer of its access tokens.
    fn issuer(&self, api: &App) -> String {
        match api.token_issuer.as_ref().unwrap_or(self.default_issuer) {
            TokenIssuer::Url(url) => url.clone(),
            TokenIssuer::Listener(scheme) => {
                let url = if *scheme == Scheme::Https { self.https } else { self.http };
                let port = url.rsplit_once(':').map_or("", |(_, port)| port);
                scheme.url(port.parse().unwrap_or_default())
            }
        }
    }

    /// The scopes that a client may ask for: `.default` of the APIs in which it has app roles of
    /// its own or inherits some, otherwise the permissions of all other APIs.
    fn scopes(&self, app: &App) -> Vec<String> {
        let apis = self.directory.apps().iter().filter(|api| api.client_id != app.client_id);
        let apis = apis.chain([self.directory.graph()]);
        let is_granted = |api: &&Arc<App>| {
            app.permissions.contains_key(&api.client_id)
                || !self.directory.roles_of_app(app, api).is_empty()
        };
        let granted = apis.clone().filter(is_granted);
        let granted: Vec<_> = granted.map(|api| format!("{}/.default", api.app_id_uri())).collect();
        if app.permissions.is_empty() && granted.is_empty() {
            let names = |api: &App| {
                let uri = api.app_id_uri().to_owned();
                let names = api.default_scopes().map(|scope| format!("{uri}/{}", scope.name));
                names.collect::<Vec<_>>()
            };
            return apis.flat_map(|api| names(api)).collect();
        }
        granted
    }
}

/// Whether this app gets tokens.
fn is_client(app: &App) -> bool {
    app.is_confidential() || app.public_client || !app.redirect_uris.is_empty()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}").trim_end().to_owned() + "\n").collect()
}
