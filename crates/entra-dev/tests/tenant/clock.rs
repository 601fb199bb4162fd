//! The clock of the tenant, which tests can shift.

use entra_dev::ids::CONTOSO;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Form, NOW, TestTenant};

const PATH: &str = "/_dev/clock";

#[tokio::test]
async fn the_clock_can_be_read_and_moved() {
    let tenant = TestTenant::start().await;
    let answer = tenant.get(PATH).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.json(), json!({ "now": NOW, "offset": 0 }));
    for offset in [3600, -3600] {
        tenant.put_json(PATH, &json!({ "offset": offset })).await.assert_done();
        let now = NOW.saturating_add_signed(offset);
        assert_eq!(tenant.get_json(PATH).await, json!({ "now": now, "offset": offset }));
        let answer = tenant.sign_in(CONTOSO, &Form::authorization(), "ada").await;
        let claims = TestTenant::claims(answer["access_token"].as_str().unwrap());
        assert_eq!((&claims["iat"], &claims["nbf"]), (&json!(now), &json!(now)));
        assert_eq!(claims["exp"], now + answer["expires_in"].as_u64().unwrap());
    }
    // The clock it was given still moves it.
    tenant.clock.advance(5);
    assert_eq!(tenant.get_json(PATH).await, json!({ "now": NOW - 3595, "offset": -3600 }));
}

#[tokio::test]
async fn codes_and_tokens_expire_by_the_shifted_clock() {
    let tenant = TestTenant::start().await;
    let code = tenant.code("ada").await;
    let form = Form::authorization().with("scope", "openid");
    let token =
        tenant.sign_in(CONTOSO, &form, "ada").await["access_token"].as_str().unwrap().to_owned();
    let user_information = || {
        let request = tenant.browser.get(tenant.url("/oidc/userinfo"));
        Answer::of(request.bearer_auth(&token))
    };
    assert_eq!(user_information().await.status, StatusCode::OK);

    tenant.put_json(PATH, &json!({ "offset": 600 })).await.assert_done();
    let answer = tenant.redeem(CONTOSO, &Form::redemption(&code)).await;
    answer.assert_refusal(400, "invalid_grant", 70008);
    assert_eq!(answer.json()["timestamp"], "2026-11-24 22:10:00Z");
    assert_eq!(user_information().await.status, StatusCode::OK);
    tenant.put_json(PATH, &json!({ "offset": 5400 })).await.assert_done();
    assert_eq!(user_information().await.status, StatusCode::UNAUTHORIZED);

    // When the clock is set back, both are valid again.
    tenant.put_json(PATH, &json!({ "offset": 0 })).await.assert_done();
    assert_eq!(user_information().await.status, StatusCode::OK);
    let answer = tenant.redeem(CONTOSO, &Form::redemption(&code)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn the_clock_can_be_moved_without_http() {
    let tenant = TestTenant::start().await;
    tenant.tenant.set_clock_offset(-86_400);
    assert_eq!(tenant.get_json(PATH).await, json!({ "now": NOW - 86_400, "offset": -86_400 }));
    let token = tenant.tenant.access_token("ada").unwrap();
    assert_eq!(TestTenant::claims(&token)["iat"], NOW - 86_400);
    let page = tenant.get("/_dev").await.body;
    assert!(page.contains("86400 seconds behind"), "{page}");
}

#[tokio::test]
async fn extreme_clock_offsets_are_accepted() {
    let tenant = TestTenant::start().await;
    for offset in [i64::MIN, i64::MAX] {
        tenant.put_json(PATH, &json!({ "offset": offset })).await.assert_done();
        let answer = tenant.sign_in(CONTOSO, &Form::authorization(), "ada").await;
        let claims = TestTenant::claims(answer["access_token"].as_str().unwrap());
        assert_eq!(claims["iat"], NOW.saturating_add_signed(offset));
        assert_eq!(tenant.get("/_dev").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_invalid_clock_offset_is_refused() {
    let tenant = TestTenant::start().await;
    for (body, detail) in [
        (json!({}), "missing field `offset`"),
        (json!({ "offset": 1.5 }), "invalid type: floating point"),
        (json!({ "offset": 1, "now": 2 }), "unknown field `now`"),
        (Value::Null, "the body must be a JSON object"),
    ] {
        tenant.put_json(PATH, &body).await.assert_problem(400, detail);
    }
    let request = tenant.browser.put(tenant.url(PATH)).body("{\"offset\":60}");
    Answer::of(request).await.assert_problem(415, "application/json");
    assert_eq!(tenant.get_json(PATH).await["offset"], 0);
}
