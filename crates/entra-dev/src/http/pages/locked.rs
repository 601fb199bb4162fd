//! The form for the control token.

use maud::html;
use poem::{Response, http::StatusCode};

use crate::http::control::UNLOCK_PATH;

use super::layout::{hidden, page};

/// Asks for the control token, and returns to the page at `next`. `was_wrong` is after an attempt.
pub(in crate::http) fn locked(next: &str, was_wrong: bool) -> Response {
    let main = html! {
        h1 { "Control token required" }
        p {
            "This tenant can be reached from other machines, so these pages are only for people who \
             know its control token. It is the value of " code { "--control-token" }
            " with which the tenant was started."
        }
        @if was_wrong {
            p role="alert" { "This is not the control token." }
        }
        form method="post" action=(UNLOCK_PATH) {
            (hidden(&[("next", next)]))
            div class="field" {
                label for="control_token" { "Control token" }
                input id="control_token" type="password" name="control_token" required
                    autocomplete="off" autofocus;
            }
            div class="actions" { button type="submit" class="primary" { "Continue" } }
        }
    };
    page(StatusCode::UNAUTHORIZED, "Control token required", &main)
}
