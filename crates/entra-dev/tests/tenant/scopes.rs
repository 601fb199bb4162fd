//! Scopes: the API of a token, and its permissions.

use entra_dev::{
    Forgery,
    ids::{
        API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET, MICROSOFT_GRAPH,
        SWAGGER_UI_CLIENT_ID,
    },
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::support::{
    Answer, Form, MANY_SCOPES, MANY_SCOPES_ENTRIES, ORIGIN, PublishedKeys, TestTenant,
    client_credentials, on_behalf_of, token_header,
};

const REPORTS_API: &str = "88888888-8888-4888-8888-888888888888";
#[tokio::test]
async fn the_default_scope_grants_all_scopes_of_the_api() {
    let tenant = TestTenant::start_having(MANY_SCOPES_ENTRIES).await;
    for (asked, scp) in [
        ("{}/.default", "read write share"),
        ("{}/write", "write"),
        ("{}/share {}/read", "share read"),
        ("openid {}/.default offline_access", "read write share"),
    ] {
        let asked = asked.replace("{}", MANY_SCOPES);
        let form = Form::authorization().with("scope", &asked);
        let answer = tenant.sign_in(CONTOSO, &form, "ada").await;
        let claims = TestTenant::claims(answer["access_token"].as_str().unwrap());
        assert_eq!(claims["scp"], scp, "{asked}");
        assert_eq!(answer["scope"], asked.replace(" offline_access", ""));
    }
}

#[tokio::test]
async fn a_sign_in_for_two_apis_gives_a_token_for_each() {
    let tenant = TestTenant::start().await;
    let todo = format!("api://{API_CLIENT_ID}/access_as_user");
    let reports = format!("api://{REPORTS_API}/read");
    let form = Form::authorization().with("scope", &format!("{todo} {reports} offline_access"));

    let code = tenant.code_for(CONTOSO, &form, "ada").await;
    let redemption = Form::redemption(&code).with("scope", &reports);
    let first = tenant.redeem(CONTOSO, &redemption).await;
    let claims = TestTenant::claims(&first.token("access_token"));
    assert_eq!((&claims["aud"], &claims["scp"]), (&json!(REPORTS_API), &json!("read")));
    assert_eq!(first.json()["scope"], reports);

    let renewal = Form::empty()
        .with("grant_type", "refresh_token")
        .with("client_id", SWAGGER_UI_CLIENT_ID)
        .with("refresh_token", &first.token("refresh_token"));
    let second = tenant.redeem(CONTOSO, &renewal.clone().with("scope", &todo)).await;
    let claims = TestTenant::claims(&second.token("access_token"));
    assert_eq!((&claims["aud"], &claims["scp"]), (&json!(API_CLIENT_ID), &json!("access_as_user")));
    assert_eq!(second.json()["scope"], todo);

    // Without a scope, the token is for the first API. Scopes of both are refused.
    let answer = tenant.sign_in(CONTOSO, &form, "ada").await;
    assert_eq!(TestTenant::claims(answer["access_token"].as_str().unwrap())["aud"], API_CLIENT_ID);
    assert_eq!(answer["scope"], todo);
    let both = renewal.with("scope", &format!("{todo} {reports}"));
    tenant.redeem(CONTOSO, &both).await.assert_refusal(400, "invalid_scope", 28000);
    let code = Form::redemption(&tenant.code("uma").await);
    let several = format!("{todo} User.Read");
    for form in [
        code.with("scope", &several),
        on_behalf_of(&tenant.tenant.access_token("uma").unwrap(), &several),
    ] {
        let answer = match form.encoded().contains("assertion") {
            true => tenant.post("token", &form).await,
            false => tenant.redeem(CONTOSO, &form).await,
        };
        answer.assert_refusal(400, "invalid_scope", 28000);
    }
}

#[tokio::test]
async fn without_an_api_the_token_is_for_microsoft_graph() {
    let tenant = TestTenant::start().await;
    let keys = PublishedKeys::of(&tenant).await;
    for (scope, scp) in [
        ("openid profile email", "openid profile email"),
        ("openid", "openid"),
        ("openid User.Read", "User.Read openid"),
        ("openid https://graph.microsoft.com/User.Read", "User.Read openid"),
    ] {
        let form = Form::authorization().with("scope", scope).with("nonce", "n-0S6_WzA2Mj");
        let answer = tenant.sign_in(CONTOSO, &form, "uma").await;
        assert_eq!(answer["scope"], scope);
        let token = answer["access_token"].as_str().unwrap();
        let claims = TestTenant::claims(token);
        assert_eq!(claims["aud"], "https://graph.microsoft.com");
        assert_eq!((&claims["ver"], &claims["scp"]), (&json!("1.0"), &json!(scp)));
        // As in Entra: only Graph can verify such a token.
        let nonce = token_header(token)["nonce"].as_str().unwrap().to_owned();
        assert!(nonce.len() > 20 && nonce != "n-0S6_WzA2Mj", "{nonce}");
        assert_eq!(keys.signer(token), Some(keys.kids()[0]));
    }
    let token = tenant.tenant.access_token("uma").unwrap();
    assert_eq!(token_header(&token).get("nonce"), None, "a token for another API has none");
    let form = Form::authorization().with("scope", &format!("{MICROSOFT_GRAPH}/User.Read"));
    let answer = tenant.sign_in(CONTOSO, &form, "uma").await;
    let claims = TestTenant::claims(answer["access_token"].as_str().unwrap());
    assert_eq!(claims["aud"], "https://graph.microsoft.com");
}

/// A person without a last name.
const MONONYM: &str = r#"
[[people]]
name = "mono"
display_name = "Mononym"
sign_in_name = "mono@contoso.example"
oid = "d2000000-0000-4000-8000-000000000001"
tenant = "Contoso"
"#;

#[tokio::test]
async fn user_information_has_the_subject_of_the_id_token() {
    let tenant = TestTenant::start_having(MONONYM).await;
    let document = tenant.get_json("/common/v2.0/.well-known/openid-configuration").await;
    let picture = "https://graph.microsoft.com/v1.0/me/photo/$value";
    let endpoint = document["userinfo_endpoint"].as_str().unwrap();
    for (account, scope, told) in [
        (
            "uma",
            "openid profile email",
            json!({
                "name": "Uma Ulrich",
                "family_name": "Ulrich",
                "given_name": "Uma",
                "picture": picture,
                "email": "uma@contoso.example",
            }),
        ),
        (
            "mono",
            "openid profile",
            json!({ "name": "Mononym", "given_name": "Mononym", "picture": picture }),
        ),
        ("pia", "openid email", json!({ "email": "pia@contoso.example" })),
        ("tia", "openid", json!({})),
    ] {
        let form = Form::authorization().with("scope", scope);
        let answer = tenant.sign_in("common", &form, account).await;
        let id = TestTenant::claims(answer["id_token"].as_str().unwrap());
        let mut expected = told.as_object().unwrap().clone();
        expected.insert("sub".to_owned(), id["sub"].clone());
        let token = answer["access_token"].as_str().unwrap();
        for request in [tenant.browser.get(endpoint), tenant.browser.post(endpoint)] {
            let answer = Answer::of(request.bearer_auth(token).header("origin", ORIGIN)).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(answer.json(), Value::Object(expected.clone()), "{account}, {scope}");
            assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        }
    }
}

#[tokio::test]
async fn user_information_needs_a_token_for_graph() {
    let tenant = TestTenant::start().await;
    let form = Form::authorization().with("scope", "openid");
    let answer = tenant.sign_in(CONTOSO, &form, "uma").await;
    let good = answer["access_token"].as_str().unwrap().to_owned();
    // It has the claim for the client that only version 1 has.
    let for_todo = Forgery::of("uma").claim("appid", SWAGGER_UI_CLIENT_ID);
    let for_todo = tenant.tenant.forge(&for_todo).unwrap();
    let graph = "https://graph.microsoft.com/.default";
    let form = client_credentials(DAEMON_CLIENT_ID, DAEMON_SECRET, graph);
    let of_an_app = tenant.post("token", &form).await.token("access_token");
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let tampered = format!("{signed}.{}", signature.chars().rev().collect::<String>());

    let ask = || tenant.browser.get(tenant.url("/oidc/userinfo"));
    let refused: [(&str, RequestBuilder); 8] = [
        ("none", ask()),
        ("no token at all", ask().bearer_auth("not-a-token")),
        ("another API's", ask().bearer_auth(for_todo)),
        ("an app's", ask().bearer_auth(of_an_app)),
        ("an ID token", ask().bearer_auth(answer["id_token"].as_str().unwrap())),
        ("another signature", ask().bearer_auth(tampered)),
        ("another scheme", ask().header("authorization", format!("Basic {good}"))),
        ("two header fields", ask().bearer_auth(&good).bearer_auth(&good)),
    ];
    for (name, request) in refused {
        assert_unauthorized(name, &Answer::of(request).await);
    }
    assert_eq!(Answer::of(ask().bearer_auth(&good)).await.status, 200);
    tenant.clock.advance(5400);
    assert_unauthorized("expired", &Answer::of(ask().bearer_auth(&good)).await);
}

#[track_caller]
fn assert_unauthorized(name: &str, answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, ""), "{name}");
    let challenge = answer.header("www-authenticate");
    assert_eq!(challenge, Some("Bearer error=\"invalid_token\""), "{name}");
}
