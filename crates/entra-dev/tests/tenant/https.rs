//! The two listeners: each is consistent, and one is the issuer of access tokens.

use entra_dev::{
    DevTenant, Options, Scheme, StartError, TokenError, access_token,
    ids::{API_CLIENT_ID, CONTOSO},
};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Answer, Form, ORIGIN, PublishedKeys, TestTenant, new_folder, shared_keys};

#[tokio::test]
async fn each_listener_has_metadata_of_its_own() {
    let tenant = TestTenant::start().await;
    for (base, browser) in tenant.listeners() {
        for (authority, issuer) in [
            (CONTOSO, CONTOSO),
            ("contoso.example", CONTOSO),
            ("common", "{tenantid}"),
            ("consumers", entra_dev::ids::CONSUMERS),
        ] {
            let url = format!("{base}/{authority}/v2.0/.well-known/openid-configuration");
            let document = json_at(&browser, &url).await;
            assert_eq!(document["issuer"], format!("{base}/{issuer}/v2.0"));
            let urls: Vec<_> = (document.as_object().unwrap().iter())
                // It belongs to Azure.
                .filter(|(name, _)| name.as_str() != "rbac_url")
                .filter_map(|(_, value)| value.as_str().filter(|text| text.contains("://")))
                .collect();
            assert_eq!(urls.len(), 8, "{urls:?}");
            for url in urls {
                assert!(url.starts_with(&format!("{base}/")), "{url}");
            }
            let keys = PublishedKeys::at(&browser, document["jwks_uri"].as_str().unwrap()).await;
            assert_eq!(keys.kids(), PublishedKeys::of(&tenant).await.kids());
            for kid in keys.kids() {
                let issuer = keys.issuer(kid);
                assert!(issuer.starts_with(&format!("{base}/")), "{issuer}");
            }
        }
    }
}

