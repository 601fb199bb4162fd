//! Apps with a signing key of their own, as Entra gives them for claims mapping.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use entra_dev::{
    DevTenant, Directory, Forgery, Options, access_token,
    ids::{API_CLIENT_ID, CONTOSO},
};
use serde_json::json;

use crate::support::{
    Answer, Form, Program, PublishedKeys, TestTenant, WEB, claims, new_folder, reports_scope, text,
    token_header,
};

/// An API that also signs people in, and that calls other APIs. One more app has its own key.
const APPS: &str = r#"
[[apps]]
client_id = "b5000000-0000-4000-8000-000000000001"
name = "Mapped API"
tenant = "Contoso"
own_signing_key = true
scopes = ["read"]
secrets = ["mapped-secret"]
redirect_uris.web = ["http://localhost/auth/callback"]

[[apps]]
client_id = "b5000000-0000-4000-8000-000000000002"
name = "Other mapped API"
tenant = "Contoso"
own_signing_key = true
access_token_version = 1
scopes = ["read"]
"#;
const MAPPED: Program = Program {
    client_id: "b5000000-0000-4000-8000-000000000001",
    secret: Some("mapped-secret"),
    ..WEB
};
const OTHER: &str = "b5000000-0000-4000-8000-000000000002";
const UNKNOWN: &str = "b5000000-0000-4000-8000-000000000009";

fn directory() -> Directory {
    Directory::parse(&format!("{}{APPS}", Directory::EXAMPLE), Path::new("")).unwrap()
}

async fn start_in(folder: PathBuf) -> TestTenant {
    let options = Options { directory: directory(), ..Options::ephemeral() };
    TestTenant::start_with(folder, options).await
}

async fn keys_of(tenant: &TestTenant, appid: &str) -> PublishedKeys {
    let url = tenant.url(&format!("/{CONTOSO}/discovery/v2.0/keys?appid={appid}"));
    PublishedKeys::at(&tenant.browser, &url).await
}

/// The access token of a person for this API.
async fn token_for(tenant: &TestTenant, api: &str, account: &str) -> String {
    let form = Form::authorization().with("scope", &format!("api://{api}/read"));
    text(&tenant.sign_in("common", &form, account).await, "access_token")
}

#[tokio::test]
async fn the_tokens_of_an_app_are_signed_with_its_own_key() {
    let tenant = TestTenant::start_having(APPS).await;
    let general = PublishedKeys::of(&tenant).await;
    let own = keys_of(&tenant, MAPPED.client_id).await;
    let other = keys_of(&tenant, OTHER).await;
    let [kid] = own.kids()[..] else { panic!("one key: {:?}", own.kids()) };
    let [other_kid] = other.kids()[..] else { panic!("one key: {:?}", other.kids()) };
    let all: HashSet<_> = general.kids().into_iter().chain([kid, other_kid]).collect();
    assert_eq!(all.len(), 5, "the key is in the key set of its app only");
    assert_eq!(own.issuer(kid), tenant.url("/{tenantid}/v2.0"));

    let id_token = text(&MAPPED.sign_in(&tenant, "openid", "uma").await, "id_token");
    for token in [
        token_for(&tenant, MAPPED.client_id, "uma").await,
        // It signs for all accounts.
        token_for(&tenant, MAPPED.client_id, "pia").await,
        // An ID token is for the client.
        id_token,
        tenant.forged(json!({ "resource": MAPPED.client_id })).await,
    ] {
        assert_eq!(token_header(&token)["kid"], kid);
        assert_eq!(own.signer(&token), Some(kid));
        assert_eq!((general.signer(&token), other.signer(&token)), (None, None));
    }
    // What the app gets for another API has nothing to do with its key.
    let answer = MAPPED.sign_in(&tenant, &reports_scope(), "uma").await;
    assert_eq!(general.signer(&text(&answer, "access_token")), Some(general.kids()[0]));
}

#[tokio::test]
async fn discovery_leads_to_the_key_of_the_app() {
    let tenant = TestTenant::start_having(APPS).await;
    for (base, browser) in tenant.listeners() {
        for (discovery, keys) in [
            ("v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"),
            (".well-known/openid-configuration", "discovery/keys"),
        ] {
            for segment in [CONTOSO, "common"] {
                let url = format!("{base}/{segment}/{discovery}?appid={OTHER}");
                let answer = Answer::of(browser.get(url)).await;
                let jwks_uri = answer.json()["jwks_uri"].as_str().unwrap().to_owned();
                assert_eq!(jwks_uri, format!("{base}/{segment}/{keys}?appid={OTHER}"));
                let own = PublishedKeys::at(&browser, &jwks_uri).await;
                let token = token_for(&tenant, OTHER, "uma").await;
                assert_eq!(own.signer(&token), token_header(&token)["kid"].as_str());
                assert_eq!(own.kids().len(), 1);
            }
        }
    }
}

