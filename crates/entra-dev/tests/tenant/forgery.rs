//! Forged tokens.

use entra_dev::{
    ForgeError, Forgery, SignedWith,
    ids::{API_CLIENT_ID, CONSUMERS, CONTOSO, FABRIKAM, SWAGGER_UI_CLIENT_ID},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, NOW, PublishedKeys, TestTenant, token_header};

const PATH: &str = "/_dev/tokens";

#[tokio::test]
async fn a_forged_token_starts_as_a_real_one() {
    let tenant = TestTenant::start().await;
    let keys = PublishedKeys::of(&tenant).await;
    for token in [
        tenant.forged(json!({ "person": "tia" })).await,
        tenant.tenant.forge(&Forgery::of("tia@fabrikam.example")).unwrap(),
    ] {
        let claims = TestTenant::claims(&token);
        for (name, expected) in [
            ("aud", json!(API_CLIENT_ID)),
            ("iss", json!(tenant.url(&format!("/{FABRIKAM}/v2.0")))),
            ("azp", json!(SWAGGER_UI_CLIENT_ID)),
            ("iat", json!(NOW)),
            ("nbf", json!(NOW)),
            ("roles", json!(["Admin"])),
            ("scp", json!("access_as_user")),
            ("tid", json!(FABRIKAM)),
        ] {
            assert_eq!(claims[name], expected, "{name}");
        }
        assert_eq!(keys.signer(&token), token_header(&token)["kid"].as_str());
    }
    // The default is the first person.
    let token = tenant.forged(json!({})).await;
    assert_eq!(TestTenant::claims(&token)["preferred_username"], "ada@contoso.example");
}

#[tokio::test]
async fn a_forged_token_can_be_of_any_client_and_api() {
    let tenant = TestTenant::start().await;
    let (client, api) =
        ("77777777-7777-4777-8777-777777777777", "88888888-8888-4888-8888-888888888888");
    for resource in [api.to_owned(), format!("api://{api}")] {
        let token = tenant.forged(json!({ "client": client, "resource": resource })).await;
        let claims = TestTenant::claims(&token);
        assert_eq!((&claims["azp"], &claims["aud"]), (&json!(client), &json!(api)));
        assert_eq!(claims["scp"], "read");
    }
}

#[tokio::test]
async fn a_forged_token_for_graph_has_a_nonce_in_its_header() {
    let tenant = TestTenant::start().await;
    let graph = "https://graph.microsoft.com";
    let mut forgery = Forgery::of("ada");
    forgery.resource = Some(graph.to_owned());
    for token in [
        tenant.forged(json!({ "resource": graph, "signed_with": "stranger" })).await,
        tenant.tenant.forge(&forgery).unwrap(),
    ] {
        assert_eq!(TestTenant::claims(&token)["aud"], graph);
        assert_eq!(token_header(&token)["nonce"].as_str().unwrap().len(), 43);
    }
    let without = tenant.forged(json!({ "resource": graph, "header": { "nonce": null } })).await;
    let others = tenant.forged(json!({})).await;
    for token in [without, others] {
        assert_eq!(token_header(&token).get("nonce"), None);
    }
}

#[tokio::test]
async fn claims_and_header_can_be_replaced_added_and_removed() {
    let tenant = TestTenant::start().await;
    let keys = PublishedKeys::of(&tenant).await;
    let description = json!({
        "person": "uma",
        "claims": { "iss": "https://evil.example/", "roles": null, "new": { "deep": [1, null] } },
        "header": { "typ": "at+jwt", "kid": null, "crit": ["b64"] },
    });
    let forgery = Forgery::of("uma")
        .claim("iss", "https://evil.example/")
        .claim("roles", Value::Null)
        .claim("new", json!({ "deep": [1, null] }))
        .header("typ", "at+jwt")
        .header("kid", Value::Null)
        .header("crit", json!(["b64"]));
    for token in [tenant.forged(description).await, tenant.tenant.forge(&forgery).unwrap()] {
        let claims = TestTenant::claims(&token);
        assert_eq!(claims["iss"], "https://evil.example/");
        assert_eq!(claims.get("roles"), None);
        assert_eq!(claims["new"], json!({ "deep": [1, null] }));
        assert_eq!(claims["preferred_username"], "uma@contoso.example");
        assert_eq!(
            token_header(&token),
            json!({ "typ": "at+jwt", "alg": "RS256", "crit": ["b64"] })
        );
        assert_eq!(keys.signer(&token), Some(keys.kids()[0]), "it is signed all the same");
    }
}

#[tokio::test]
async fn a_forged_token_can_have_only_the_given_claims() {
    let tenant = TestTenant::start().await;
    let keys = PublishedKeys::of(&tenant).await;
    let claims = json!({ "sub": "somebody" });
    let description = json!({ "claims": claims, "only_these_claims": true });
    for token in [
        tenant.forged(description).await,
        tenant.tenant.forge(&Forgery::exactly(claims.clone())).unwrap(),
    ] {
        assert_eq!(TestTenant::claims(&token), claims);
        assert_eq!(keys.signer(&token), Some(keys.kids()[0]));
    }
}

