//! The logout pages.

use std::sync::Arc;

use maud::html;
use poem::{Response, http::StatusCode};

use crate::directory::Person;

use super::{
    layout::{hidden, page},
    person,
};

/// The page that asks which account to sign out. Its buttons repeat the request with a hint.
pub(in crate::http) fn ask(
    tenant: &str,
    parameters: &[(String, String)],
    signed_in: &[&Arc<Person>],
) -> Response {
    let main = html! {
        h1 { "Pick an account to sign out" }
        form method="post" action={ "/" (tenant) "/oauth2/v2.0/logout" } {
            (hidden(parameters))
            ul class="people" {
                @for person in signed_in {
                    li {
                        button type="submit" name="logout_hint" value=(person.oid) class="person" {
                            (person::content(person, None, false))
                        }
                    }
                }
            }
        }
    };
    page(StatusCode::OK, "Sign out", &main)
}

/// The page after a logout without a redirect. It shows an unregistered redirect URI, but does not
/// link to it.
pub(in crate::http) fn done(unregistered_uri: Option<&str>) -> Response {
    let main = html! {
        h1 { "You are signed out" }
        p { "You can close this page." }
        @if let Some(uri) = unregistered_uri {
            p class="quiet" {
                "The app requested a redirect to " code { (uri) }
                ", which is not one of its registered redirect URIs. "
                a href="/_dev" { "All apps" }
            }
        }
    };
    page(StatusCode::OK, "Signed out", &main)
}
