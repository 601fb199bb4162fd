//! An API with its own signing keys, as it has with a claims mapping policy. Entra publishes them
//! only at the address that contains the API's client id.

use entra_dev::ids::API_CLIENT_ID;
use poem::{IntoResponse, web::Json};
use reqwest::{Method, StatusCode};

use todo_api::config::Environment;

use crate::support::{Answer, App, gateway};

#[tokio::test]
async fn own_signing_keys_are_read_if_claims_mapping_is_set() {
    let answer = list_with("true").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}

#[tokio::test]
async fn without_claims_mapping_the_refusal_names_the_setting() {
    let answer = list_with("false").await;
    answer.assert_problem(401, "invalid_token");
    let hint = answer.body["hint"].as_str().unwrap();
    assert!(hint.contains("turn the setting claims_mapping on"), "{answer:?}");
}

/// The response to a token that is signed with the API's own key, with this value of
/// `CLAIMS_MAPPING`.
async fn list_with(claims_mapping: &str) -> Answer {
    let authority = async |tenant: &str| {
        gateway(tenant, |request, mut document| {
            let query = format!("appid={API_CLIENT_ID}");
            if document.name == "keys" && request.original_uri().query() != Some(query.as_str()) {
                for key in document.body["keys"].as_array_mut().unwrap() {
                    key["kid"] = format!("not {}", key["kid"]).into();
                }
            }
            Json(document.body).into_response()
        })
        .await
    };
    let change = |environment: Environment| environment.with("CLAIMS_MAPPING", claims_mapping);
    let app = App::start_before(authority, change).await;
    let token = app.token("uma").await;
    app.send(Some(&token), Method::GET, "/todoitems", None).await
}
