//! A tenant that answers to other names than the loopback ones.

use std::net::SocketAddr;

use entra_dev::{
    DevTenant, HostName, Options, Scheme, StartError, TokenIssuer,
    ids::{CONTOSO, SWAGGER_UI_CLIENT_ID},
};
use reqwest::{Certificate, Client, redirect};
use serde_json::{Value, json};

use crate::{
    isolated_tenants::Isolated,
    support::{
        Answer, Form, ORIGIN, PublishedKeys, TestTenant, UNKNOWN_CLIENT_ID, api_scope, free_ports,
        new_folder,
    },
};

const NAME: &str = "entra-dev";
const CONTROL_TOKEN: &str = "the-token-of-the-tests";
/// The tenant listens on all addresses, and this one is not bound by default.
const OTHER_ADDRESS: [u8; 4] = [127, 0, 0, 2];

/// A tenant that is reached as `entra-dev` at [`OTHER_ADDRESS`], and a client that knows the
/// address.
async fn reachable(options: Options) -> (TestTenant, Client) {
    let options = Options {
        host: Some([0, 0, 0, 0].into()),
        answer_to: vec![NAME.parse().unwrap()],
        control_token: Some(CONTROL_TOKEN.parse().unwrap()),
        ..options
    };
    let tenant = TestTenant::start_with(new_folder(), options).await;
    let client = client(&tenant);
    (tenant, client)
}

fn client(tenant: &TestTenant) -> Client {
    let ca = Certificate::from_pem(tenant.tenant.ca_certificate().unwrap().as_bytes()).unwrap();
    let builder = Client::builder().redirect(redirect::Policy::none()).no_proxy();
    // The port of the URL is kept.
    let builder = builder.resolve(NAME, SocketAddr::from((OTHER_ADDRESS, 0)));
    builder.tls_certs_only([ca]).build().unwrap()
}

/// The URL of a listener under the other name.
fn named(url: &str) -> String {
    url.replace("localhost", NAME)
}

async fn metadata(client: &Client, base: &str) -> Value {
    let url = format!("{base}/{CONTOSO}/v2.0/.well-known/openid-configuration");
    Answer::of(client.get(url)).await.json()
}

async fn sign_in(client: &Client, base: &str) -> Value {
    let url = format!("{base}/{CONTOSO}/oauth2/v2.0");
    let scope = format!("openid {}", api_scope());
    let form = Form::authorization().with("account", "ada").with("scope", &scope);
    let code = Answer::of(form.on(client.post(format!("{url}/authorize")))).await;
    let form = Form::redemption(&code.redirect_parameter("code").unwrap());
    let request = client.post(format!("{url}/token")).header("origin", ORIGIN);
    Answer::of(form.on(request)).await.json()
}

#[tokio::test]
async fn metadata_keys_and_id_tokens_name_the_host_that_was_asked() {
    let (tenant, client) = reachable(Options::ephemeral()).await;
    for base in [tenant.tenant.base_url(), tenant.tenant.https_url().unwrap()] {
        for base in [base.to_owned(), named(base)] {
            let document = metadata(&client, &base).await;
            assert_eq!(document["issuer"], format!("{base}/{CONTOSO}/v2.0"));
            for (name, value) in document.as_object().unwrap() {
                let text = value.as_str().unwrap_or_default();
                let is_ours = !text.contains("://") || text.starts_with(&format!("{base}/"));
                assert!(is_ours || name == "rbac_url", "{name}: {value}");
            }
            let keys = PublishedKeys::at(&client, document["jwks_uri"].as_str().unwrap()).await;
            for kid in keys.kids() {
                assert!(keys.issuer(kid).starts_with(&format!("{base}/")), "{}", keys.issuer(kid));
            }
            let cloud = client.get(format!("{base}/common/discovery/instance"));
            let cloud = Answer::of(cloud).await.json();
            let host = base.split_once("://").unwrap().1;
            let name = host.split_once(':').unwrap().0;
            assert_eq!(cloud["metadata"][0]["aliases"], json!([host, name]));
            let answer = sign_in(&client, &base).await;
            let id_token = TestTenant::claims(answer["id_token"].as_str().unwrap());
            assert_eq!(id_token["iss"], format!("{base}/{CONTOSO}/v2.0"));
            // An API on this machine expects this one, whichever name the client used.
            let token = TestTenant::claims(answer["access_token"].as_str().unwrap());
            assert_eq!(token["iss"], tenant.url(&format!("/{CONTOSO}/v2.0")));
        }
    }
}