#[tokio::test]
async fn an_expired_forged_token_was_valid_before() {
    let tenant = TestTenant::start().await;
    for seconds in [0, -1, -3600] {
        let description = json!({ "person": "uma", "expires_in": seconds });
        let forgery = Forgery::of("uma").expires_in(seconds);
        for token in [tenant.forged(description).await, tenant.tenant.forge(&forgery).unwrap()] {
            let claims = TestTenant::claims(&token);
            let exp = claims["exp"].as_u64().unwrap();
            assert_eq!(exp, NOW.saturating_add_signed(seconds));
            assert!((3600..=5399).contains(&(exp - claims["nbf"].as_u64().unwrap())), "{claims}");
            assert_eq!(claims["iat"], claims["nbf"]);
        }
    }
    let soon = TestTenant::claims(&tenant.forged(json!({ "expires_in": 1 })).await);
    assert_eq!((&soon["nbf"], &soon["exp"]), (&json!(NOW), &json!(NOW + 1)));
}

#[tokio::test]
async fn a_forged_token_that_is_not_valid_yet_will_be() {
    let tenant = TestTenant::start().await;
    let forgery = Forgery::of("uma").valid_in(7200);
    for token in
        [tenant.forged(json!({ "valid_in": 7200 })).await, tenant.tenant.forge(&forgery).unwrap()]
    {
        let claims = TestTenant::claims(&token);
        assert_eq!((&claims["iat"], &claims["nbf"]), (&json!(NOW), &json!(NOW + 7200)));
        let lifetime = claims["exp"].as_u64().unwrap() - (NOW + 7200);
        assert!((3600..=5399).contains(&lifetime), "{claims}");
    }
    let old = TestTenant::claims(&tenant.forged(json!({ "valid_in": -7200 })).await);
    assert_eq!(old["nbf"], NOW - 7200);
    assert!(old["exp"].as_u64().unwrap() >= NOW + 3600, "it counts still: {old}");
}

#[tokio::test]
async fn a_forged_token_can_be_expired_and_not_yet_valid() {
    let tenant = TestTenant::start().await;
    let description = json!({ "expires_in": -120, "valid_in": 300 });
    let forgery = Forgery::of("ada").expires_in(-120).valid_in(300);
    for token in [tenant.forged(description).await, tenant.tenant.forge(&forgery).unwrap()] {
        let claims = TestTenant::claims(&token);
        assert_eq!(claims["exp"], NOW - 120);
        assert_eq!(claims["nbf"], NOW + 300);
        assert_eq!(claims["iat"], NOW);
    }
    let given = json!({ "expires_in": -120, "claims": { "iat": null, "nbf": NOW } });
    let claims = TestTenant::claims(&tenant.forged(given).await);
    assert_eq!((&claims["nbf"], claims.get("iat")), (&json!(NOW), None));
    let only = json!({ "expires_in": -120, "only_these_claims": true });
    let claims = TestTenant::claims(&tenant.forged(only).await);
    assert_eq!(claims, json!({ "exp": NOW - 120 }));
}

#[tokio::test]
async fn each_key_signs_with_its_own_key_id() {
    let tenant = TestTenant::start().await;
    let keys = PublishedKeys::of(&tenant).await;
    let [current, next, personal] = keys.kids()[..] else { panic!("there are three keys") };
    for (name, key, kid) in [
        ("current", SignedWith::Current, current),
        ("next", SignedWith::Next, next),
        ("personal", SignedWith::Personal, personal),
    ] {
        for token in [
            tenant.forged(json!({ "person": "ada", "signed_with": name })).await,
            tenant.tenant.forge(&Forgery::of("ada").signed_with(key)).unwrap(),
        ] {
            assert_eq!(token_header(&token)["kid"], kid, "{name}");
            assert_eq!(keys.signer(&token), Some(kid), "{name}");
            assert_eq!(TestTenant::claims(&token)["tid"], CONTOSO);
        }
    }
    // The current key for a personal account is that of personal accounts.
    let token = tenant.forged(json!({ "person": "pia", "signed_with": "current" })).await;
    assert_eq!(keys.signer(&token), Some(personal));
    assert!(keys.issuer(personal).contains(CONSUMERS));
}

#[tokio::test]
async fn the_unpublished_key_uses_the_id_of_the_current_one() {
    let tenant = TestTenant::start().await;
    let token = tenant.forged(json!({ "signed_with": "stranger" })).await;
    let other = tenant.tenant.forge(&Forgery::of("ada").signed_with(SignedWith::Stranger)).unwrap();
    let keys = PublishedKeys::of(&tenant).await;
    for token in [token, other] {
        assert_eq!(token_header(&token)["kid"], keys.kids()[0]);
        assert_eq!(token_header(&token)["alg"], "RS256");
        assert_eq!(token.rsplit('.').next().unwrap().len(), 342, "256 bytes in base64url");
        assert_eq!(keys.signer(&token), None);
    }
    assert_eq!(keys.kids().len(), 3, "the stranger's key is not published");
}

