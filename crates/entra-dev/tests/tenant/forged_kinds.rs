//! Forged tokens of another kind, version or algorithm, and encrypted ones.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use entra_dev::{
    Forgery, SignedWith, TokenKind,
    ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, SWAGGER_UI_CLIENT_ID},
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::{Value, json};

use crate::support::{PublishedKeys, TestTenant, token_header};

#[tokio::test]
async fn a_forged_token_can_start_as_another_kind() {
    let tenant = TestTenant::start().await;
    let keys = PublishedKeys::of(&tenant).await;
    let id = Forgery::of("uma").kind(TokenKind::Id);
    for token in [
        tenant.forged(json!({ "person": "uma", "kind": "id" })).await,
        tenant.tenant.forge(&id).unwrap(),
    ] {
        assert_eq!(keys.signer(&token), token_header(&token)["kid"].as_str());
        let claims = TestTenant::claims(&token);
        assert_eq!(claims["aud"], SWAGGER_UI_CLIENT_ID, "it is for the client");
        assert_eq!(claims["iss"], tenant.url(&format!("/{CONTOSO}/v2.0")));
        assert_eq!(claims["email"], "uma@contoso.example");
        assert_eq!(claims["nonce"].as_str().unwrap().len(), 43);
        assert_eq!(claims.get("scp"), None);
    }
    let token = tenant.forged(json!({ "kind": "id", "client": API_CLIENT_ID })).await;
    assert_eq!(TestTenant::claims(&token)["aud"], API_CLIENT_ID);

    let token = tenant.forged(json!({ "kind": "app", "client": "Nightly job" })).await;
    let claims = TestTenant::claims(&token);
    for (name, expected) in [
        ("aud", json!(API_CLIENT_ID)),
        ("azp", json!(DAEMON_CLIENT_ID)),
        ("azpacr", json!("1")),
        ("roles", json!(["Todos.ReadWrite.All"])),
        ("tid", json!(CONTOSO)),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
    assert_eq!(claims["oid"], claims["sub"]);
    assert_eq!(claims.get("scp"), None);
}

#[tokio::test]
async fn a_forged_token_can_have_either_version() {
    let tenant = TestTenant::start().await;
    for (version, ver, iss) in [(1, "1.0", ""), (2, "2.0", "v2.0")] {
        for kind in ["access", "app"] {
            let token = tenant.forged(json!({ "version": version, "kind": kind })).await;
            let claims = TestTenant::claims(&token);
            assert_eq!(claims["ver"], ver);
            assert_eq!(claims["iss"], tenant.url(&format!("/{CONTOSO}/{iss}")));
        }
    }
}

#[tokio::test]
async fn a_forged_token_can_use_another_algorithm() {
    let tenant = TestTenant::start().await;
    let document = tenant.get_json("/common/discovery/v2.0/keys").await;
    let published = &document["keys"][0];
    let public = public_key_pem(published["x5c"][0].as_str().unwrap());
    let part = |name: &str| published[name].as_str().unwrap();
    let rsa = DecodingKey::from_rsa_components(part("n"), part("e")).unwrap();
    for (name, signed_with, algorithm, key) in [
        ("hmac", SignedWith::Hmac, Algorithm::HS256, DecodingKey::from_secret(public.as_bytes())),
        ("pss", SignedWith::Pss, Algorithm::PS256, rsa),
    ] {
        for token in [
            tenant.forged(json!({ "signed_with": name })).await,
            tenant.tenant.forge(&Forgery::of("ada").signed_with(signed_with)).unwrap(),
        ] {
            assert_eq!(token_header(&token)["alg"], format!("{algorithm:?}"));
            assert_eq!(token_header(&token)["kid"], published["kid"]);
            let mut validation = Validation::new(algorithm);
            validation.set_audience(&[API_CLIENT_ID]);
            validation.validate_exp = false;
            decode::<Value>(&token, &key, &validation).unwrap();
        }
    }
}

#[tokio::test]
async fn a_forged_token_can_be_encrypted() {
    let tenant = TestTenant::start().await;
    for token in [
        tenant.forged(json!({ "encrypted": true })).await,
        tenant.tenant.forge(&Forgery::of("ada").encrypted()).unwrap(),
    ] {
        let parts: Vec<_> = token.split('.').collect();
        let lengths: Vec<_> = parts[1..]
            .iter()
            .map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap().len())
            .collect();
        let [256, 12, text, 16] = lengths[..] else { panic!("{lengths:?}") };
        let signed = tenant.forged(json!({})).await;
        assert!(text.abs_diff(signed.len()) < 8, "it contains a signed token");
        let header = token_header(&token);
        assert_eq!((&header["alg"], &header["enc"]), (&json!("RSA-OAEP"), &json!("A256GCM")));
        assert!(
            !PublishedKeys::of(&tenant).await.kids().contains(&header["kid"].as_str().unwrap())
        );
    }
}

/// The public key in a certificate with an RSA key of 2048 bits, as a PEM file.
fn public_key_pem(certificate: &str) -> String {
    // The length and the algorithm, which come before the key (RFC 8017, appendix A.1).
    let start = BASE64_STANDARD.decode("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A").unwrap();
    let der = BASE64_STANDARD.decode(certificate).unwrap();
    let at = der.windows(start.len()).position(|window| window == start).unwrap();
    let encoded = BASE64_STANDARD.encode(&der[at..at + 294]);
    let lines: Vec<_> = encoded.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}
