//! The account page and the consent page.

use std::sync::Arc;

use maud::{Markup, html};
use poem::{Response, http::StatusCode};

use crate::{
    directory::{App, Directory, Person},
    http::sign_in::SignIn,
};

use super::{
    layout::{hidden, page},
    person,
};

/// The pages on which a person signs in to an app.
pub(in crate::http) struct SignInPage<'a> {
    pub(in crate::http) sign_in: SignIn<'a>,
    /// The code of the device that waits for the sign-in.
    pub(in crate::http) user_code: Option<&'a str>,
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
        let main = html! {
            h1 { "Pick an account" }
            p { "to sign in to " strong { (self.sign_in.app.name) } (self.on_a_device()) }
            form method="post" action=(self.action) {
                (hidden(&self.hidden))
                ul class="people" { (self.buttons(hint, signed_in)) }
                div class="actions" { (cancel()) }
            }
            div class="quiet" {
                (self.requested())
                @if let Some(uri) = redirect_uri {
                    p { "You will go back to " code { (uri) } "." }
                }
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
                @let about = describe(directory, person, app);
                li {
                    button type="submit" name="account" value=(person.oid) class="person"
                        autofocus[is_hinted(person)] {
                        (person::content(person, Some(&about), is_signed_in(person)))
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
                    label class="choice" {
                        input type="checkbox" name="for_everybody" value="1";
                        span { "Consent on behalf of everybody in " (self.organization(person)) }
                    }
                }
            }
        };
        self.consent_page(person, &choice)
    }

    /// The consent page on which an administrator consents for everybody.
    pub(in crate::http) fn consent_for_everybody(&self, person: &Person) -> Response {
        let note = html! {
            p { "You consent on behalf of everybody in " (self.organization(person)) "." }
        };
        self.consent_page(person, &note)
    }

    fn consent_page(&self, person: &Person, for_whom: &Markup) -> Response {
        let SignIn { app, directory, .. } = self.sign_in;
        let publisher = directory.tenant(&app.tenant).map_or("", |tenant| tenant.name.as_str());
        let main = html! {
            h1 { "Permissions requested" }
            (person::card(person))
            (self.requested())
            dl class="facts" {
                dt { "Registered in" } dd { (publisher) }
                dt { "Client id" } dd { code { (app.client_id) } }
                @if let Some(user_code) = self.user_code {
                    dt { "Device code" } dd { code { (user_code) } }
                }
            }
            form method="post" action=(self.action) {
                (hidden(&self.hidden))
                input type="hidden" name="account" value=(person.oid);
                (for_whom)
                p class="quiet" { "Your consent is kept until the tenant stops." }
                div class="actions" {
                    button type="submit" name="consent" value="accept" class="primary" autofocus {
                        "Accept"
                    }
                    " " (cancel())
                }
            }
        };
        page(StatusCode::OK, "Permissions requested", &main)
    }

    /// What the app requests.
    fn requested(&self) -> Markup {
        let SignIn { app, scopes, .. } = self.sign_in;
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

    fn on_a_device(&self) -> Markup {
        html! {
            @if let Some(code) = self.user_code {
                ", on the device that shows the code " code { (code) }
            }
        }
    }

    fn organization(&self, person: &Person) -> &str {
        self.sign_in.directory.tenant(&person.tenant).map_or("", |tenant| tenant.name.as_str())
    }
}

fn cancel() -> Markup {
    html! { button type="submit" name="consent" value="cancel" { "Cancel" } }
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
