//! The account page and the consent page.

use std::fmt::Write;
use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;

use super::super::html::Escaped;
use super::super::sign_in::SignIn;
use super::{hidden, page};
use crate::directory::{App, Directory, Person};
use crate::scope::Scopes;

/// The pages on which a person signs in to an app.
pub(in crate::http) struct SignInPage<'a> {
    pub(in crate::http) sign_in: SignIn<'a>,
    /// The path to which the forms are sent.
    pub(in crate::http) action: String,
    /// The parameters that the forms repeat.
    pub(in crate::http) hidden: Vec<(String, String)>,
}

impl SignInPage<'_> {
    /// The account page, with one button for each person. The hinted person comes first, then the
    /// people who are signed in.
    pub(in crate::http) fn accounts(
        &self,
        hint: Option<&str>,
        signed_in: &[&Arc<Person>],
        redirect_uri: Option<&str>,
    ) -> Response {
        let SignIn { app, scopes, .. } = self.sign_in;
        let after = redirect_uri.map_or_else(String::new, |uri| {
            let uri = Escaped(uri);
            format!("<p class=\"quiet\">You will go back to <code>{uri}</code></p>\n")
        });
        let main = format!(
            "<h1>Pick an account</h1>\n{asks}\
             <form method=\"post\" action=\"{action}\">\n{hidden}\
             <ul class=\"people\">\n{buttons}</ul>\n{CANCEL}</form>\n{after}",
            asks = asks(app, scopes),
            buttons = self.buttons(hint, signed_in),
            action = Escaped(&self.action),
            hidden = hidden(&self.hidden),
        );
        page(StatusCode::OK, "Pick an account", &main)
    }

    fn buttons(&self, hint: Option<&str>, signed_in: &[&Arc<Person>]) -> String {
        let SignIn { context, authority, app, .. } = self.sign_in;
        let directory = context.directory();
        let is_hinted = |person: &Person| hint.is_some_and(|hint| person.is_called(hint));
        let is_signed_in = |person: &Person| signed_in.iter().any(|other| other.oid == person.oid);
        let mut everybody: Vec<_> = authority.people(directory).collect();
        everybody.sort_by_key(|person| (!is_hinted(person), !is_signed_in(person)));
        let mut buttons = String::new();
        for person in everybody {
            let Person { name, display_name, sign_in_name, oid, .. } = &**person;
            let about = about(directory, person, app);
            let state = if is_signed_in(person) { ", signed in" } else { "" };
            let autofocus = if is_hinted(person) { " autofocus" } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(
                buttons,
                "<li><button type=\"submit\" name=\"account\" value=\"{oid}\" \
                 aria-describedby=\"about-{name}\"{autofocus}><span class=\"name\">{display_name}\
                 </span> <span class=\"address\">{sign_in_name}</span></button>\
                 <p id=\"about-{name}\">{about}{state}</p></li>",
                name = Escaped(name),
                display_name = Escaped(display_name),
                sign_in_name = Escaped(sign_in_name),
                about = Escaped(&about),
            );
        }
        buttons
    }

    /// The consent page. Administrators can consent for everybody.
    pub(in crate::http) fn consent(&self, person: &Person) -> Response {
        let choice = "<p><label><input type=\"checkbox\" name=\"for_everybody\" value=\"1\"> \
                      Consent on behalf of everybody in the organization</label></p>\n";
        self.consent_page(person, if person.administrator { choice } else { "" })
    }

    /// The consent page on which an administrator consents for everybody.
    pub(in crate::http) fn consent_for_everybody(&self, person: &Person) -> Response {
        let everybody = "<p>You consent on behalf of everybody in the organization.</p>\n";
        self.consent_page(person, everybody)
    }

    fn consent_page(&self, person: &Person, for_whom: &str) -> Response {
        let SignIn { app, scopes, .. } = self.sign_in;
        let main = format!(
            "<h1>Permissions requested</h1>\n\
             <p>You are <strong>{name}</strong> ({sign_in_name}).</p>\n{asks}\
             <form method=\"post\" action=\"{action}\">\n{hidden}\
             <input type=\"hidden\" name=\"account\" value=\"{oid}\">\n{for_whom}\
             <button type=\"submit\" name=\"consent\" value=\"accept\" autofocus>Accept</button>\n\
             {CANCEL}</form>\n",
            asks = asks(app, scopes),
            name = Escaped(&person.display_name),
            sign_in_name = Escaped(&person.sign_in_name),
            oid = Escaped(&person.oid),
            action = Escaped(&self.action),
            hidden = hidden(&self.hidden),
        );
        page(StatusCode::OK, "Permissions requested", &main)
    }
}

const CANCEL: &str = "<button type=\"submit\" name=\"consent\" value=\"cancel\">Cancel</button>\n";

/// Which app asks, and for what.
fn asks(app: &App, scopes: &Scopes) -> String {
    let mut items = String::new();
    for (meaning, words) in scopes.described() {
        // It may break behind a slash, rather than within an id.
        let words = Escaped(words).to_string().replace('/', "/<wbr>");
        let meaning = Escaped(&meaning);
        let _ = writeln!(items, "<li>{meaning} <code>{words}</code></li>");
    }
    let app = Escaped(&app.name);
    format!("<p><strong>{app}</strong> asks to</p>\n<ul class=\"scopes\">\n{items}</ul>\n")
}

/// What tells people apart: tenant, roles at the APIs, guest or not.
fn about(directory: &Directory, person: &Person, app: &App) -> String {
    let tenant = directory.tenant(&person.tenant).map_or("", |tenant| tenant.name.as_str());
    let mut roles = Vec::<&str>::new();
    for role in person.assignments.values().flatten() {
        if !roles.contains(&role.as_str()) {
            roles.push(role);
        }
    }
    let roles = match roles.as_slice() {
        [] => "no role".to_owned(),
        roles => format!("role {}", roles.join(", ")),
    };
    let guest = if person.guest { ", guest" } else { "" };
    let assigned = !app.assignment_required || person.assignments.contains_key(&app.client_id);
    let assigned = if assigned { "" } else { ", not assigned to this app" };
    format!("{tenant}: {roles}{guest}{assigned}")
}
