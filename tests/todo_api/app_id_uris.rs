//! App ID URIs other than the default: clients request scopes that begin with them, and v1 tokens
//! have them as the audience.

use entra_dev::{Directory, ids::API_CLIENT_ID, ids::CONTOSO};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{App, TestClock};

#[tokio::test]
async fn scopes_are_written_with_the_app_id_uri_and_tokens_for_it_are_accepted() {
    for uri in [
        format!("api://{API_CLIENT_ID}"),
        format!("api://{CONTOSO}/{API_CLIENT_ID}"),
        "api://app.contoso.example".to_owned(),
        format!("api://localhost:3000/{API_CLIENT_ID}"),
        "https://api.contoso.example".to_owned(),
    ] {
        let app = app_with(&uri, &uri).await;
        let scope = format!("{uri}/access_as_user");
        assert_scopes_are_written_as(&app, &scope).await;

        let token = app.sign_in("uma", &scope).await;
        assert_eq!(list(&app, &token).await, StatusCode::OK, "{uri}");
        for (audience, status) in [
            (uri.clone(), StatusCode::OK),
            (format!("{uri}/"), StatusCode::OK),
            (format!("{uri}/access_as_user"), StatusCode::UNAUTHORIZED),
            (uri.to_uppercase(), StatusCode::UNAUTHORIZED),
        ] {
            let token = app.forged(|claims| claims["aud"] = audience.as_str().into());
            assert_eq!(list(&app, &token).await, status, "{audience}");
        }
    }
}

#[tokio::test]
async fn tokens_for_further_app_id_uris_and_audiences_are_accepted() {
    let uris = "https://api.contoso.example, api://app.contoso.example";
    let app = app_with("https://api.contoso.example", uris).await;
    assert_scopes_are_written_as(&app, "https://api.contoso.example/access_as_user").await;
    for audience in ["https://api.contoso.example", "api://app.contoso.example", FURTHER] {
        let token = app.forged(|claims| claims["aud"] = audience.into());
        assert_eq!(list(&app, &token).await, StatusCode::OK, "{audience}");
    }
    let default = format!("api://{API_CLIENT_ID}");
    let token = app.forged(|claims| claims["aud"] = default.as_str().into());
    let answer = app.send(Some(&token), Method::GET, "/todoitems", None).await;
    answer.assert_problem(401, "invalid_token");
    let expected = answer.body["expected"].as_str().unwrap();
    assert!(expected.contains("https://api.contoso.example"), "{expected}");
}

/// Asserts that this is the full scope in the document, on the docs page, in challenges and in the
/// resource metadata.
async fn assert_scopes_are_written_as(app: &App, scope: &str) {
    let document = app.send(None, Method::GET, "/openapi.json", None).await.body;
    let flow = &document["components"]["securitySchemes"]["oauth2"]["flows"]["authorizationCode"];
    let declared: Vec<_> = flow["scopes"].as_object().unwrap().keys().collect();
    assert_eq!(declared, [scope]);
    let required = &document["paths"]["/todoitems"]["get"]["security"];
    assert_eq!(required, &json!([{ "oauth2": [scope] }]));

    let settings = app.send(None, Method::GET, "/docs/settings.js", None).await.body;
    let settings = settings.as_str().unwrap().strip_prefix("export const settings = ").unwrap();
    let settings: Value = serde_json::from_str(settings.trim_end().trim_end_matches(';')).unwrap();
    assert_eq!(settings["scopes"], json!([scope]));

    let path = "/.well-known/oauth-protected-resource";
    let metadata = app.send(None, Method::GET, path, None).await.body;
    assert_eq!(metadata["scopes_supported"], json!([scope]));

    let other = app.forged(|claims| claims["scp"] = "another_scope".into());
    let answer = app.send(Some(&other), Method::GET, "/todoitems", None).await;
    answer.assert_problem(403, "insufficient_scope");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains(&format!("scope=\"{scope}\"")), "{challenge}");
}

async fn list(app: &App, token: &str) -> StatusCode {
    app.send(Some(token), Method::GET, "/todoitems", None).await.status
}

/// A server with these values of `APP_ID_URI`, whose tenant has registered `registered`.
async fn app_with(registered: &str, uris: &str) -> App {
    let name = "name = \"Todo API\"\n";
    let directory =
        Directory::EXAMPLE.replace(name, &format!("{name}app_id_uri = \"{registered}\"\n"));
    let directory = Directory::parse(&directory, "".as_ref()).unwrap();
    App::start_having(directory, TestClock::default(), |environment| {
        environment.with("APP_ID_URI", uris).with("API_AUDIENCE", FURTHER)
    })
    .await
}

const FURTHER: &str = "https://old.contoso.example";