#[tokio::test]
async fn isolated_tenants_are_reached_under_every_name() {
    let (tenant, client) = reachable(Options::ephemeral()).await;
    for base in [named(&tenant.url("")), named(&tenant.https_url(""))] {
        let request = client.post(format!("{base}/_dev/tenants")).bearer_auth(CONTROL_TOKEN);
        let request = request.header("content-type", "application/json").body("{}");
        let isolated = Isolated::of(&Answer::of(request).await);
        let authority = format!("{base}/{}", isolated.id);
        assert_eq!(isolated.description["authority"], authority);
        let controls = format!("{base}{}", isolated.controls(""));
        assert_eq!(isolated.description["controls"], controls);
        let audit = client.get(format!("{controls}/audit"));
        assert_eq!(Answer::of(audit.try_clone().unwrap()).await.status, 401);
        assert_eq!(Answer::of(audit.bearer_auth(CONTROL_TOKEN)).await.status, 200);

        let endpoint = |name: &str| client.post(format!("{authority}/oauth2/v2.0/{name}"));
        let form = isolated.authorization().with("account", "ada");
        let code = Answer::of(form.on(endpoint("authorize"))).await.redirect_parameter("code");
        let client_id = isolated.client_id("Todo API - Swagger UI");
        let form = Form::redemption(&code.unwrap()).with("client_id", &client_id);
        let tokens = Answer::of(form.on(endpoint("token").header("origin", ORIGIN))).await;
        let issuer = TestTenant::claims(&tokens.token("id_token"))["iss"].clone();
        assert_eq!(issuer, format!("{authority}/v2.0"));
    }
}

#[tokio::test]
async fn a_browser_under_one_name_gets_tokens_for_an_api_under_another() {
    let [port, https_port] = free_ports();
    let issuer = format!("https://{NAME}:{https_port}");
    let options = Options {
        port,
        https_port: Some(https_port),
        access_token_issuer: issuer.parse().unwrap(),
        ..Options::ephemeral()
    };
    let (tenant, client) = reachable(options).await;
    let answer = sign_in(&client, tenant.tenant.https_url().unwrap()).await;
    let token = answer["access_token"].as_str().unwrap();
    // What a validator of the API checks, which reads everything under the other name.
    let document = metadata(&client, &issuer).await;
    assert_eq!(TestTenant::claims(token)["iss"], document["issuer"]);
    let keys = PublishedKeys::at(&client, document["jwks_uri"].as_str().unwrap()).await;
    let signer = keys.signer(token).unwrap();
    assert_eq!(keys.issuer(signer).replace("{tenantid}", CONTOSO), document["issuer"]);
    let id_token = TestTenant::claims(answer["id_token"].as_str().unwrap());
    assert_eq!(id_token["iss"], tenant.https_url(&format!("/{CONTOSO}/v2.0")));
    assert_eq!(
        TestTenant::claims(&tenant.tenant.access_token("ada").unwrap())["iss"],
        document["issuer"]
    );
}

#[tokio::test]
async fn a_port_that_is_mapped_to_the_listener_is_kept() {
    let (tenant, client) = reachable(Options::ephemeral()).await;
    for host in ["entra-dev:9001", "Entra-Dev:9001", "localhost:9001", "entra-dev", "127.0.0.1:1"] {
        let url = tenant.url(&format!("/{CONTOSO}/v2.0/.well-known/openid-configuration"));
        let document = Answer::of(client.get(url).header("host", host)).await.json();
        let expected = format!("http://{}/{CONTOSO}/v2.0", host.to_lowercase());
        assert_eq!(document["issuer"], expected);
    }
}

#[tokio::test]
async fn only_the_names_that_were_asked_for_are_answered() {
    let (tenant, client) = reachable(Options::ephemeral()).await;
    let local = TestTenant::start().await;
    for (tenant, host, status) in [
        (&tenant, "entra-dev", 200),
        (&tenant, "localhost", 200),
        (&tenant, "evil.example", 400),
        (&tenant, "entra-dev.evil.example", 400),
        (&tenant, "a.entra-dev", 400),
        (&tenant, "127.0.0.2", 400),
        (&tenant, "0.0.0.0", 400),
        (&tenant, "*", 400),
        (&local, "entra-dev", 400),
        (&local, "localhost:9001", 200),
    ] {
        let answer = Answer::of(client.get(tenant.url("/")).header("host", host)).await;
        assert_eq!(answer.status, status, "{host}");
    }
}

#[tokio::test]
async fn without_a_host_only_loopback_is_bound() {
    let options = Options { answer_to: vec![NAME.parse().unwrap()], ..Options::ephemeral() };
    let tenant = TestTenant::start_with(new_folder(), options).await;
    let error = client(&tenant).get(named(&tenant.url("/"))).send().await.unwrap_err();
    assert!(error.is_connect(), "{error}");
    let local = tenant.browser.get(tenant.url("/")).header("host", NAME);
    assert_eq!(Answer::of(local).await.status, 200);
}

