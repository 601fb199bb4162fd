//! What all pages have in common.

use std::sync::Arc;

use maud::{DOCTYPE, Markup, html};
use poem::{Response, http::StatusCode};

use tokio::task_local;

use super::assets::STYLESHEET_PATH;

task_local! {
    /// What every page says in addition, if the tenant can be reached from other machines. It is
    /// not a parameter, so that no page can forget it.
    static NOTICE: Option<Arc<str>>;
}

/// Handles a request whose page, if it returns one, has this notice.
pub(in crate::http) async fn with_notice(
    notice: Option<Arc<str>>,
    answering: impl Future<Output = Response>,
) -> Response {
    NOTICE.scope(notice, answering).await
}

/// The content security policy: no scripts, no frames, nothing from other origins.
///
/// It omits `form-action`. Chromium also applies that to the redirect after a form, and would block
/// the redirect to the app.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page.
///
/// It sets no `Cross-Origin-Opener-Policy`, which would separate a sign-in pop-up from its opener.
pub(super) fn page(status: StatusCode, title: &str, main: &Markup) -> Response {
    respond(status, title, main, POLICY.to_owned())
}

/// A page that may use the script of this server.
pub(super) fn page_with_script(title: &str, main: &Markup) -> Response {
    respond(StatusCode::OK, title, main, format!("{POLICY}; script-src 'self'"))
}

fn respond(status: StatusCode, title: &str, main: &Markup, policy: String) -> Response {
    let notice = NOTICE.try_with(Clone::clone).ok().flatten();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " - development tenant" }
                link rel="stylesheet" href=(STYLESHEET_PATH);
            }
            body {
                header {
                    p {
                        strong { "Development only." }
                        " This is not Microsoft: anybody can sign in as anybody, and nothing here is \
                         secret."
                    }
                    @if let Some(notice) = &notice {
                        p { strong { (notice) } }
                    }
                }
                main { (main) }
            }
        }
    };
    Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .header("cache-control", "no-store")
        .header("content-security-policy", policy)
        .header("referrer-policy", "no-referrer")
        .header("x-frame-options", "DENY")
        .body(page.into_string())
}

/// Hidden inputs with which a form repeats parameters.
pub(super) fn hidden<S: AsRef<str>>(parameters: &[(S, S)]) -> Markup {
    html! {
        @for (name, value) in parameters {
            input type="hidden" name=(name.as_ref()) value=(value.as_ref());
        }
    }
}
