//! The pages on which a person signs in for a device.

use maud::html;
use poem::{Response, http::StatusCode};

use crate::{directory::Person, refusal::Refusal};

use super::{layout::page, person};

/// The page that asks for the code of the device. After a wrong code it shows the refusal, and
/// keeps what was typed.
pub(in crate::http) fn ask(
    status: StatusCode,
    tenant: &str,
    user_code: Option<&str>,
    refused: Option<&Refusal>,
) -> Response {
    let is_wrong = refused.map(|_| "true");
    let described_by = if refused.is_some() { "alert hint" } else { "hint" };
    let main = html! {
        h1 { "Enter code" }
        p { "Enter the code that the app or device shows." }
        @if let Some(Refusal { code, .. }) = refused {
            p role="alert" id="alert" {
                "AADSTS" (code) ": " (refused.map_or("", Refusal::message))
            }
        }
        form method="post" action={ "/" (tenant) "/oauth2/deviceauth" } {
            div class="field" {
                label for="user_code" { "Code" }
                input id="user_code" name="user_code" value=(user_code.unwrap_or_default()) required
                    autofocus maxlength="32" autocomplete="off" autocapitalize="characters"
                    spellcheck="false" aria-invalid=[is_wrong] aria-describedby=(described_by);
                p id="hint" class="quiet" {
                    "Case, spaces and hyphens do not matter. Do not enter a code that somebody \
                     else gave you: that person would be signed in as you."
                }
            }
            div class="actions" { button type="submit" class="primary" { "Next" } }
        }
    };
    page(status, "Enter code", &main)
}

/// The last page. There is a person unless the sign-in was cancelled.
pub(in crate::http) fn done(app: &str, user_code: &str, person: Option<&Person>) -> Response {
    let main = html! {
        @if let Some(person) = person {
            h1 { "You have signed in" }
            p { "You have signed in to " strong { (app) } " on your device as" }
            (person::card(person))
        } @else {
            h1 { "Cancelled" }
            p { "You have not signed in to " strong { (app) } "." }
        }
        p { "The code was " code { (user_code) } ". You can close this page." }
    };
    page(StatusCode::OK, "Device", &main)
}
