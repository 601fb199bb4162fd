//! The issuer that each API expects in its access tokens.

use std::path::Path;

use entra_dev::{
    DevTenant, Directory, Options, Scheme, StartError, access_token,
    ids::{API_CLIENT_ID, CONTOSO},
};
use serde_json::Value;

use crate::support::{Form, PublishedKeys, TestTenant, new_folder, shared_keys, token_header};

/// An API for each value of `token_issuer`, and one of them for tokens of version 1.
const APIS: &str = r#"
[[apps]]
client_id = "b1000000-0000-4000-8000-000000000001"
name = "Plain API"
tenant = "Contoso"
scopes = ["read"]

[[apps]]
client_id = "b1000000-0000-4000-8000-000000000002"
name = "HTTP API"
tenant = "Contoso"
scopes = ["read"]
token_issuer = "http"

[[apps]]
client_id = "b1000000-0000-4000-8000-000000000003"
name = "HTTPS API"
tenant = "Contoso"
scopes = ["read"]
token_issuer = "https"

[[apps]]
client_id = "b1000000-0000-4000-8000-000000000004"
name = "Old HTTPS API"
tenant = "Contoso"
scopes = ["read"]
access_token_version = 1
token_issuer = "https"
"#;

fn directory() -> Directory {
    Directory::parse(&format!("{}{APIS}", Directory::EXAMPLE), Path::new("")).unwrap()
}

async fn token_for(tenant: &TestTenant, api: u8) -> String {
    let scope = format!("openid api://b1000000-0000-4000-8000-00000000000{api}/read");
    let form = Form::authorization().with("scope", &scope);
    let answer = tenant.sign_in(CONTOSO, &form, "uma").await;
    // The ID token is for the client, and names the listener that was asked.
    let id_token = TestTenant::claims(answer["id_token"].as_str().unwrap());
    assert_eq!(id_token["iss"], tenant.url(&format!("/{CONTOSO}/v2.0")));
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn access_tokens_name_the_issuer_that_their_api_expects() {
    for default in [Scheme::Http, Scheme::Https] {
        let options = Options {
            access_token_issuer: default.into(),
            directory: directory(),
            ..Options::ephemeral()
        };
        let tenant = TestTenant::start_with(shared_keys(), options).await;
        let at = |scheme, end: &str| match scheme {
            Scheme::Http => tenant.url(&format!("/{CONTOSO}/{end}")),
            Scheme::Https => tenant.https_url(&format!("/{CONTOSO}/{end}")),
        };
        for (api, expected) in [
            (1, at(default, "v2.0")),
            (2, at(Scheme::Http, "v2.0")),
            (3, at(Scheme::Https, "v2.0")),
            (4, at(Scheme::Https, "")),
        ] {
            let token = token_for(&tenant, api).await;
            assert_eq!(TestTenant::claims(&token)["iss"], expected, "{api}, {default:?}");
        }
    }
}

/// What a library checks that reads everything from one URL, as Microsoft.Identity.Web does.
#[tokio::test]
async fn discovery_and_keys_over_https_match_tokens_issued_by_https() {
    let options = Options { directory: directory(), ..Options::ephemeral() };
    let tenant = TestTenant::start_with(shared_keys(), options).await;
    let token = token_for(&tenant, 3).await;
    let browser = tenant.secure_browser();
    let url = tenant.https_url(&format!("/{CONTOSO}/v2.0/.well-known/openid-configuration"));
    let metadata: Value =
        serde_json::from_slice(&browser.get(url).send().await.unwrap().bytes().await.unwrap())
            .unwrap();
    let issuer = TestTenant::claims(&token)["iss"].clone();
    assert_eq!(metadata["issuer"], issuer);
    let keys = PublishedKeys::at(&browser, metadata["jwks_uri"].as_str().unwrap()).await;
    let signer = keys.signer(&token).unwrap();
    assert_eq!(token_header(&token)["kid"], signer);
    assert_eq!(issuer, keys.issuer(signer).replace("{tenantid}", CONTOSO));
}

#[tokio::test]
async fn an_api_that_expects_https_needs_the_https_listener() {
    let options = Options { https_port: None, directory: directory(), ..Options::ephemeral() };
    let error = DevTenant::start_with(options).await.err().unwrap();
    assert!(matches!(error, StartError::NoHttps), "{error}");
}

#[test]
fn a_token_without_a_server_names_the_issuer_that_the_api_expects() {
    let entry = format!("client_id = \"{API_CLIENT_ID}\"");
    let with = |more: &str| Directory::EXAMPLE.replacen(&entry, &format!("{entry}\n{more}"), 1);
    for (setting, default, expected) in [
        ("token_issuer = \"https\"", Scheme::Http, "https://localhost:2"),
        ("token_issuer = \"http\"", Scheme::Https, "http://localhost:1"),
        ("", Scheme::Https, "https://localhost:2"),
    ] {
        let folder = new_folder();
        let options = Options {
            port: 1,
            https_port: Some(2),
            access_token_issuer: default.into(),
            data_dir: Some(folder.clone()),
            directory: Directory::parse(&with(setting), Path::new("")).unwrap(),
            ..Options::default()
        };
        let claims = TestTenant::claims(&access_token(&options, "ada").unwrap());
        assert_eq!(claims["iss"], format!("{expected}/{CONTOSO}/v2.0"), "{setting}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
