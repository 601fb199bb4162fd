//! The docs page: Swagger UI with sign-in, from this server alone, under a Content-Security-Policy
//! that allows no inline script. The files come from a package, through build.rs.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use poem::{
    Endpoint, Request, Response, Result, Route,
    http::{StatusCode, header},
};
use poem_openapi::{ApiResponse, OpenApi};
use serde_json::json;

use crate::telemetry::Operation;

use super::allow::get_only;

/// A file of Swagger UI, as build.rs left it.
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
    /// The app registration with which people sign in here.
    pub client_id: String,
    /// The scope that is asked for, in full.
    pub scope: String,
    /// The origin of the authority, from which the page fetches the token.
    pub authority_origin: String,
}

/// Adds the page, its files, the sign-in redirect and the document to the routes.
pub fn add_routes(routes: Route, settings: &DocsSettings, document: Vec<u8>) -> Route {
    let policy = content_security_policy(&settings.authority_origin);
    let init = Asset::made(JAVASCRIPT, init_script(settings).into_bytes());
    let docs = Asset::made(HTML, DOCS_PAGE.as_bytes().to_vec())
        .with(header::CONTENT_SECURITY_POLICY.as_str(), &policy)
        // The page opens the sign-in pop-up and must stay its opener; `same-origin` would cut the
        // two apart, as would any such header on the redirect page.
        .with("cross-origin-opener-policy", "same-origin-allow-popups");
    let redirect = Asset::made(HTML, REDIRECT_PAGE.as_bytes().to_vec())
        .with(header::CONTENT_SECURITY_POLICY.as_str(), &policy);
    routes
        .at("/docs", get_only(docs))
        .at("/docs/init.js", get_only(init))
        .at("/docs/swagger-ui.css", get_only(packaged!("swagger-ui.css", CSS)))
        .at("/docs/swagger-ui-bundle.js", get_only(packaged!("swagger-ui-bundle.js", JAVASCRIPT)))
        .at("/docs/oauth2-redirect.js", get_only(Asset::made(JAVASCRIPT, REDIRECT_SCRIPT.into())))
        .at("/oauth2-redirect", get_only(redirect))
        .at("/openapi.json", get_only(Asset::made("application/json", document)))
}

/// The way from `/` to the docs page. It is an operation, hidden from the document, since the
/// operations have the whole tree of paths below `/`.
pub struct RootApi;

#[OpenApi]
impl RootApi {
    #[oai(path = "/", method = "get", operation_id = "get_root", hidden = true)]
    async fn get_root(&self) -> RedirectResponse {
        RedirectResponse::Temporary("/docs".into())
    }
}

#[derive(ApiResponse)]
enum RedirectResponse {
    #[oai(status = 307)]
    Temporary(#[oai(header = "Location")] String),
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

/// Where the authority sends the browser back to.
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

/// Swagger UI's settings and those of its OAuth client: public, so without a secret, and with PKCE
/// (RFC 7636, method S256).
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

/// A file that is served from memory: compressed for whoever accepts that, and not at all to
/// whoever has it already.
struct Asset {
    media_type: &'static str,
    plain: Bytes,
    gzip: Option<Bytes>,
    /// Stands for the content; the two encodings have tags of their own (RFC 9110, section 8.8.3).
    tag: String,
    headers: Vec<(&'static str, String)>,
}

impl Asset {
    /// A file that the server makes when it starts.
    fn made(media_type: &'static str, content: Vec<u8>) -> Self {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let tag = format!("{:016x}", hasher.finish());
        Self { media_type, plain: content.into(), gzip: None, tag, headers: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

impl Endpoint for Asset {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let listed = |name: header::HeaderName| request.header(name).unwrap_or_default();
        let gzip = self.gzip.as_ref().filter(|_| accepts_gzip(listed(header::ACCEPT_ENCODING)));
        let suffix = if gzip.is_some() { "-gzip" } else { "" };
        let etag = format!("\"{}{suffix}\"", self.tag);
        let mut response = Response::builder()
            .extension(Operation("get_docs"))
            .header(header::ETAG, &etag)
            .header(header::VARY, "accept-encoding")
            // Kept by the browser, and asked about each time: a 304 is a few hundred bytes.
            .header(header::CACHE_CONTROL, "no-cache");
        if has_tag(listed(header::IF_NONE_MATCH), &etag) {
            return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
        }
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        if gzip.is_some() {
            response = response.header(header::CONTENT_ENCODING, "gzip");
        }
        let body = gzip.unwrap_or(&self.plain).clone();
        Ok(response.content_type(self.media_type).body(body))
    }
}

/// RFC 9110, section 12.5.3, as far as one encoding needs it.
fn accepts_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|item| {
        let (coding, quality) = item.split_once(';').unwrap_or((item, ""));
        let refused = quality.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        coding.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// RFC 9110, section 13.1.2: a weak comparison.
fn has_tag(listed: &str, etag: &str) -> bool {
    listed.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}
