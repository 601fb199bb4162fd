//! Signing in for another device.

use poem::Response;
use poem::http::StatusCode;

use super::super::html::Escaped;
use super::page;
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
