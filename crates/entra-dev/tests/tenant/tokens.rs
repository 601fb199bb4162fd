//! The content of tokens.

use std::collections::HashMap;

use entra_dev::{
    Directory, Options, TokenError, access_token,
    ids::{API_CLIENT_ID, CONSUMERS, CONTOSO, FABRIKAM, SWAGGER_UI_CLIENT_ID},
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::support::{Form, NOW, TestTenant, new_folder};

#[tokio::test]
async fn an_access_token_has_the_claims_of_entra() {
    let tenant = TestTenant::start().await;
    let body = tenant.sign_in(CONTOSO, &Form::authorization(), "ada").await;
    let claims = verify(&tenant, body["access_token"].as_str().unwrap(), API_CLIENT_ID).await;
    for (name, expected) in [
        ("iss", json!(tenant.url(&format!("/{CONTOSO}/v2.0")))),
        ("iat", json!(NOW)),
        ("nbf", json!(NOW)),
        ("exp", json!(NOW + body["expires_in"].as_u64().unwrap())),
        ("azp", json!(SWAGGER_UI_CLIENT_ID)),
        ("azpacr", json!("0")),
        ("acct", json!(0)),
        ("name", json!("Ada Adler")),
        ("preferred_username", json!("ada@contoso.example")),
        ("roles", json!(["Admin"])),
        ("scp", json!("access_as_user")),
        ("tid", json!(CONTOSO)),
        ("ver", json!("2.0")),
    ] {
        assert_eq!(claims[name], expected, "{name}");
    }
    for opaque in ["aio", "rh", "sub", "uti"] {
        assert!(!claims[opaque].as_str().unwrap().is_empty(), "{opaque}");
    }
    for guid in ["oid", "tid", "aud", "azp"] {
        assert!(uuid::Uuid::try_parse(claims[guid].as_str().unwrap()).is_ok(), "{guid}");
    }
    assert_ne!(claims["sub"], claims["oid"]);
    // Only ID tokens have a nonce, and only app-only tokens have `idtyp`.
    for absent in ["nonce", "idtyp", "xms_cc", "email"] {
        assert!(claims.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn tokens_differ_by_tenant_roles_and_kind_of_person() {
    let tenant = TestTenant::start().await;
    for (name, tid, roles, acct) in [
        ("ada", CONTOSO, json!(["Admin"]), json!(0)),
        ("uma", CONTOSO, json!(["User"]), json!(0)),
        ("ulf", CONTOSO, json!(["User"]), json!(0)),
        ("noel", CONTOSO, Value::Null, json!(0)),
        ("gus", CONTOSO, json!(["User"]), json!(1)),
        ("pia", CONSUMERS, Value::Null, Value::Null),
        ("tia", FABRIKAM, json!(["Admin"]), json!(0)),
    ] {
        let body = tenant.sign_in("common", &Form::authorization(), name).await;
        let claims = verify(&tenant, body["access_token"].as_str().unwrap(), API_CLIENT_ID).await;
        assert_eq!(claims["tid"], tid, "{name}");
        assert_eq!(claims["iss"], tenant.url(&format!("/{tid}/v2.0")));
        assert_eq!(claims["roles"], roles, "{name}");
        assert_eq!(claims.get("roles").is_some(), !roles.is_null(), "{name}");
        assert_eq!(claims["acct"], acct, "{name}");
    }
}

#[tokio::test]
async fn subjects_are_stable_and_differ_between_people() {
    let tenant = TestTenant::start().await;
    let mut subjects = HashMap::new();
    for person in tenant.tenant.people() {
        for _ in 0..2 {
            let token = tenant.tenant.access_token(&person.name).unwrap();
            let claims = verify(&tenant, &token, API_CLIENT_ID).await;
            let subject = claims["sub"].as_str().unwrap().to_owned();
            let known = subjects.entry(subject).or_insert_with(|| person.oid.clone());
            assert_eq!(*known, person.oid);
        }
    }
    assert_eq!(subjects.len(), tenant.tenant.people().len());
}

#[tokio::test]
async fn an_id_token_is_issued_with_openid_for_the_client() {
    let tenant = TestTenant::start().await;
    let scope = format!("openid profile email api://{API_CLIENT_ID}/access_as_user");
    let form = Form::authorization().with("scope", &scope).with("nonce", "n-0S6_WzA2Mj");
    let body = tenant.sign_in(CONTOSO, &form, "uma").await;
    let id = verify(&tenant, body["id_token"].as_str().unwrap(), SWAGGER_UI_CLIENT_ID).await;
    assert_eq!(id["nonce"], "n-0S6_WzA2Mj");
    assert_eq!(id["name"], "Uma Ulrich");
    assert_eq!(id["email"], "uma@contoso.example");
    assert_eq!(id["preferred_username"], "uma@contoso.example");
    assert_eq!(id["tid"], CONTOSO);
    assert_eq!(id["ver"], "2.0");
    assert!(id.get("scp").is_none() && id.get("roles").is_none());
    let access = verify(&tenant, body["access_token"].as_str().unwrap(), API_CLIENT_ID).await;
    assert_eq!(id["oid"], access["oid"]);
    assert_ne!(id["sub"], access["sub"], "the subject is another one for another app");
}

#[tokio::test]
async fn an_id_token_has_only_the_requested_claims() {
    let tenant = TestTenant::start().await;
    let scope = format!("openid api://{API_CLIENT_ID}/access_as_user");
    let body = tenant.sign_in(CONTOSO, &Form::authorization().with("scope", &scope), "uma").await;
    let id = verify(&tenant, body["id_token"].as_str().unwrap(), SWAGGER_UI_CLIENT_ID).await;
    for absent in ["nonce", "name", "email", "preferred_username", "oid"] {
        assert!(id.get(absent).is_none(), "{absent}");
    }
}

#[tokio::test]
async fn a_token_without_a_server_verifies_against_a_server() {
    let folder = new_folder();
    let tenant = TestTenant::start_in(folder.clone()).await;
    let port = tenant.tenant.base_url().rsplit(':').next().unwrap().parse().unwrap();
    let options = Options {
        port,
        data_dir: Some(folder.clone()),
        clock: tenant.clock.clone(),
        ..Options::default()
    };
    for name in ["tia", "tia@fabrikam.example"] {
        let token = access_token(&options, name).unwrap();
        let claims = verify(&tenant, &token, API_CLIENT_ID).await;
        assert_eq!(claims["iss"], tenant.url(&format!("/{FABRIKAM}/v2.0")));
        assert_eq!(claims["azp"], SWAGGER_UI_CLIENT_ID);
        assert_eq!(claims["scp"], "access_as_user");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_token_for_an_unknown_person_lists_the_people() {
    let options = Options { data_dir: Some(new_folder()), ..Options::default() };
    let error = access_token(&options, "bob").unwrap_err();
    assert!(matches!(error, TokenError::UnknownPerson(_)));
    let text = error.to_string();
    let directory = Directory::default();
    let names: Vec<_> = directory.people().iter().map(|person| person.name.as_str()).collect();
    assert_eq!(text, format!("there is no person \"bob\"; choose one of: {}", names.join(", ")));
}

#[test]
fn a_token_needs_a_folder_and_a_port() {
    let options = Options { data_dir: None, ..Options::default() };
    assert!(matches!(access_token(&options, "ada"), Err(TokenError::KeysInMemory)));
    let options = Options { port: 0, ..Options::default() };
    assert!(matches!(access_token(&options, "ada"), Err(TokenError::AnyPort)));
}

/// The claims, verified with another library and the published keys. The issuer of the key is
/// checked, too.
async fn verify(tenant: &TestTenant, token: &str, audience: &str) -> Value {
    let header = decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    assert_eq!(header.alg, Algorithm::RS256);
    let kid = header.kid.unwrap();
    let document = tenant.get_json("/common/discovery/v2.0/keys").await;
    let keys = document["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    let part = |name: &str| key[name].as_str().unwrap();
    let decoding = DecodingKey::from_rsa_components(part("n"), part("e")).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[audience]);
    // The clock of the test differs from that of the machine.
    validation.validate_exp = false;
    let claims = decode::<Value>(token, &decoding, &validation).unwrap().claims;
    let issuer = part("issuer").replace("{tenantid}", claims["tid"].as_str().unwrap());
    assert_eq!(claims["iss"], issuer);
    let personal = claims["tid"] == CONSUMERS;
    assert_eq!(part("issuer").contains(CONSUMERS), personal);
    claims
}
