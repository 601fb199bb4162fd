//! Swagger UI with sign-in.

use poem::{Endpoint, Route, endpoint::make_sync, web::Html};
use poem_openapi::OpenApiService;
use serde_json::{Map, Value, json};

/// Swagger UI for a document that [`publish`](super::publish) returned, with sign-in: the
/// authorization code flow with PKCE (RFC 7636), as a public client without a secret.
///
/// Nest the endpoint, for example at `/docs`. `client_id` is the app registration that people sign
/// in with. It needs a redirect URI of the type "Single-page application": the URL of the page with
/// `/oauth2-redirect` after it, such as `https://api.example.com/docs/oauth2-redirect`
/// (<https://learn.microsoft.com/entra/identity-platform/reply-url>).
///
/// The page needs no other server: poem-openapi contains the files of Swagger UI.
pub fn swagger_ui(document: &Value, client_id: &str) -> impl Endpoint + use<> {
    let page = page(document, client_id);
    Route::new()
        .at("/", make_sync(move |_| Html(page.clone())))
        .at("/oauth2-redirect", make_sync(|_| Html(REDIRECT)))
}

/// Receives the response of the sign-in, and passes it to the page.
const REDIRECT: &str = include_str!("redirect.html");

/// What follows the styles and scripts of Swagger UI. The settings are the variable `settings`.
const START: &str = include_str!("start.html");

/// In poem-openapi's page, the styles and scripts of Swagger UI come before this element. The page
/// itself cannot be used, because it shows the document before `publish` and cannot sign in.
const ELEMENT: &str = r#"<div id="ui">"#;

fn page(document: &Value, client_id: &str) -> String {
    let original = OpenApiService::new((), "", "").swagger_ui_html();
    let (scripts, _) = original.rsplit_once(ELEMENT).unwrap_or((&original, ""));
    let scopes =
        document.pointer("/components/securitySchemes/oauth2/flows/authorizationCode/scopes");
    let scopes = scopes.and_then(Value::as_object).into_iter().flat_map(Map::keys);
    let settings = json!({
        "document": document,
        "clientId": client_id,
        "scopes": scopes.collect::<Vec<_>>(),
    });
    // Nothing in the document can end the script, or begin a comment in it.
    let settings = settings.to_string().replace('<', r"\u003c");
    format!("<!doctype html>{scripts}<script>const settings = {settings};</script>{START}")
}