#[tokio::test]
async fn a_forged_token_can_be_unsigned() {
    let tenant = TestTenant::start().await;
    let keys = PublishedKeys::of(&tenant).await;
    for token in [
        tenant.forged(json!({ "signed_with": "nothing" })).await,
        tenant.tenant.forge(&Forgery::of("ada").signed_with(SignedWith::Nothing)).unwrap(),
    ] {
        assert_eq!(token_header(&token)["alg"], "none");
        assert!(token.ends_with('.') && token.matches('.').count() == 2, "{token}");
        assert_eq!(keys.signer(&token), None);
    }
}

#[tokio::test]
async fn a_forged_token_can_refer_to_apps_by_name() {
    let tenant = TestTenant::start().await;
    let description = json!({ "client": "Command line", "resource": "reports api" });
    let claims = TestTenant::claims(&tenant.forged(description).await);
    assert_eq!(claims["azp"], "66666666-6666-4666-8666-666666666666");
    assert_eq!(claims["aud"], "88888888-8888-4888-8888-888888888888");
}

#[tokio::test]
async fn unknown_people_and_apps_are_named_in_the_error() {
    let tenant = TestTenant::start().await;
    for (description, detail) in [
        (json!({ "person": "bob" }), "there is no person \"bob\"; choose one of: ada, uma"),
        (json!({ "client": "bob" }), "there is no client \"bob\"; choose one of: Todo API, "),
        (json!({ "resource": "bob" }), "there is no resource \"bob\"; choose one of: Todo API, "),
        (json!({ "persona": "ada" }), "unknown field `persona`"),
        (json!({ "signed_with": "thin air" }), "unknown variant `thin air`"),
        (json!({ "kind": "refresh" }), "unknown variant `refresh`"),
        (json!({ "version": 3 }), "there is no version 3 of access tokens; choose 1 or 2"),
        (json!({ "encrypted": 1 }), "invalid type: integer"),
        (json!({ "claims": [] }), "expected an object"),
        (json!({ "expires_in": "soon" }), "invalid type: string"),
        (json!(17), "the body must be a JSON object"),
    ] {
        tenant.post_json(PATH, &description).await.assert_problem(400, detail);
    }
    let error = tenant.tenant.forge(&Forgery::of("bob")).unwrap_err();
    assert!(matches!(error, ForgeError::UnknownPerson(_)), "{error}");
}

#[tokio::test]
async fn only_json_up_to_64_kib_is_accepted() {
    let tenant = TestTenant::start().await;
    let post = |media_type: &str, body: String| {
        let request = tenant.browser.post(tenant.url(PATH)).header("content-type", media_type);
        Answer::of(request.body(body))
    };
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        post(media_type, "{}".to_owned()).await.assert_problem(415, "application/json");
    }
    let answer = Answer::of(tenant.browser.post(tenant.url(PATH)).body("{}")).await;
    answer.assert_problem(415, "application/json");
    post("application/json", "{".to_owned()).await.assert_problem(400, "EOF while parsing");
    let large = json!({ "claims": { "padding": "x".repeat(64 * 1024) } }).to_string();
    post("application/json", large).await.assert_problem(413, "64 KiB");
    let answer = post("Application/JSON; charset=utf-8", "{}".to_owned()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_controls() {
    let tenant = TestTenant::start().await;
    for (method, path) in [
        (Method::POST, PATH),
        (Method::POST, "/_dev/keys/rotate"),
        (Method::PUT, "/_dev/clock"),
        (Method::PUT, "/_dev/faults/keys"),
        (Method::DELETE, "/_dev/faults"),
        (Method::GET, "/_dev/audit"),
    ] {
        let preflight = tenant
            .browser
            .request(Method::OPTIONS, tenant.url(path))
            .header("origin", "http://localhost:8000")
            .header("access-control-request-method", method.as_str())
            .header("access-control-request-headers", "content-type");
        let simple =
            tenant.browser.request(method, tenant.url(path)).header("origin", "null").body("{}");
        for request in [preflight, simple.header("content-type", "text/plain")] {
            let answer = Answer::of(request).await;
            let names = answer.headers.keys().map(|name| name.as_str().to_owned());
            let cors: Vec<_> = names.filter(|name| name.starts_with("access-control-")).collect();
            assert_eq!(cors, Vec::<String>::new(), "{path}");
        }
    }
    let answer = Answer::of(tenant.browser.request(Method::OPTIONS, tenant.url(PATH))).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(tenant.get(PATH).await.status, StatusCode::METHOD_NOT_ALLOWED);
}
