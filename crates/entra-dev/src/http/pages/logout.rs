//! Signing out.

use std::fmt::Write;
use std::sync::Arc;

use poem::Response;
use poem::http::StatusCode;

use super::super::html::Escaped;
use super::{hidden, page};
use crate::directory::Person;

/// The page that asks who of these is to be signed out. Its buttons send the same request with a
/// hint that answers.
pub(in crate::http) fn ask(
    tenant: &str,
    repeated: &[(String, String)],
    signed_in: &[&Arc<Person>],
) -> Response {
    let mut buttons = String::new();
    for person in signed_in {
        // Writing to a string cannot fail.
        let _ = writeln!(
            buttons,
            "<li><button type=\"submit\" name=\"logout_hint\" value=\"{oid}\"><span class=\"name\">\
             {display_name}</span> <span class=\"address\">{sign_in_name}</span></button></li>",
            oid = person.oid,
            display_name = Escaped(&person.display_name),
            sign_in_name = Escaped(&person.sign_in_name),
        );
    }
    let main = format!(
        "<h1>Pick an account to sign out</h1>\n\
         <form method=\"post\" action=\"/{tenant}/oauth2/v2.0/logout\">\n{hidden}\
         <ul class=\"people\">\n{buttons}</ul>\n</form>\n",
        tenant = Escaped(tenant),
        hidden = hidden(repeated),
    );
    page(StatusCode::OK, "Sign out", &main)
}

/// The page for who has nowhere to go back to. It names the address that the app has asked for in
/// vain, and leads nowhere near it.
pub(in crate::http) fn done(not_gone_to: Option<&str>) -> Response {
    let mut main = "<h1>You are signed out</h1>\n<p>You can close this page.</p>\n".to_owned();
    if let Some(uri) = not_gone_to {
        // Writing to a string cannot fail.
        let _ = writeln!(
            main,
            "<p class=\"quiet\">The app wanted you to go to <code>{uri}</code>, which is not \
             registered as a redirect URI of its own. <a href=\"/_dev\">Who and what there is</a>\
             </p>",
            uri = Escaped(uri),
        );
    }
    page(StatusCode::OK, "Signed out", &main)
}
