//! The docs page.

use poem::{Endpoint, Request, Route};
use poem_entra::poem::swagger_ui;
use serde_json::json;

const CLIENT_ID: &str = "44444444-4444-4444-8444-444444444444";
const SCOPE: &str = "api://33333333-3333-4333-8333-333333333333/access_as_user";

#[tokio::test]
async fn the_page_has_the_document_the_client_and_its_scopes() {
    let document = json!({
        "openapi": "3.0.0",
        "info": { "title": "</script><script>alert(1)</script><!--", "version": "1" },
        "paths": {},
        "components": { "securitySchemes": { "oauth2": {
            "type": "oauth2",
            "flows": { "authorizationCode": { "scopes": { SCOPE: "Act as the user." } } },
        } } },
    });
    for path in ["/docs", "/docs/"] {
        let page = get(&document, path).await;
        let (_, settings) = page.rsplit_once("<script>const settings = ").unwrap();
        let (settings, rest) = settings.split_once(";</script>").unwrap();
        // No text of the document can end the script.
        assert!(!settings.contains('<'), "{settings}");
        let settings: serde_json::Value = serde_json::from_str(settings).unwrap();
        let expected = json!({ "document": document, "clientId": CLIENT_ID, "scopes": [SCOPE] });
        assert_eq!(settings, expected);
        assert!(rest.contains("usePkceWithAuthorizationCodeGrant: true"), "{rest}");
        // The script of Swagger UI is on the page, and the one that poem-openapi adds is not.
        assert!(page.contains("SwaggerUIBundle="));
        assert_eq!(page.matches("SwaggerUIBundle({").count(), 1);
    }
}

#[tokio::test]
async fn the_redirect_page_passes_the_response_on() {
    let page = get(&json!({}), "/docs/oauth2-redirect?code=c&state=s").await;
    assert!(page.contains("new BroadcastChannel('sign-in')"), "{page}");
}

async fn get(document: &serde_json::Value, path: &str) -> String {
    let routes = Route::new().nest("/docs", swagger_ui(document, CLIENT_ID));
    let request = Request::builder().uri(path.parse().unwrap()).finish();
    routes.get_response(request).await.into_body().into_string().await.unwrap()
}
