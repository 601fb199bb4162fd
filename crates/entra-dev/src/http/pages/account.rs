//! Who signs in, and what the app may do then.

use std::fmt::Write;

use poem::Response;
use poem::http::StatusCode;

use super::super::authorization_request::AuthorizationRequest;
use super::super::html::Escaped;
use super::super::parameters::Parameters;
use super::super::{Context, admin_consent};
use super::{hidden, page};
use crate::directory::{App, Authority, Directory, Person};
use crate::scope::Scopes;

/// The account page: one button a person, and which app asks for what. `signed_in` are the `oid`s
/// of who has signed in before in this browser.
pub(in crate::http) fn accounts(
    context: &Context,
    request: &AuthorizationRequest<'_>,
    parameters: &Parameters,
    signed_in: &[String],
) -> Response {
    let picker = Picker {
        directory: context.directory(),
        authority: &request.authority,
        app: request.app,
        scopes: &request.scopes,
        hint: request.login_hint,
        signed_in,
    };
    let hidden = repeated(parameters, &AuthorizationRequest::PARAMETERS);
    picker.page(&action(request), &hidden, &going_back(request.reply.redirect_uri))
}

/// The page after it, where the app needs the person's consent.
pub(in crate::http) fn consent(
    request: &AuthorizationRequest<'_>,
    parameters: &Parameters,
    person: &Person,
) -> Response {
    let hidden = repeated(parameters, &AuthorizationRequest::PARAMETERS);
    let ask = AskForConsent { app: request.app, scopes: &request.scopes, person };
    ask.page(&action(request), &hidden, choice_for_everybody(person))
}

fn action(request: &AuthorizationRequest<'_>) -> String {
    format!("/{}/oauth2/v2.0/authorize", request.authority.segment())
}

/// A request for the consent of an administrator.
pub(in crate::http) struct ConsentRequest<'a> {
    pub(in crate::http) authority: &'a Authority,
    pub(in crate::http) app: &'a App,
    pub(in crate::http) scopes: &'a Scopes,
    pub(in crate::http) redirect_uri: &'a str,
}

impl ConsentRequest<'_> {
    /// The account page; whoever is no administrator is told so afterwards.
    pub(in crate::http) fn administrators(
        &self,
        context: &Context,
        parameters: &Parameters,
    ) -> Response {
        let Self { authority, app, scopes, redirect_uri } = self;
        let directory = context.directory();
        let picker = Picker { directory, authority, app, scopes, hint: None, signed_in: &[] };
        let hidden = repeated(parameters, &admin_consent::PARAMETERS);
        picker.page(&self.action(), &hidden, &going_back(redirect_uri))
    }

    /// The page after it.
    pub(in crate::http) fn consent(&self, parameters: &Parameters, person: &Person) -> Response {
        let hidden = repeated(parameters, &admin_consent::PARAMETERS);
        let everybody = "<p>You consent on behalf of everybody in the organization.</p>\n";
        let ask = AskForConsent { app: self.app, scopes: self.scopes, person };
        ask.page(&self.action(), &hidden, everybody)
    }

    fn action(&self) -> String {
        format!("/{}/v2.0/adminconsent", self.authority.segment())
    }
}

fn going_back(redirect_uri: &str) -> String {
    let uri = Escaped(redirect_uri);
    format!("<p class=\"quiet\">You will go back to <code>{uri}</code></p>\n")
}

/// The parameters with these names as hidden inputs.
pub(super) fn repeated(parameters: &Parameters, names: &[&str]) -> String {
    let pairs: Vec<_> = parameters.hidden(names).collect();
    hidden(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// Everybody who may sign in, as buttons.
pub(super) struct Picker<'a> {
    pub(super) directory: &'a Directory,
    pub(super) authority: &'a Authority,
    pub(super) app: &'a App,
    pub(super) scopes: &'a Scopes,
    pub(super) hint: Option<&'a str>,
    pub(super) signed_in: &'a [String],
}

impl Picker<'_> {
    /// The page. `hidden` and `after` are HTML.
    pub(super) fn page(&self, action: &str, hidden: &str, after: &str) -> Response {
        let main = format!(
            "<h1>Pick an account</h1>\n{asks}\
             <form method=\"post\" action=\"{action}\">\n{hidden}\
             <ul class=\"people\">\n{buttons}</ul>\n{CANCEL}</form>\n{after}",
            asks = asks(self.app, self.scopes),
            buttons = self.buttons(),
            action = Escaped(action),
        );
        page(StatusCode::OK, "Pick an account", &main)
    }

    fn buttons(&self) -> String {
        let is_hinted = |person: &Person| self.hint.is_some_and(|hint| person.is_called(hint));
        let is_signed_in = |person: &Person| self.signed_in.contains(&person.oid);
        let mut everybody: Vec<_> = self.authority.people(self.directory).collect();
        everybody.sort_by_key(|person| (!is_hinted(person), !is_signed_in(person)));
        let mut buttons = String::new();
        for person in everybody {
            let Person { name, display_name, sign_in_name, oid, .. } = &**person;
            let about = about(self.directory, person, self.app);
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
}

/// The page that asks one person for consent.
pub(super) struct AskForConsent<'a> {
    pub(super) app: &'a App,
    pub(super) scopes: &'a Scopes,
    pub(super) person: &'a Person,
}

impl AskForConsent<'_> {
    /// The page. `hidden` and `for_whom` are HTML.
    pub(super) fn page(&self, action: &str, hidden: &str, for_whom: &str) -> Response {
        let Self { app, scopes, person } = self;
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
            action = Escaped(action),
        );
        page(StatusCode::OK, "Permissions requested", &main)
    }
}

/// Administrators may speak for others.
pub(super) fn choice_for_everybody(person: &Person) -> &'static str {
    if person.administrator {
        "<p><label><input type=\"checkbox\" name=\"for_everybody\" value=\"1\"> Consent on behalf \
         of everybody in the organization</label></p>\n"
    } else {
        ""
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
