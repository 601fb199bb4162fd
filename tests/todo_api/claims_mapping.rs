//! An API with its own signing keys, as it has with a claims mapping policy. Entra publishes them
//! only at the address that contains the API's client id.

use entra_dev::Directory;
use reqwest::{Method, StatusCode};

use crate::support::{Answer, App, TestClock};

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

/// The response to a token of a tenant that signs with the API's own key, with this value of
/// `CLAIMS_MAPPING`.
async fn list_with(claims_mapping: &str) -> Answer {
    let name = "name = \"Todo API\"\n";
    let directory = Directory::EXAMPLE.replace(name, &format!("{name}own_signing_key = true\n"));
    let directory = Directory::parse(&directory, "".as_ref()).unwrap();
    let app = App::start_having(directory, TestClock::default(), |environment| {
        environment.with("CLAIMS_MAPPING", claims_mapping)
    })
    .await;
    let token = app.token("uma").await;
    app.send(Some(&token), Method::GET, "/todoitems", None).await
}
