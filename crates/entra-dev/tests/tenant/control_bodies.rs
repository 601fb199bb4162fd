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

#[tokio::test]
async fn the_wrong_member_of_a_body_is_named() {
    let tenant = TestTenant::start().await;
    for (method, path, body, pointer, detail) in [
        (
            Method::PUT,
            "/_dev/faults/token",
            json!({ "status": "500" }),
            "#/status",
            "invalid type: string \"500\", expected a whole number of 0 or more",
        ),
        (
            Method::PUT,
            "/_dev/clock",
            json!({ "offset": 1.5 }),
            "#/offset",
            "invalid type: floating point `1.5`, expected a whole number",
        ),
        (
            Method::POST,
            "/_dev/tokens",
            json!({ "claims": [] }),
            "#/claims",
            "invalid type: sequence, expected an object",
        ),
        (Method::POST, "/_dev/keys/rotate", json!({}), "#", "missing field `overlap`"),
        (
            Method::POST,
            "/_dev/keys/rotate",
            json!({ "overlap": true, "at": 1 }),
            "#/at",
            "unknown field `at`, expected `overlap`",
        ),
    ] {
        let request = tenant.browser.request(method, tenant.url(path));
        let request = request.header("content-type", "application/json");
        let answer = Answer::of(request.body(body.to_string())).await;
        answer.assert_problem(400, detail);
        let errors = json!([{ "pointer": pointer, "detail": detail }]);
        assert_eq!(answer.json()["errors"], errors, "{body}");
    }
}

#[tokio::test]
async fn a_reset_with_a_member_is_refused_and_changes_nothing() {
    let tenant = TestTenant::start().await;
    let name = "/_dev/directory/people/ada/display_name";
    assert_eq!(tenant.put_json(name, &json!("Anna Adler")).await.status, 200);
    let reset = "/_dev/directory/reset";
    let answer = tenant.post_json(reset, &json!({ "people": true })).await;
    answer.assert_problem(400, "unknown field `people`");
    tenant.post_json(reset, &json!([])).await.assert_problem(400, "must be a JSON object");
    assert_eq!(tenant.get_json(name).await, "Anna Adler");
    tenant.post_json(reset, &json!({})).await.assert_done();
    assert_eq!(tenant.get_json(name).await, "Ada Adler");
}
