//! The account page and the consent page.

use std::sync::Arc;

use maud::{Markup, html};
use poem::{Response, http::StatusCode};

use crate::{
    directory::{App, Directory, Person},
    http::sign_in::SignIn,
    scope::Scopes,
};

use super::layout::{hidden, page};

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
        let main = html! {
            h1 { "Pick an account" }
            (requested(app, scopes))
            form method="post" action=(self.action) {
                (hidden(&self.hidden))
                ul class="people" { (self.buttons(hint, signed_in)) }
                (cancel())
            }
            @if let Some(uri) = redirect_uri {
                p class="quiet" { "You will go back to " code { (uri) } }
            }
        };
        page(StatusCode::OK, "Pick an account", &main)
    }

    fn buttons(&self, hint: Option<&str>, signed_in: &[&Arc<Person>]) -> Markup {
        let SignIn { directory, authority, app, .. } = self.sign_in;
        let is_hinted = |person: &Person| hint.is_some_and(|hint| person.is_called(hint));
        let is_signed_in = |person: &Person| signed_in.iter().any(|other| other.oid == person.oid);
        let mut people: Vec<_> = authority.people(directory).collect();
        people.sort_by_key(|person| (!is_hinted(person), !is_signed_in(person)));
        html! {
            @for person in people {
                @let description = format!("about-{}", person.name);
                li {
                    button type="submit" name="account" value=(person.oid)
                        aria-describedby=(description) autofocus[is_hinted(person)] {
                        span class="name" { (person.display_name) } " "
                        span class="address" { (person.sign_in_name) }
                    }
                    p id=(description) {
                        (describe(directory, person, app))
                        @if is_signed_in(person) { ", signed in" }
                    }
                }
            }
        }
    }

    /// The consent page. Administrators can consent for everybody.
    pub(in crate::http) fn consent(&self, person: &Person) -> Response {
        let choice = html! {
            @if person.administrator {
                p {
                    label {
                        input type="checkbox" name="for_everybody" value="1";
                        " Consent on behalf of everybody in the organization"
                    }
                }
            }
        };
        self.consent_page(person, &choice)
    }

    /// The consent page on which an administrator consents for everybody.
    pub(in crate::http) fn consent_for_everybody(&self, person: &Person) -> Response {
        let note = html! { p { "You consent on behalf of everybody in the organization." } };
        self.consent_page(person, &note)
    }

    fn consent_page(&self, person: &Person, for_whom: &Markup) -> Response {
        let SignIn { app, scopes, .. } = self.sign_in;
        let main = html! {
            h1 { "Permissions requested" }
            p { "You are " strong { (person.display_name) } " (" (person.sign_in_name) ")." }
            (requested(app, scopes))
            form method="post" action=(self.action) {
                (hidden(&self.hidden))
                input type="hidden" name="account" value=(person.oid);
                (for_whom)
                button type="submit" name="consent" value="accept" autofocus { "Accept" } " "
                (cancel())
            }
        };
        page(StatusCode::OK, "Permissions requested", &main)
    }
}

fn cancel() -> Markup {
    html! { button type="submit" name="consent" value="cancel" { "Cancel" } }
}

/// What the app requests.
fn requested(app: &App, scopes: &Scopes) -> Markup {
    html! {
        p { strong { (app.name) } " asks to" }
        ul class="scopes" {
            @for (description, scope) in scopes.described() {
                li {
                    (description) " "
                    code {
                        // A line may break after a slash, but not within an id.
                        @for part in scope.split_inclusive('/') {
                            (part)
                            @if part.ends_with('/') { wbr; }
                        }
                    }
                }
            }
        }
    }
}

/// What distinguishes people: the tenant, the app roles, whether they are guests.
fn describe(directory: &Directory, person: &Person, app: &App) -> String {
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
