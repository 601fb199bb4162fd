//! The pages. They work without scripts, and no script may run on them.

use std::fmt::Write;
use std::sync::Arc;

use poem::http::StatusCode;
use poem::web::Data;
use poem::{Response, handler};

use super::Context;
use super::authorization_request::AuthorizationRequest;
use super::html::Escaped;
use super::parameters::Parameters;
use crate::directory::tenant_name;
use crate::ids::{API_CLIENT_ID, CONSUMERS, CONTOSO, FABRIKAM, SWAGGER_UI_CLIENT_ID};
use crate::people::{Person, people};
use crate::refusal::Report;
use crate::scope::access_as_user;

/// Where the stylesheet is; an inline one would need a hole in the policy.
pub(super) const STYLESHEET_PATH: &str = "/_dev/style.css";

/// `GET /_dev/style.css`.
#[handler]
pub(super) fn stylesheet() -> Response {
    Response::builder()
        .content_type("text/css; charset=utf-8")
        .header("cache-control", "no-cache")
        .body(include_str!("style.css"))
}

/// `GET /`: what this is, who can sign in, and where things are.
#[handler]
pub(super) fn start(Data(context): Data<&Arc<Context>>) -> Response {
    let base_url = context.issuer.base_url();
    let mut rows = String::new();
    for person in people() {
        let Person { name, display_name, sign_in_name, .. } = person;
        let about = about(person);
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{display_name}</th><td>{sign_in_name}</td><td>{about}</td>\
             <td><code>{name}</code></td></tr>"
        );
    }
    let scope = access_as_user();
    let metadata = format!("{base_url}/{CONTOSO}/v2.0/.well-known/openid-configuration");
    let main = format!(
        "<h1>Development tenant</h1>\n\
         <p>This server speaks the protocol of Microsoft Entra ID, so that an API protected by \
         Entra can be tried with no Azure account. Nobody here has a password.</p>\n\
         <h2>Who can sign in</h2>\n\
         <table>\n<thead><tr><th scope=\"col\">Person</th><th scope=\"col\">Sign-in name</th>\
         <th scope=\"col\">What they are</th><th scope=\"col\">Short name</th></tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table>\n\
         <h2>Ids</h2>\n<dl>\n\
         <dt>Tenant Contoso</dt><dd><code>{CONTOSO}</code></dd>\n\
         <dt>Tenant Fabrikam</dt><dd><code>{FABRIKAM}</code></dd>\n\
         <dt>Tenant of personal accounts</dt><dd><code>{CONSUMERS}</code></dd>\n\
         <dt>API</dt><dd><code>{API_CLIENT_ID}</code></dd>\n\
         <dt>Swagger UI</dt><dd><code>{SWAGGER_UI_CLIENT_ID}</code></dd>\n\
         <dt>Scope of the API</dt><dd><code>{scope}</code></dd>\n</dl>\n\
         <h2>URLs</h2>\n<dl>\n\
         <dt>Authority</dt><dd><code>{base_url}/{CONTOSO}</code></dd>\n\
         <dt>Metadata</dt><dd><a href=\"{metadata}\">{metadata}</a></dd>\n</dl>\n"
    );
    page(StatusCode::OK, "Start", &main)
}

/// The account page: one button a person, and which app asks for what.
pub(super) fn accounts(request: &AuthorizationRequest<'_>, parameters: &Parameters) -> Response {
    let mut hidden = String::new();
    for (name, value) in parameters.hidden(&AuthorizationRequest::PARAMETERS) {
        let (name, value) = (Escaped(&name), Escaped(&value));
        let _ = writeln!(hidden, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
    }
    let is_hinted = |person: &Person| {
        request.login_hint.is_some_and(|hint| hint.eq_ignore_ascii_case(person.sign_in_name))
    };
    let mut everybody: Vec<_> = request.authority.people().collect();
    everybody.sort_by_key(|person| !is_hinted(person));
    let mut buttons = String::new();
    for person in everybody {
        let Person { name, display_name, sign_in_name, oid, .. } = person;
        let about = about(person);
        let autofocus = if is_hinted(person) { " autofocus" } else { "" };
        let _ = writeln!(
            buttons,
            "<li><button type=\"submit\" name=\"account\" value=\"{oid}\" \
             aria-describedby=\"about-{name}\"{autofocus}><span class=\"name\">{display_name}\
             </span> <span class=\"address\">{sign_in_name}</span></button>\
             <p id=\"about-{name}\">{about}</p></li>"
        );
    }
    let main = format!(
        "<h1>Pick an account</h1>\n\
         <p><strong>{app}</strong> asks to use the API as you: <code>{scope}</code></p>\n\
         <form method=\"post\" action=\"/{segment}/oauth2/v2.0/authorize\">\n{hidden}\
         <ul class=\"people\">\n{buttons}</ul>\n</form>\n\
         <p>You will go back to <code>{redirect_uri}</code></p>\n",
        app = Escaped(request.app.name),
        scope = Escaped(&request.scope.granted()),
        segment = request.authority.segment(),
        redirect_uri = Escaped(request.reply.redirect_uri),
    );
    page(StatusCode::OK, "Pick an account", &main)
}

/// A refusal that must not be sent to the app.
pub(super) fn refused(status: StatusCode, report: &Report) -> Response {
    let main = format!(
        "<h1>You cannot sign in</h1>\n\
         <p>The request is not one this tenant can send back to the app.</p>\n\
         <p role=\"alert\">{description}</p>\n\
         <p><a href=\"{uri}\" rel=\"noreferrer\">What Microsoft says about this error</a></p>\n",
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

/// What tells people apart: tenant, roles, guest or not.
fn about(person: &Person) -> String {
    let roles = match person.roles {
        [] => "no role".to_owned(),
        roles => format!("role {}", roles.join(", ")),
    };
    let guest = if person.guest { ", guest" } else { "" };
    format!("{}: {roles}{guest}", tenant_name(person.tenant))
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
        .header("content-security-policy", POLICY)
        .header("referrer-policy", "no-referrer")
        .header("x-frame-options", "DENY")
        .body(html)
}
