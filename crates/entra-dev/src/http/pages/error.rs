//! Error pages.

use maud::html;
use poem::Response;
use poem::http::StatusCode;

use super::layout::page;
use crate::refusal::Report;

/// A refusal that must not be sent to the app.
pub(in crate::http) fn refused(status: StatusCode, report: &Report) -> Response {
    let main = html! {
        h1 { "You cannot sign in" }
        p { "The request is not one this tenant can send back to the app." }
        p role="alert" { (report.error_description) }
        p {
            a href=(report.error_uri) rel="noreferrer" { "What Microsoft says about this error" }
        }
        p { a href="/_dev" { "What was asked lately, and who and what there is" } }
    };
    page(status, "You cannot sign in", &main)
}

/// No page has this path.
pub(in crate::http) fn not_found() -> Response {
    let main = html! {
        h1 { "Not found" }
        p { "The development tenant has nothing here. See " a href="/" { "its start page" } "." }
    };
    page(StatusCode::NOT_FOUND, "Not found", &main)
}
