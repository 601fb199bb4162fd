//! The pages. They work without scripts; one has a script, which only saves a click.

mod account;
pub(super) mod device;
mod directory;
pub(super) mod logout;
pub(super) mod start;
mod table;
mod trail;

pub(super) use account::SignInPage;

use std::fmt::Write;

use poem::http::StatusCode;
use poem::{Response, handler};

use super::html::Escaped;
use crate::refusal::Report;

/// Where the stylesheet is; an inline one would need a hole in the policy.
pub(super) const STYLESHEET_PATH: &str = "/_dev/style.css";

/// Where the script is that sends a form on.
pub(super) const FORM_POST_PATH: &str = "/_dev/form-post.js";

/// `GET /_dev/style.css`.
#[handler]
pub(super) fn stylesheet() -> Response {
    asset("text/css; charset=utf-8", include_str!("style.css"))
}

/// `GET /_dev/form-post.js`.
#[handler]
pub(super) fn form_post_script() -> Response {
    asset("text/javascript; charset=utf-8", "document.forms[0].submit();\n")
}

fn asset(content_type: &str, content: &'static str) -> Response {
    Response::builder().content_type(content_type).header("cache-control", "no-cache").body(content)
}

/// Sends these parameters to the app in a form (OAuth 2.0 Form Post Response Mode): by itself
/// where scripts run, with a click where they do not.
pub(super) fn form_post(redirect_uri: &str, parameters: &[(&str, &str)]) -> Response {
    let hidden = hidden(parameters);
    let main = format!(
        "<h1>Going back to the app</h1>\n\
         <form method=\"post\" action=\"{uri}\">\n{hidden}\
         <button type=\"submit\">Continue to <code>{uri}</code></button>\n</form>\n\
         <script src=\"{FORM_POST_PATH}\"></script>\n",
        uri = Escaped(redirect_uri),
    );
    let policy = format!("{POLICY}; script-src 'self'");
    page_with(StatusCode::OK, "Going back to the app", &main, &policy)
}

/// Inputs that a person does not see and a form sends.
fn hidden<S: AsRef<str>>(parameters: &[(S, S)]) -> String {
    let mut inputs = String::new();
    for (name, value) in parameters {
        let (name, value) = (Escaped(name.as_ref()), Escaped(value.as_ref()));
        // Writing to a string cannot fail.
        let _ = writeln!(inputs, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
    }
    inputs
}

/// A refusal that must not be sent to the app.
pub(super) fn refused(status: StatusCode, report: &Report) -> Response {
    let main = format!(
        "<h1>You cannot sign in</h1>\n\
         <p>The request is not one this tenant can send back to the app.</p>\n\
         <p role=\"alert\">{description}</p>\n\
         <p><a href=\"{uri}\" rel=\"noreferrer\">What Microsoft says about this error</a></p>\n\
         <p><a href=\"/_dev\">What was asked lately, and who and what there is</a></p>\n",
        description = Escaped(&report.error_description),
        uri = Escaped(&report.error_uri),
    );
    page(status, "You cannot sign in", &main)
}

/// There is nothing at this path.
pub(super) fn not_found() -> Response {
    let main = "<h1>Not found</h1>\n\
                <p>The development tenant has nothing here. See <a href=\"/\">its start page</a>.\
                </p>\n";
    page(StatusCode::NOT_FOUND, "Not found", main)
}

/// No script, no frame, nothing from elsewhere.
///
/// `form-action` is left out on purpose: Chromium applies it to the redirect that follows the
/// form too, and would stop it on the way back to the app.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A whole page around `main`, which is HTML.
///
/// It sets no `Cross-Origin-Opener-Policy`: that would cut a sign-in pop-up off its opener.
fn page(status: StatusCode, title: &str, main: &str) -> Response {
    page_with(status, title, main, POLICY)
}

fn page_with(status: StatusCode, title: &str, main: &str, policy: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} - development tenant</title>\n\
         <link rel=\"stylesheet\" href=\"{STYLESHEET_PATH}\">\n</head>\n<body>\n\
         <header><p><strong>Development only.</strong> This is not Microsoft: anybody can sign in \
         as anybody, and nothing here is secret.</p></header>\n\
         <main>\n{main}</main>\n</body>\n</html>\n"
    );
    Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .header("cache-control", "no-store")
        .header("content-security-policy", policy)
        .header("referrer-policy", "no-referrer")
        .header("x-frame-options", "DENY")
        .body(html)
}