#[tokio::test]
async fn a_tenant_does_not_start_if_others_could_reach_it_by_accident() {
    let host = Some([0, 0, 0, 0].into());
    let answer_to: Vec<HostName> = vec![NAME.parse().unwrap()];
    let control_token = Some(CONTROL_TOKEN.parse().unwrap());
    for options in [
        Options { host, ..Options::ephemeral() },
        Options { host, answer_to: answer_to.clone(), ..Options::ephemeral() },
        Options { host, control_token: control_token.clone(), ..Options::ephemeral() },
        Options { host: Some("::".parse().unwrap()), answer_to, ..Options::ephemeral() },
        Options { host: Some([10, 0, 0, 5].into()), control_token, ..Options::ephemeral() },
    ] {
        let error = DevTenant::start_with(options).await.err().unwrap();
        assert!(matches!(error, StartError::Exposed(_)), "{error}");
    }
}

#[tokio::test]
async fn the_issuer_of_access_tokens_must_be_a_name_of_the_tenant() {
    let issuer: TokenIssuer = "https://other:8443".parse().unwrap();
    let options = Options { access_token_issuer: issuer.clone(), ..Options::ephemeral() };
    let error = DevTenant::start_with(options.clone()).await.err().unwrap();
    assert!(matches!(error, StartError::UnknownIssuer(_)), "{error}");
    let options = Options { answer_to: vec!["other".parse().unwrap()], ..options };
    let tenant = DevTenant::start_with(options.clone()).await.unwrap();
    let token = tenant.access_token("ada").unwrap();
    assert_eq!(TestTenant::claims(&token)["iss"], format!("{issuer}/{CONTOSO}/v2.0"));
    let error = DevTenant::start_with(Options { https_port: None, ..options }).await.err().unwrap();
    assert!(matches!(error, StartError::NoHttps), "{error}");
    assert_eq!(issuer, TokenIssuer::Url("https://other:8443".to_owned()));
    assert_eq!(TokenIssuer::from(Scheme::Https), "https".parse().unwrap());
}

#[tokio::test]
async fn every_page_says_who_else_can_reach_the_tenant() {
    let (tenant, client) = reachable(Options::ephemeral()).await;
    let local = TestTenant::start().await;
    let authorize = |client_id: &str| {
        let form = Form::authorization().with("client_id", client_id).encoded();
        format!("/{CONTOSO}/oauth2/v2.0/authorize?{form}")
    };
    for path in [
        "/",
        "/nowhere",
        "/common/oauth2/deviceauth",
        &authorize(SWAGGER_UI_CLIENT_ID),
        &authorize(UNKNOWN_CLIENT_ID),
    ] {
        let says = |page: String| {
            page.contains(
                "also answers to entra-dev: anybody who can reach it can sign in as anybody, and \
                 get the tokens of its managed identities.",
            )
        };
        let page = Answer::of(client.get(tenant.url(path))).await;
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
        assert!(says(page.body), "{path}");
        assert!(!says(local.get(path).await.body), "{path}");
    }
}

#[tokio::test]
async fn the_certificate_is_valid_for_the_names_and_no_subdomains() {
    let (tenant, client) = reachable(Options::ephemeral()).await;
    let url = named(&tenant.https_url("/ca.pem"));
    let answer = Answer::of(client.get(&url)).await;
    assert_eq!(Some(answer.body.as_str()), tenant.tenant.ca_certificate());
    let ca = Certificate::from_pem(answer.body.as_bytes()).unwrap();
    let other = Client::builder().no_proxy().tls_certs_only([ca]);
    let other = other.resolve("a.entra-dev", SocketAddr::from((OTHER_ADDRESS, 0)));
    let error = other.build().unwrap().get(url.replace(NAME, "a.entra-dev")).send().await;
    assert!(format!("{:?}", error.unwrap_err()).contains("NotValidForName"));
}

#[tokio::test]
async fn other_names_get_another_certificate_authority() {
    let folder = new_folder();
    let ca_for = async |names: &[&str]| {
        let answer_to = names.iter().map(|name| name.parse().unwrap()).collect();
        let options = Options { answer_to, ..Options::ephemeral() };
        let tenant = TestTenant::start_with(folder.clone(), options).await;
        let ca = tenant.tenant.ca_certificate().unwrap().to_owned();
        assert_eq!(std::fs::read_to_string(tenant.tenant.ca_file().unwrap()).unwrap(), ca);
        tenant.tenant.stop().await;
        ca
    };
    let local = ca_for(&[]).await;
    let both = ca_for(&["entra-dev", "10.0.0.5"]).await;
    assert_ne!(local, both);
    assert_eq!(ca_for(&["10.0.0.5", "entra-dev"]).await, both);
    let one = ca_for(&["entra-dev"]).await;
    assert_ne!(one, both);
    let none = ca_for(&[]).await;
    assert!(![local, both, one].contains(&none), "a wider authority is not kept");
    assert_eq!(ca_for(&[]).await, none);
    std::fs::remove_dir_all(folder).unwrap();
}
