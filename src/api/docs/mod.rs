//! The docs page: Swagger UI with sign-in. All files come from this server, and the
//! Content-Security-Policy allows no inline scripts. build.rs takes the files of Swagger UI from a
//! package.

mod asset;

use bytes::Bytes;
use poem::{
    Response,
    endpoint::make_sync,
    http::{StatusCode, header},
};
use poem_openapi::OperationId;
use serde_json::json;

use super::http::pages::Pages;

use self::asset::Asset;

/// A file of Swagger UI, as build.rs wrote it.
macro_rules! packaged {
    ($name:literal, $media_type:expr) => {{
        let plain = include_bytes!(concat!(env!("OUT_DIR"), "/", $name));
        let gzip = include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz"));
        Asset {
            media_type: $media_type,
            plain: Bytes::from_static(plain),
            gzip: Some(Bytes::from_static(gzip)),
            tag: include_str!(concat!(env!("OUT_DIR"), "/", $name, ".tag")).to_owned(),
            headers: Vec::new(),
        }
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

/// The page, its files, the sign-in redirect and the document. `/` redirects to the page.
pub fn pages(settings: &DocsSettings, document: Vec<u8>) -> Pages {
    let policy = content_security_policy(&settings.authority_origin);
    let init = Asset::made(JAVASCRIPT, init_script(settings).into_bytes());
    let docs = Asset::made(HTML, DOCS_PAGE.as_bytes().to_vec())
        .with(header::CONTENT_SECURITY_POLICY.as_str(), &policy)
        // The page opens the sign-in pop-up and must stay its opener; `same-origin` would separate
        // the two, as would any such header on the redirect page.
        .with("cross-origin-opener-policy", "same-origin-allow-popups");
    let redirect = Asset::made(HTML, REDIRECT_PAGE.as_bytes().to_vec())
        .with(header::CONTENT_SECURITY_POLICY.as_str(), &policy);
    let to_docs = make_sync(|_| {
        Response::builder()
            .extension(OperationId("get_root"))
            .status(StatusCode::TEMPORARY_REDIRECT)
            .header(header::LOCATION, "/docs")
            .finish()
    });
    Pages::default()
        .at("/", to_docs)
        .at("/docs", docs)
        .at("/docs/init.js", init)
        .at("/docs/swagger-ui.css", packaged!("swagger-ui.css", CSS))
        .at("/docs/swagger-ui-bundle.js", packaged!("swagger-ui-bundle.js", JAVASCRIPT))
        .at("/docs/oauth2-redirect.js", Asset::made(JAVASCRIPT, REDIRECT_SCRIPT.into()))
        .at("/oauth2-redirect", redirect)
        .at("/openapi.json", Asset::made("application/json", document))
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

const DOCS_PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Todo API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/init.js"></script>
</body>
</html>
"#;

const REDIRECT_SCRIPT: &[u8] = include_bytes!("oauth2-redirect.js");

/// The page at the redirect URI of the sign-in.
const REDIRECT_PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Signing in</title>
<link rel="icon" href="data:,">
</head>
<body>
<p>Signing in. You can close this window.</p>
<script src="/docs/oauth2-redirect.js"></script>
</body>
</html>
"#;

/// The settings of Swagger UI and of its OAuth client, which is public: it has no secret and uses
/// PKCE (RFC 7636, method S256).
fn init_script(settings: &DocsSettings) -> String {
    let ui = json!({
        "dom_id": "#swagger-ui",
        "url": "/openapi.json",
        "deepLinking": true,
        "defaultModelsExpandDepth": 0,
        "displayRequestDuration": true,
        "validatorUrl": null,
        "persistAuthorization": false,
    });
    let oauth = json!({
        "clientId": settings.client_id,
        "scopes": [settings.scope],
        "usePkceWithAuthorizationCodeGrant": true,
    });
    format!(
        "const settings = {ui};\n\
         settings.oauth2RedirectUrl = new URL('/oauth2-redirect', location.href).href;\n\
         window.ui = SwaggerUIBundle(settings);\n\
         window.ui.initOAuth({oauth});\n"
    )
}

fn content_security_policy(authority_origin: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
         connect-src 'self' {authority_origin}; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
}
