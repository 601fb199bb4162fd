//! Key sets in which several entries have the same `kid`. RFC 7517 (section 4.5) says that they
//! should differ. The first usable entry is the key, and no other is tried, as in Microsoft's
//! validator.

use entra_dev::{Forgery, SignedWith};
use poem::{IntoResponse, web::Json};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{App, gateway};

const ACCEPTED: StatusCode = StatusCode::OK;
const REFUSED: StatusCode = StatusCode::UNAUTHORIZED;

#[tokio::test]
async fn of_keys_with_the_same_kid_the_first_usable_one_is_used() {
    let with = |name: &'static str, value: Value| {
        move |key: &Value| {
            let mut key = key.clone();
            key[name] = value.clone();
            key
        }
    };
    let pss = with("alg", json!("PS256"));
    let encryption = with("use", json!("enc"));
    let weak = with("e", json!("AQ"));
    let ec = |key: &Value| json!({ "kty": "EC", "crv": "P-256", "kid": key["kid"], "x": "AA", "y": "AA" });
    let same = Value::clone;
    // The entries, made from the key that signs tokens and another key with its `kid`; the response
    // to a token of each.
    type Entries<'a> = &'a dyn Fn(&Value, &Value) -> Vec<Value>;
    let rows: [(&str, Entries<'_>, StatusCode, StatusCode); 9] = [
        ("the same key twice", &|a, _| vec![same(a), same(a)], ACCEPTED, REFUSED),
        ("another key after it", &|a, b| vec![same(a), same(b)], ACCEPTED, REFUSED),
        ("another key before it", &|a, b| vec![same(b), same(a)], REFUSED, ACCEPTED),
        ("another algorithm before it", &|a, _| vec![pss(a), same(a)], ACCEPTED, REFUSED),
        ("another algorithm after it", &|a, b| vec![same(a), pss(b)], ACCEPTED, REFUSED),
        ("another type before it", &|a, _| vec![ec(a), same(a)], ACCEPTED, REFUSED),
        ("a key for encryption before it", &|a, b| vec![encryption(b), same(a)], ACCEPTED, REFUSED),
        ("a key that cannot be used before it", &|a, b| vec![weak(b), same(a)], ACCEPTED, REFUSED),
        ("only the other key can be used", &|a, b| vec![weak(a), same(b)], REFUSED, ACCEPTED),
    ];
    let app = App::start().await;
    let url = format!("{}/common/discovery/v2.0/keys", app.tenant.base_url());
    let published: Value = app.client.get(url).send().await.unwrap().json().await.unwrap();
    let [current, other, ..] = &published["keys"].as_array().unwrap()[..] else {
        panic!("{published}")
    };
    let kid = &current["kid"];
    let other = with("kid", kid.clone())(other);
    let signed_by_current = app.tenant.forge(&Forgery::of("uma")).unwrap();
    let mut forgery = Forgery::of("uma").header("kid", kid.clone());
    forgery.signed_with = SignedWith::Next;
    let signed_by_other = app.tenant.forge(&forgery).unwrap();

    for (name, entries, with_current, with_other) in rows {
        let keys = json!({ "keys": entries(current, &other) });
        let authority = gateway(app.tenant.base_url(), move |_, document| {
            let is_key_set = document.name == "keys";
            Json(if is_key_set { keys.clone() } else { document.body }).into_response()
        })
        .await;
        let api = app.another_with(|environment| environment.with("AAD_INSTANCE", authority)).await;
        for (token, expected) in
            [(&signed_by_current, with_current), (&signed_by_other, with_other)]
        {
            let answer = api.send(Some(token), Method::GET, "/todoitems", None).await;
            match expected {
                REFUSED => {
                    answer.assert_problem(401, "invalid_token");
                    let detail = answer.body["detail"].as_str().unwrap();
                    assert!(detail.contains("signature is invalid"), "{name}: {answer:?}");
                }
                expected => assert_eq!(answer.status, expected, "{name}: {answer:?}"),
            }
        }
        api.assert_ready().await;
    }
}
