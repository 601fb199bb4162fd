//! Every kind of token that the API refuses, made by the development tenant's forge over HTTP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, App};

/// Forges a token over HTTP and sends it to the API.
async fn answer_to(app: &App, description: &Value) -> Answer {
    let url = format!("{}/_dev/tokens", app.tenant.base_url());
    let forged = app.client.post(url).json(description).send().await.unwrap();
    assert_eq!(forged.status(), StatusCode::OK, "{description}");
    let forged: Value = forged.json().await.unwrap();
    let token = forged["access_token"].as_str().unwrap();
    app.send(Some(token), Method::GET, "/todoitems", None).await
}

#[tokio::test]
async fn the_api_refuses_every_kind_of_forged_token() {
    let app = App::start().await;
    let now = app.clock.now();
    let claims = |claims: Value| json!({ "person": "uma", "claims": claims });
    let header = |header: Value| json!({ "person": "uma", "header": header });
    let cases = [
        ("no algorithm", json!({ "signed_with": "nothing" }), "three base64url parts"),
        ("no algorithm, but a signature", header(json!({ "alg": "none" })), "alg is not accepted"),
        ("HMAC with the public key", json!({ "signed_with": "hmac" }), "alg is not accepted"),
        ("another padding", json!({ "signed_with": "pss" }), "alg is not accepted"),
        ("another algorithm", header(json!({ "alg": "ES256" })), "alg is not accepted"),
        ("encrypted", json!({ "encrypted": true }), "encrypted (JWE)"),
        ("no key id", header(json!({ "kid": null })), "no kid"),
        (
            "an unknown key id",
            header(json!({ "kid": "unknown" })),
            "kid is not that of a signing key",
        ),
        ("a stranger's signature", json!({ "signed_with": "stranger" }), "signature is invalid"),
        (
            "the key of personal accounts",
            json!({ "person": "uma", "signed_with": "personal" }),
            "key that signed the token belongs to another issuer",
        ),
        ("a critical extension", header(json!({ "crit": ["exp"] })), "crit"),
        ("another type", header(json!({ "typ": "secevent+jwt" })), "typ"),
        ("a key in the header", header(json!({ "kid": null, "jwk": { "kty": "RSA" } })), "no kid"),
        ("expired", json!({ "person": "uma", "expires_in": -3_600 }), "has expired"),
        ("not valid yet", json!({ "person": "uma", "valid_in": 7_200 }), "not valid yet"),
        ("issued in the future", claims(json!({ "iat": now + 7_200 })), "issued in the future"),
        (
            "valid only after its end",
            claims(json!({ "nbf": now, "exp": now - 1 })),
            "nbf is later than its exp",
        ),
        (
            "a time as text",
            claims(json!({ "exp": (now + 3_600).to_string() })),
            "exp is not a date",
        ),
        ("no end", claims(json!({ "exp": null })), "no exp"),
        ("no subject", claims(json!({ "sub": null })), "no sub"),
        ("no user", claims(json!({ "oid": null })), "no oid"),
        ("no tenant", claims(json!({ "tid": null })), "no tid"),
        ("scopes as a list", claims(json!({ "scp": ["access_as_user"] })), "scp is not a string"),
        ("version 1", json!({ "person": "uma", "version": 1 }), "v1 token"),
        ("no version", claims(json!({ "ver": null })), "ver is neither"),
        (
            "another issuer",
            claims(json!({ "iss": "https://evil.example" })),
            "iss is not the issuer",
        ),
        ("another tenant", json!({ "person": "tia" }), "tenant is not allowed"),
        ("a personal account", json!({ "person": "pia" }), "tenant is not allowed"),
        (
            "another API",
            json!({ "person": "uma", "resource": "Reports API" }),
            "aud is not this API",
        ),
        (
            "Microsoft Graph",
            json!({ "resource": "https://graph.microsoft.com" }),
            "for Microsoft Graph",
        ),
        ("Microsoft Graph's nonce", header(json!({ "nonce": "n" })), "for Microsoft Graph"),
        (
            "neither scopes nor roles",
            claims(json!({ "scp": null, "roles": null })),
            "nobody consented",
        ),
        ("unscoped", claims(json!({ "scp": "/", "roles": null })), "nobody consented"),
        (
            "an app without permissions",
            json!({ "kind": "app", "client": "Command line" }),
            "nobody consented",
        ),
        ("an ID token", json!({ "kind": "id", "client": "Todo API" }), "This is an ID token"),
        ("an ID token of a client", json!({ "kind": "id" }), "aud is not this API"),
        ("a device", claims(json!({ "idtyp": "device" })), "idtyp"),
        ("another spelling of a kind", claims(json!({ "idtyp": "APP" })), "idtyp"),
        (
            "a user's roles only",
            claims(json!({ "scp": null })),
            "neither a user's access token nor an app's",
        ),
        (
            "bound to a certificate",
            claims(json!({ "cnf": { "x5t#S256": "x" } })),
            "bound to a key or a certificate",
        ),
        (
            "bound to a DPoP key",
            claims(json!({ "cnf": { "jkt": "x" } })),
            "bound to a key or a certificate",
        ),
        (
            "bound to a key",
            claims(json!({ "cnf": { "kid": "x" } })),
            "bound to a key or a certificate",
        ),
    ];
    for (case, description, detail) in cases {
        let answer = answer_to(&app, &description).await;
        assert_eq!(answer.status, 401, "{case}: {answer:?}");
        answer.assert_problem(401, "invalid_token");
        assert!(answer.body["detail"].as_str().unwrap().contains(detail), "{case}: {answer:?}");
    }
}

/// The tokens above have no other fault.
#[tokio::test]
async fn the_api_knows_a_forged_token_without_a_fault() {
    let app = App::start().await;
    for description in [
        json!({ "person": "uma" }),
        json!({ "person": "uma", "version": 2 }),
        json!({ "person": "uma", "signed_with": "next" }),
        // Too many groups matter only to a policy that requires one, and this API has none.
        json!({ "person": "uma", "claims": { "_claim_names": { "groups": "src1" } } }),
    ] {
        let answer = answer_to(&app, &description).await;
        assert_eq!(answer.status, StatusCode::OK, "{description}: {answer:?}");
    }
    let answer = answer_to(&app, &json!({ "kind": "app", "client": "Nightly job" })).await;
    answer.assert_problem(403, "insufficient_scope");
}

/// The README of `entra-dev` lists bodies for the forge.
#[tokio::test]
async fn the_api_refuses_the_forged_tokens_of_the_readme() {
    let app = App::start().await;
    let readme = include_str!("../../crates/entra-dev/README.md");
    let (_, table) = readme.split_once("| token | body |\n| --- | --- |\n").unwrap();
    let rows: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    let (groups, refused) = rows.split_last().unwrap();
    for row in refused {
        let bodies: Vec<_> = row.split('`').skip(1).step_by(2).collect();
        assert!(!bodies.is_empty(), "{row}");
        for body in bodies {
            let description = serde_json::from_str(body).unwrap();
            answer_to(&app, &description).await.assert_problem(401, "invalid_token");
        }
    }
    // This API has no policy that requires a group.
    let description = serde_json::from_str(groups.split('`').nth(1).unwrap()).unwrap();
    assert_eq!(answer_to(&app, &description).await.status, StatusCode::OK);
}
