//! The page that sends a form to the app.

use maud::html;
use poem::Response;

use super::{
    assets::FORM_POST_PATH,
    layout::{hidden, page_with_script},
};

/// Sends these parameters to the app in a form (OAuth 2.0 Form Post Response Mode). A script
/// submits the form; without scripts, the person does.
pub(in crate::http) fn form_post(redirect_uri: &str, parameters: &[(&str, &str)]) -> Response {
    let main = html! {
        h1 { "Going back to the app" }
        form method="post" action=(redirect_uri) {
            (hidden(parameters))
            div class="actions" {
                button type="submit" class="primary" { "Continue to " code { (redirect_uri) } }
            }
        }
        script src=(FORM_POST_PATH) {}
    };
    page_with_script("Going back to the app", &main)
}
