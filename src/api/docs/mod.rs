//! The docs page: Swagger UI with sign-in. All files come from this server, and the
//! Content-Security-Policy allows no inline scripts or styles. build.rs takes the files of Swagger
//! UI from a package; those that change it are in this folder. All URLs are relative, so the page
//! also works below a prefix that a proxy removes.

mod asset;

use std::error::Error;

use poem::{
    Endpoint, Response,
    endpoint::make_sync,
    http::{StatusCode, header},
};
use poem_openapi::OperationId;
use serde_json::json;

use super::http::pages::Pages;

use self::asset::{Asset, Generated};

/// A file of Swagger UI, as build.rs wrote it.
macro_rules! packaged {
    ($name:literal, $media_type:expr) => {{
        let gzip = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz"));
        let tag = include_str!(concat!(env!("OUT_DIR"), "/", $name, ".tag"));
        Asset::packaged($media_type, gzip, tag)
    }};
}

/// What the docs page needs to know.
#[derive(Debug, Clone)]
pub struct DocsSettings {
    /// The app registration that users sign in with.
    pub client_id: String,
    /// The requested scope, as a full URI.
    pub scope: String,
    /// The origin of the authority, where the page gets the token.
    pub authority_origin: String,
}

/// A text file in this folder.
macro_rules! own {
    ($name:literal, $media_type:expr) => {
        Asset::plain($media_type, include_bytes!($name).as_slice())
    };
}

/// The page, its files, the sign-in redirect and the document. `/` and `/docs/` redirect to the
/// page. `document` returns the document, which is the same each time.
pub fn pages<E: Error + Send + Sync + 'static>(
    settings: &DocsSettings,
    document: impl Fn() -> Result<Vec<u8>, E> + Send + Sync + 'static,
) -> Pages {
    let policy = content_security_policy(&settings.authority_origin);
    let docs = own!("docs.html", HTML).with(header::CONTENT_SECURITY_POLICY.as_str(), &policy);
    let redirect =
        own!("oauth2-redirect.html", HTML).with(header::CONTENT_SECURITY_POLICY.as_str(), &policy);
    Pages::default()
        .at("/", redirect_to("docs", "getRoot"))
        .at("/docs/", redirect_to("../docs", "getDocs"))
        .at("/docs", docs.with("cross-origin-opener-policy", "same-origin-allow-popups"))
        .at("/docs/swagger-ui.css", packaged!("swagger-ui.css", CSS))
        .at("/docs/swagger-ui-bundle.js", packaged!("swagger-ui-bundle.js", JAVASCRIPT))
        .at("/docs/docs.css", own!("docs.css", CSS))
        .at("/docs/init.js", own!("init.js", JAVASCRIPT))
        .at("/docs/plugin.js", own!("plugin.js", JAVASCRIPT))
        .at("/docs/sign-in.js", own!("sign-in.js", JAVASCRIPT))
        .at("/docs/accessibility.js", own!("accessibility.js", JAVASCRIPT))
        .at("/docs/settings.js", Asset::plain(JAVASCRIPT, settings_script(settings)))
        .at("/docs/oauth2-redirect.js", own!("oauth2-redirect.js", JAVASCRIPT))
        .at("/oauth2-redirect", redirect)
        .at("/openapi.json", Generated::new("application/json", document))
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The redirect URI of the docs page of the server at this URL.
pub fn redirect_uri(server: &str) -> String {
    format!("{server}/oauth2-redirect")
}

/// Redirects to a page, which is named relative to the redirecting one.
fn redirect_to(
    page: &'static str,
    operation: &'static str,
) -> impl Endpoint<Output = Response> + 'static {
    make_sync(move |_| {
        Response::builder()
            .extension(OperationId(operation))
            .status(StatusCode::TEMPORARY_REDIRECT)
            .header(header::LOCATION, page)
            .finish()
    })
}

/// The settings of Swagger UI's OAuth client, as a module.
fn settings_script(settings: &DocsSettings) -> String {
    let settings = json!({ "clientId": settings.client_id, "scopes": [settings.scope] });
    format!("export const settings = {settings};\n")
}

fn content_security_policy(authority_origin: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self' {authority_origin}; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
}
