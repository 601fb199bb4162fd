//! Error pages.

use maud::{Markup, html};
use poem::{Response, http::StatusCode};

use crate::{
    audit::RecordedRequest,
    http::request::TenantRequest,
    refusal::{Refusal, Report},
};

use super::{
    advice::{Refused, advice},
    layout::{hidden, page},
    table::code,
};

/// A refusal that must not be sent to the app.
pub(in crate::http) fn refused(
    request: &TenantRequest<'_>,
    refusal: &Refusal,
    report: &Report,
    recorded: &RecordedRequest,
) -> Response {
    let context = request.context;
    let refused = Refused {
        directory: request.directory(),
        tenant: request.tenant,
        client_id: recorded.parameter("client_id"),
        request: recorded,
    };
    let is_logout = recorded.path.ends_with("/logout");
    let title = if is_logout { "You cannot sign out" } else { "You cannot sign in" };
    let main = html! {
        h1 { (title) }
        div class="alert" role="alert" {
            p { strong { "AADSTS" (refusal.code) ":" } " " (refusal.message()) }
        }
        (advice(&refused, refusal.code))
        @if let Some(form) = choose_again(request, refusal) { (form) }
        p class="quiet" { "The app does not receive this error." }
        dl class="facts" {
            dt { "Time" } dd { (report.timestamp) }
            dt { "Correlation ID" } dd { (code(&report.correlation_id)) }
            dt { "Trace ID" } dd { (code(&report.trace_id)) }
        }
        ul class="links" {
            li {
                a href=(report.error_uri) rel="noreferrer" { "Microsoft's page about this error" }
            }
            li {
                a href={ (context.controls_path()) "?outcome=refused" } {
                    "Refused requests, people and apps"
                }
            }
        }
    };
    page(refusal.status, title, &main)
}

/// After the choice of an account that is refused: a button that leads back to the account page.
/// The request stays the same, with the code of a device.
fn choose_again(request: &TenantRequest<'_>, refusal: &Refusal) -> Option<Markup> {
    let was_chosen = request.is_form() && request.parameters.optional("account").ok()?.is_some();
    // Not for a form of another site.
    if !was_chosen || *refusal == Refusal::form_of_another_site() {
        return None;
    }
    let parameters = request.parameters.hidden_without(&["account", "consent", "for_everybody"]);
    Some(html! {
        form method="post" action=(request.http.uri().path()) class="actions" {
            (hidden(&parameters))
            button type="submit" class="primary" autofocus { "Choose another account" }
        }
    })
}

/// No page has this path.
pub(in crate::http) fn not_found() -> Response {
    let main = html! {
        h1 { "Not found" }
        p { "The development tenant has no such page. See " a href="/" { "its start page" } "." }
    };
    page(StatusCode::NOT_FOUND, "Not found", &main)
}
