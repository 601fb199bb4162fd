//! The bodies of the controls are JSON objects. Nothing else is accepted.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestTenant};

/// Each control with a body, and values that its members could have in the order of the code.
fn controls() -> [(Method, &'static str, Value); 4] {
    [
        (Method::PUT, "/_dev/clock", json!([5])),
        (Method::POST, "/_dev/tokens", json!(["uma"])),
        (Method::POST, "/_dev/keys/rotate", json!([true])),
        (Method::PUT, "/_dev/faults/token", json!([5, 503])),
    ]
}

#[tokio::test]
async fn a_body_that_is_not_an_object_is_refused_and_changes_nothing() {
    let tenant = TestTenant::start().await;
    let keys = tenant.get_json("/common/discovery/v2.0/keys").await;
    for (method, path, array) in controls() {
        for body in [&array.to_string(), "[]", "[{}]", "17", "\"uma\"", "null", "", " \n[5]"] {
            let request = tenant.browser.request(method.clone(), tenant.url(path));
            let request = request.header("content-type", "application/json").body(body.to_owned());
            Answer::of(request).await.assert_problem(400, "the body must be a JSON object");
        }
    }
    assert_eq!(tenant.get_json("/_dev/clock").await["offset"], 0);
    assert_eq!(tenant.get_json("/_dev/faults").await, json!({ "faults": [] }));
    assert_eq!(tenant.get_json("/common/discovery/v2.0/keys").await, keys);
}

#[tokio::test]
async fn white_space_around_the_object_is_accepted() {
    let tenant = TestTenant::start().await;
    let request = tenant.browser.put(tenant.url("/_dev/clock"));
    let request = request.header("content-type", "application/json");
    Answer::of(request.body("\r\n\t {\"offset\": 5}\n")).await.assert_done();
    assert_eq!(tenant.get_json("/_dev/clock").await["offset"], 5);
}
