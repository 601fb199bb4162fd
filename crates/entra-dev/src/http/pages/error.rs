//! Error pages.

use maud::html;
use poem::{Response, http::StatusCode};

use crate::refusal::Report;

use super::layout::page;

/// A refusal that must not be sent to the app.
pub(in crate::http) fn refused(status: StatusCode, report: &Report) -> Response {
    let main = html! {
        h1 { "You cannot sign in" }
        p { "The app does not receive this error." }
        p role="alert" { (report.error_description) }
        p {
            a href=(report.error_uri) rel="noreferrer" { "Microsoft's page about this error" }
        }
        p { a href="/_dev" { "Recent requests, people and apps" } }
    };
    page(status, "You cannot sign in", &main)
}

/// No page has this path.
pub(in crate::http) fn not_found() -> Response {
    let main = html! {
        h1 { "Not found" }
        p { "The development tenant has no such page. See " a href="/" { "its start page" } "." }
    };
    page(StatusCode::NOT_FOUND, "Not found", &main)
}
