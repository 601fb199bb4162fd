//! The pages on which a person signs in for a device.

use maud::html;
use poem::{Response, http::StatusCode};

use crate::refusal::Report;

use super::layout::page;

/// The page that asks for the code of the device. After a wrong code it shows the refusal.
pub(in crate::http) fn ask(
    status: StatusCode,
    tenant: &str,
    user_code: Option<&str>,
    refused: Option<&Report>,
) -> Response {
    let main = html! {
        h1 { "Enter code" }
        p {
            "Enter the code that the app or device shows. Do not enter a code that somebody else \
             gave you: that person would be signed in as you."
        }
        @if let Some(report) = refused {
            p role="alert" id="alert" { (report.error_description) }
        }
        form method="post" action={ "/" (tenant) "/oauth2/deviceauth" } {
            p {
                label for="user_code" { "Code" } " "
                input id="user_code" name="user_code" value=(user_code.unwrap_or_default()) required
                    autofocus maxlength="16" autocomplete="off" autocapitalize="characters"
                    spellcheck="false" aria-describedby=[refused.map(|_| "alert")];
            }
            button type="submit" { "Next" }
        }
    };
    page(status, "Enter code", &main)
}

/// The last page.
pub(in crate::http) fn done(app: &str, accepted: bool) -> Response {
    let main = html! {
        @if accepted {
            h1 { "You have signed in" }
            p {
                "You have signed in to " strong { (app) }
                " on your device. You can close this page."
            }
        } @else {
            h1 { "Cancelled" }
            p { "You have not signed in to " strong { (app) } ". You can close this page." }
        }
    };
    page(StatusCode::OK, "Device", &main)
}