/// Microsoft does not say what Entra answers for an unknown app. Some libraries always send
/// `appid`, so an app without its own key must get the keys of the tenant.
#[tokio::test]
async fn an_app_without_its_own_key_has_the_keys_of_the_tenant() {
    let tenant = TestTenant::start_having(APPS).await;
    let general = PublishedKeys::of(&tenant).await;
    for (appid, encoded) in [
        (API_CLIENT_ID, API_CLIENT_ID),
        (UNKNOWN, UNKNOWN),
        ("no%20guid%26x%3D1", "no+guid%26x%3D1"),
    ] {
        assert_eq!(keys_of(&tenant, appid).await.kids(), general.kids(), "{appid}");
        let path = format!("/{CONTOSO}/v2.0/.well-known/openid-configuration?appid={appid}");
        let metadata = tenant.get_json(&path).await;
        let expected = tenant.url(&format!("/{CONTOSO}/discovery/v2.0/keys?appid={encoded}"));
        assert_eq!(metadata["jwks_uri"], expected);
        assert_eq!(metadata["issuer"], tenant.url(&format!("/{CONTOSO}/v2.0")));
    }
    assert_eq!(keys_of(&tenant, "").await.kids(), general.kids(), "empty counts as missing");
    let upper = MAPPED.client_id.to_uppercase();
    assert_eq!(keys_of(&tenant, &upper).await.kids().len(), 1, "case does not matter");
    for path in ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys", "discovery/keys"] {
        let answer = tenant.get(&format!("/{CONTOSO}/{path}?appid=a&appid=b")).await;
        answer.assert_refusal(400, "invalid_request", 90100);
        let answer = tenant.get(&format!("/nowhere/{path}?appid={OTHER}")).await;
        answer.assert_refusal(400, "invalid_tenant", 90002);
    }
}

#[tokio::test]
async fn a_rotation_changes_the_own_keys_of_apps_too() {
    let tenant = TestTenant::start_having(APPS).await;
    let first = keys_of(&tenant, MAPPED.client_id).await;
    let others = keys_of(&tenant, OTHER).await;
    let old = token_for(&tenant, MAPPED.client_id, "uma").await;
    tenant.tenant.rotate_keys(true).await.unwrap();
    let second = keys_of(&tenant, MAPPED.client_id).await;
    assert_eq!(second.kids().len(), 2);
    assert_eq!(second.signer(&old), Some(first.kids()[0]));
    let new = token_for(&tenant, MAPPED.client_id, "uma").await;
    assert_eq!(second.signer(&new), Some(second.kids()[0]));
    assert_eq!(first.signer(&new), None);

    tenant.tenant.rotate_keys(false).await.unwrap();
    let third = keys_of(&tenant, MAPPED.client_id).await;
    assert_eq!(third.kids().len(), 1);
    assert_eq!((third.signer(&old), third.signer(&new)), (None, None));
    assert!(keys_of(&tenant, OTHER).await.kids().iter().all(|kid| !others.kids().contains(kid)));
}

#[tokio::test]
async fn own_keys_are_kept_in_files_of_their_own() {
    let folder = new_folder();
    let first = start_in(folder.clone()).await;
    let before = keys_of(&first, MAPPED.client_id).await;
    let port = first.tenant.base_url().rsplit(':').next().unwrap().parse().unwrap();
    first.tenant.stop().await;
    let path = folder.join(format!("signing-key-{}.json", MAPPED.client_id));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    let second = start_in(folder.clone()).await;
    assert_eq!(keys_of(&second, MAPPED.client_id).await.kids(), before.kids());
    // A token without a server is signed with it, too.
    let entry = format!("client_id = \"{API_CLIENT_ID}\"");
    let mapped = format!("{entry}\nown_signing_key = true");
    let directory = Directory::EXAMPLE.replacen(&entry, &mapped, 1);
    let directory = Directory::parse(&directory, Path::new("")).unwrap();
    let options = Options { port, data_dir: Some(folder.clone()), directory, ..Options::default() };
    let token = access_token(&options, "uma").unwrap();
    let third =
        TestTenant::start_with(folder.clone(), Options { port: 0, https_port: Some(0), ..options })
            .await;
    let own = keys_of(&third, API_CLIENT_ID).await;
    assert_eq!(own.signer(&token), Some(own.kids()[0]));
    assert_eq!(PublishedKeys::of(&third).await.signer(&token), None);

    std::fs::write(&path, "{}").unwrap();
    let options = Options { directory: self::directory(), ..Options::ephemeral() };
    let options = Options { data_dir: Some(folder.clone()), ..options };
    let error = DevTenant::start_with(options).await.err().unwrap();
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn an_app_with_its_own_key_can_act_on_behalf_of_its_caller() {
    let tenant = TestTenant::start_having(APPS).await;
    let exchange = |assertion: &str| {
        Form::empty()
            .with("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .with("client_id", MAPPED.client_id)
            .with("client_secret", "mapped-secret")
            .with("assertion", assertion)
            .with("scope", &reports_scope())
            .with("requested_token_use", "on_behalf_of")
    };
    let caller = token_for(&tenant, MAPPED.client_id, "uma").await;
    let answer = tenant.post("token", &exchange(&caller)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(claims(&answer.json(), "access_token")["azp"], MAPPED.client_id);
    // The key of another app is not good for tokens for this one.
    let mut forgery = Forgery::of("uma").claim("aud", MAPPED.client_id).claim("azp", "x");
    forgery.resource = Some(OTHER.to_owned());
    let forged = tenant.tenant.forge(&forgery).unwrap();
    assert_eq!(token_header(&forged)["kid"], keys_of(&tenant, OTHER).await.kids()[0]);
    let answer = tenant.post("token", &exchange(&forged)).await;
    answer.assert_refusal(400, "invalid_grant", 50013);
}

#[tokio::test]
async fn a_fault_can_hide_the_own_key_of_an_app() {
    let tenant = TestTenant::start_having(APPS).await;
    tenant.plan("keys", &json!({ "hide_signing_key": true, "times": 1 })).await;
    assert_eq!(keys_of(&tenant, MAPPED.client_id).await.kids().len(), 0);
    assert_eq!(keys_of(&tenant, MAPPED.client_id).await.kids().len(), 1);
}
