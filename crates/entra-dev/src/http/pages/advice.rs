//! What to do about a refusal: what the directory contains that the request should have named.

use std::sync::Arc;

use maud::{Markup, html};

use crate::{
    audit::RecordedRequest,
    directory::{App, Authority, Directory, Person},
};

use super::{redirect_uris, table::code};

/// The number of entries that a list shows.
const MOST: usize = 20;

/// A refused request.
pub(super) struct Refused<'a> {
    pub(super) directory: &'a Directory,
    /// The `{tenant}` segment of the path.
    pub(super) tenant: &'a str,
    pub(super) client_id: Option<&'a str>,
    pub(super) request: &'a RecordedRequest,
}

/// What helps after a refusal with this number; nothing if its text says it all.
pub(super) fn advice(refused: &Refused<'_>, code: u32) -> Markup {
    let advice = match code {
        50011 => refused.redirect_uris(),
        900_144 => refused.missing_redirect_uri(),
        500_011 | 650_053 | 70011 | 9_010_010 => Some(refused.scopes()),
        50020 | 50034 | 500_200 => refused.people(),
        50105 => refused.assigned_people(),
        90094 => Some(refused.administrators()),
        90002 | 900_023 => Some(refused.tenants()),
        700_016 => Some(refused.apps()),
        _ => None,
    };
    html! { @if let Some(advice) = advice { div class="advice" { (advice) } } }
}

impl Refused<'_> {
    fn app(&self) -> Option<&Arc<App>> {
        self.directory.app(self.client_id?)
    }

    fn authority(&self) -> Option<Authority> {
        Authority::parse(self.directory, self.tenant)
    }

    fn redirect_uris(&self) -> Option<Markup> {
        Some(redirect_uris::compare(self.app()?, self.request.parameter("redirect_uri")?))
    }

    /// Nothing if the request has one, and lacks something else.
    fn missing_redirect_uri(&self) -> Option<Markup> {
        let sent = self.request.parameter("redirect_uri").unwrap_or_default();
        sent.is_empty().then(|| self.app().map(|app| redirect_uris::registered(app)))?
    }

    /// The scopes of the APIs that the request names, or of all of them if it names none.
    fn scopes(&self) -> Markup {
        let requested = self.request.parameter("scope").unwrap_or_default();
        let is_requested = |app: &&App| {
            let mut resources =
                requested.split_ascii_whitespace().filter_map(|scope| scope.rsplit_once('/'));
            resources.any(|(resource, _)| app.is_resource(resource))
        };
        let apis = self.directory.apps().iter().map(|app| &**app).filter(|app| app.is_api());
        let apis: Vec<_> = apis.chain([&**self.directory.graph()]).collect();
        let mut shown: Vec<_> = apis.iter().copied().filter(is_requested).collect();
        if shown.is_empty() {
            shown = apis;
        }
        let names = |app: &App| {
            let names: Vec<_> = app.scopes.iter().map(|scope| scope.name.clone()).collect();
            names.into_iter().chain([".default".to_owned()])
        };
        html! {
            p { "These scopes exist. To request all of an API, send " code { ".default" } "." }
            (list(shown.into_iter(), |app| html! {
                (app.name) ":"
                @for name in names(app) {
                    " " (code(&format!("{}/{name}", app.app_id_uri())))
                }
            }))
        }
    }

    fn people(&self) -> Option<Markup> {
        let authority = self.authority()?;
        let people = list(authority.people(self.directory), person);
        Some(html! { p { "These people can sign in here:" } (people) })
    }

    fn assigned_people(&self) -> Option<Markup> {
        let app = self.app()?;
        let is_assigned = |person: &&Arc<Person>| person.assignments.contains_key(&app.client_id);
        Some(html! {
            p {
                "Only assigned people can use " strong { (app.name) } ". To assign somebody, add \
                 the app to " code { "roles" } " of the person. Assigned are:"
            }
            (list(self.directory.people().iter().filter(is_assigned), person))
        })
    }

    fn administrators(&self) -> Markup {
        let is_administrator = |person: &&Arc<Person>| person.administrator;
        html! {
            p { "These people can consent for everybody in their tenant:" }
            (list(self.directory.people().iter().filter(is_administrator), person))
        }
    }

    fn tenants(&self) -> Markup {
        html! {
            p { "These tenants exist. A request names one by its id or a domain in its path:" }
            (list(self.directory.tenants().iter(), |tenant| html! {
                (tenant.name) " " (code(&tenant.id))
                @for domain in &tenant.domains { ", " (code(domain)) }
            }))
        }
    }

    fn apps(&self) -> Markup {
        let authority = self.authority();
        let tenant = authority.as_ref().and_then(Authority::tenant);
        let is_known = |app: &&Arc<App>| tenant.is_none_or(|tenant| app.is_known_in(&tenant.id));
        html! {
            p { "These apps can be used here:" }
            (list(self.directory.apps().iter().filter(is_known), |app| html! {
                (app.name) " " (code(&app.client_id))
            }))
        }
    }
}

fn person(person: &Arc<Person>) -> Markup {
    html! { (person.display_name) " " (code(&person.sign_in_name)) }
}

/// A list of at most [`MOST`] entries: the page has such a list for every refused request.
pub(super) fn list<T>(entries: impl Iterator<Item = T>, entry: impl Fn(T) -> Markup) -> Markup {
    let (mut shown, mut more) = (Vec::new(), 0);
    for item in entries {
        if shown.len() < MOST { shown.push(entry(item)) } else { more += 1 }
    }
    html! {
        ul {
            @for entry in shown { li { (entry) } }
            @if more > 0 { li { "and " (more) " more" } }
        }
    }
}
