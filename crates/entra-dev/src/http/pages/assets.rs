//! The stylesheet and the script of the pages.

use poem::{Response, handler};

/// The path of the stylesheet. An inline one would need an exception in the content security
/// policy.
pub(in crate::http) const STYLESHEET_PATH: &str = "/_assets/style.css";

/// The path of the script that submits a form.
pub(in crate::http) const FORM_POST_PATH: &str = "/_assets/form-post.js";

/// `GET /_assets/style.css`.
#[handler]
pub(in crate::http) fn stylesheet() -> Response {
    asset("text/css; charset=utf-8", include_str!("style.css"))
}

/// `GET /_assets/form-post.js`.
#[handler]
pub(in crate::http) fn form_post_script() -> Response {
    asset("text/javascript; charset=utf-8", "document.forms[0].submit();\n")
}

fn asset(content_type: &str, content: &'static str) -> Response {
    Response::builder().content_type(content_type).header("cache-control", "no-cache").body(content)
}
