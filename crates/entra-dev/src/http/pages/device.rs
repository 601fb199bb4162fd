//! Signing in for another device.

use poem::Response;
use poem::http::StatusCode;

use super::super::Context;
use super::super::html::Escaped;
use super::account::{AskForConsent, Picker, choice_for_everybody};
use super::{hidden, page};
use crate::devices::Device;
use crate::directory::Person;
use crate::refusal::Report;

/// The page that asks for the code on the device; again, where the last one was none.
pub(in crate::http) fn ask(
    status: StatusCode,
    tenant: &str,
    known: Option<&str>,
    refused: Option<&Report>,
) -> Response {
    let alert = match refused {
        Some(report) => {
            let text = Escaped(&report.error_description);
            format!("<p role=\"alert\" id=\"alert\">{text}</p>\n")
        }
        None => String::new(),
    };
    let described = if refused.is_some() { " aria-describedby=\"alert\"" } else { "" };
    let main = format!(
        "<h1>Enter code</h1>\n\
         <p>Enter the code that the app or device shows. Do so only if you have started it \
         yourself: whoever gave you the code signs in as you.</p>\n{alert}\
         <form method=\"post\" action=\"/{tenant}/oauth2/deviceauth\">\n\
         <p><label for=\"user_code\">Code</label>\n\
         <input id=\"user_code\" name=\"user_code\" value=\"{known}\" required autofocus \
         maxlength=\"16\" autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\"\
         {described}></p>\n\
         <button type=\"submit\">Next</button>\n</form>\n",
        tenant = Escaped(tenant),
        known = Escaped(known.unwrap_or_default()),
    );
    page(status, "Enter code", &main)
}

/// The account page of a device.
pub(in crate::http) fn accounts(context: &Context, device: &Device, user_code: &str) -> Response {
    let picker = Picker {
        directory: context.directory(),
        authority: &device.authority,
        app: &device.app,
        scopes: &device.scopes,
        hint: None,
        signed_in: &[],
    };
    picker.page(&action(device), &code(user_code), "")
}

/// The page after it, where the app needs the person's consent.
pub(in crate::http) fn consent(device: &Device, user_code: &str, person: &Person) -> Response {
    let ask = AskForConsent { app: &device.app, scopes: &device.scopes, person };
    ask.page(&action(device), &code(user_code), choice_for_everybody(person))
}

/// The last page.
pub(in crate::http) fn done(app: &str, accepted: bool) -> Response {
    let app = Escaped(app);
    let main = if accepted {
        format!(
            "<h1>You have signed in</h1>\n<p>You have signed in to <strong>{app}</strong> on your \
             device. You can close this page.</p>\n"
        )
    } else {
        format!(
            "<h1>Cancelled</h1>\n<p><strong>{app}</strong> has not been signed in. You can close \
             this page.</p>\n"
        )
    };
    page(StatusCode::OK, "Device", &main)
}

fn action(device: &Device) -> String {
    format!("/{}/oauth2/deviceauth", device.authority.segment())
}

fn code(user_code: &str) -> String {
    hidden([("user_code", user_code)].into_iter())
}