#[tokio::test]
async fn instance_discovery_accepts_the_listener_as_authority() {
    let tenant = TestTenant::start().await;
    for (base, browser) in tenant.listeners() {
        let url = format!(
            "{base}/common/discovery/instance?api-version=1.1&authorization_endpoint={base}"
        );
        let answer = Answer::of(browser.get(url).header("origin", ORIGIN)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let host = base.split_once("://").unwrap().1;
        let document = answer.json();
        let cloud = json!({
            "preferred_network": host, "preferred_cache": host, "aliases": [host, "localhost"],
        });
        assert_eq!(document["metadata"], json!([cloud]));
        let metadata = document["tenant_discovery_endpoint"].as_str().unwrap();
        assert!(metadata.starts_with(&format!("{base}/")), "{metadata}");
        assert_eq!(
            json_at(&browser, metadata).await["issuer"],
            format!("{base}/{{tenantid}}/v2.0")
        );
    }
}

#[tokio::test]
async fn id_tokens_name_their_listener_and_access_tokens_one() {
    for issuer in [Scheme::Http, Scheme::Https] {
        let options = Options { access_token_issuer: issuer.into(), ..Options::ephemeral() };
        let tenant = TestTenant::start_with(shared_keys(), options).await;
        let expected = match issuer {
            Scheme::Http => tenant.url(&format!("/{CONTOSO}/v2.0")),
            Scheme::Https => tenant.https_url(&format!("/{CONTOSO}/v2.0")),
        };
        let [http, https] = tenant.listeners();
        let (base, browser) = if issuer == Scheme::Http { http } else { https };
        let keys = PublishedKeys::at(&browser, &format!("{base}/common/discovery/v2.0/keys")).await;
        for (base, browser) in tenant.listeners() {
            let answer = sign_in_at(&base, &browser).await;
            let id = TestTenant::claims(answer["id_token"].as_str().unwrap());
            assert_eq!(id["iss"], format!("{base}/{CONTOSO}/v2.0"));
            let token = answer["access_token"].as_str().unwrap();
            assert_eq!(TestTenant::claims(token)["iss"], expected);
            // The issuer of the key is that of the listener that published it.
            let signer = keys.signer(token).unwrap();
            assert_eq!(keys.issuer(signer).replace("{tenantid}", CONTOSO), expected);
        }
        let token = tenant.tenant.access_token("ada").unwrap();
        assert_eq!(TestTenant::claims(&token)["iss"], expected);
    }
}

#[tokio::test]
async fn both_listeners_serve_user_information() {
    let tenant = TestTenant::issued_by_https().await;
    let form = Form::authorization().with("scope", "openid");
    let answer = tenant.sign_in(CONTOSO, &form, "ada").await;
    for (base, browser) in tenant.listeners() {
        let request = browser.get(format!("{base}/oidc/userinfo"));
        let request = request.bearer_auth(answer["access_token"].as_str().unwrap());
        assert_eq!(Answer::of(request).await.status, 200, "{base}");
    }
}

#[tokio::test]
async fn a_token_without_a_server_can_name_the_https_listener() {
    let folder = new_folder();
    let tenant = TestTenant::start_with(
        folder.clone(),
        Options { access_token_issuer: Scheme::Https.into(), ..Options::ephemeral() },
    )
    .await;
    let https_port = tenant.https_url("").rsplit(':').next().unwrap().parse().unwrap();
    let options = Options {
        port: 0,
        https_port: Some(https_port),
        access_token_issuer: Scheme::Https.into(),
        data_dir: Some(folder.clone()),
        clock: tenant.clock.clone(),
        ..Options::default()
    };
    let token = access_token(&options, "ada").unwrap();
    let claims = TestTenant::claims(&token);
    assert_eq!(claims["iss"], tenant.https_url(&format!("/{CONTOSO}/v2.0")));
    assert_eq!(claims["aud"], API_CLIENT_ID);
    assert!(PublishedKeys::of(&tenant).await.signer(&token).is_some());
    for https_port in [None, Some(0)] {
        let options = Options { port: 8001, https_port, ..options.clone() };
        assert!(matches!(access_token(&options, "ada"), Err(TokenError::AnyPort)));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn https_can_be_disabled() {
    let folder = new_folder();
    let options = Options { https_port: None, ..Options::ephemeral() };
    let tenant = TestTenant::start_with(folder.clone(), options.clone()).await;
    assert_eq!(tenant.tenant.https_url(), None);
    assert_eq!(tenant.tenant.ca_certificate(), None);
    assert_eq!(tenant.tenant.ca_file(), None);
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(files.collect::<Vec<_>>(), ["signing-keys.json"]);
    let document = tenant.get_json("/common/v2.0/.well-known/openid-configuration").await;
    assert_eq!(document["issuer"], tenant.url("/{tenantid}/v2.0"));
    tenant.tenant.stop().await;
    std::fs::remove_dir_all(folder).unwrap();

    let options = Options { access_token_issuer: Scheme::Https.into(), ..options };
    let error = DevTenant::start_with(options).await.err().unwrap();
    assert!(matches!(error, StartError::NoHttps), "{error}");
}

#[tokio::test]
async fn a_taken_https_port_is_named_in_the_error() {
    let tenant = TestTenant::start().await;
    let port: u16 = tenant.https_url("").rsplit(':').next().unwrap().parse().unwrap();
    let options = Options { https_port: Some(port), ..Options::ephemeral() };
    let error = DevTenant::start_with(options).await.err().unwrap();
    assert!(matches!(error, StartError::Bind { .. }), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_handshakes_do_not_block_other_clients() {
    let tenant = TestTenant::start().await;
    let address = tenant.https_url("").trim_start_matches("https://").to_owned();
    // Only the first bytes of a ClientHello.
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let mut connection = TcpStream::connect(&address).await.unwrap();
        connection.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        waiting.push(connection);
    }
    let mut plain = TcpStream::connect(&address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // The connection may end in any way, but not with a page.
    plain.read_to_end(&mut answer).await.ok();
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1 200"));

    let answer = Answer::of(tenant.secure_browser().get(tenant.https_url("/"))).await;
    assert_eq!(answer.status, 200);
    drop(waiting);
}

async fn json_at(browser: &Client, url: &str) -> Value {
    let answer = Answer::of(browser.get(url)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// The whole flow at one listener: the token response.
async fn sign_in_at(base: &str, browser: &Client) -> Value {
    let scope = format!("openid api://{API_CLIENT_ID}/access_as_user");
    let form = Form::authorization().with("scope", &scope).with("account", "ada");
    let url = format!("{base}/{CONTOSO}/oauth2/v2.0/authorize");
    let code = Answer::of(form.on(browser.post(url))).await.redirect_parameter("code").unwrap();
    let url = format!("{base}/{CONTOSO}/oauth2/v2.0/token");
    let request = Form::redemption(&code).on(browser.post(url)).header("origin", ORIGIN);
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn https_works_as_soon_as_the_tenant_has_started() {
    for _ in 0..16 {
        let tenant = TestTenant::start().await;
        let get = || Answer::of(tenant.secure_browser().get(tenant.https_url("/")));
        let (first, second) = tokio::join!(get(), get());
        assert_eq!([first.status, second.status], [200, 200]);
        tenant.tenant.stop().await;
    }
}
