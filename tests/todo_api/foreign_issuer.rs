//! The API with an issuer that this project did not write. A mistake that our validator and our
//! development tenant share would show here.

use reqwest::{Method, StatusCode};

use crate::support::{App, ForeignIssuer, SignedIn, TestClock, Tool, require, test_name};

#[tokio::test]
async fn only_tokens_for_this_api_from_a_foreign_issuer_are_accepted() {
    let Some([node, _]) = require(test_name!(), [Tool::Node, Tool::OidcProvider]) else { return };
    let issuer = tokio::task::spawn_blocking(move || ForeignIssuer::start(node)).await.unwrap();
    let SignedIn { instance, tenant, api_client_id, token, token_for_another_api, .. } =
        &issuer.signed_in;
    let app = App::start_at(TestClock::real(), |environment| {
        environment
            .with("AAD_INSTANCE", instance)
            .with("AAD_TENANT_ID", tenant)
            .with("API_CLIENT_ID", api_client_id)
    })
    .await;
    let list = async |token: &str| app.send(Some(token), Method::GET, "/todoitems", None).await;

    let answer = list(token).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.body["items"], serde_json::json!([]), "{answer:?}");

    let answer = list(token_for_another_api).await;
    answer.assert_problem(401, "invalid_token");
    assert!(answer.body["detail"].as_str().unwrap().contains("aud"), "{answer:?}");

    for changed in with_one_byte_changed(token) {
        list(&changed).await.assert_problem(401, "invalid_token");
    }
    // None of these affects the good token.
    assert_eq!(list(token).await.status, StatusCode::OK);
}

/// A token for each part, with another character in the middle of this part.
fn with_one_byte_changed(token: &str) -> impl Iterator<Item = String> {
    let mut start = 0;
    token.split('.').map(move |part| {
        let middle = start + part.len() / 2;
        start += part.len() + 1;
        let other = if token[middle..].starts_with('A') { "B" } else { "A" };
        format!("{}{other}{}", &token[..middle], &token[middle + 1..])
    })
}
