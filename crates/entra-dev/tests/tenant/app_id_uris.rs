//! App ID URIs: which resource names a scope may begin with.

use entra_dev::{
    BadAppIdUri, DevTenant, Directory, Options, StartError,
    ids::{API_CLIENT_ID, CONTOSO, DAEMON_CLIENT_ID, DAEMON_SECRET},
};
use reqwest::StatusCode;

use crate::support::{
    Answer, EntraDev, Form, NATIVE, SINGLE_PAGE, TestTenant, WEB, api_scope, claims,
    client_credentials, on_behalf_of, output_of, run_to_end, shared_keys, text,
};

/// Every form of App ID URI of which Microsoft's documentation has an example, for one API.
const FORMS: [&str; 5] = [
    "api://33333333-3333-4333-8333-333333333333",
    "api://11111111-1111-4111-8111-111111111111/33333333-3333-4333-8333-333333333333",
    "api://app.contoso.example",
    "api://localhost:3000/33333333-3333-4333-8333-333333333333",
    "https://api.contoso.example",
];

/// The built-in directory with these App ID URIs of the Todo API, in TOML.
fn registered(uris: &str) -> String {
    let name = "name = \"Todo API\"\n";
    Directory::EXAMPLE.replace(name, &format!("{name}app_id_uri = {uris}\n"))
}

async fn tenant_with(uris: &str) -> TestTenant {
    let directory = Directory::parse(&registered(uris), "".as_ref()).unwrap();
    TestTenant::start_with(shared_keys(), Options { directory, ..Options::ephemeral() }).await
}

#[tokio::test]
async fn a_scope_begins_with_the_registered_app_id_uri() {
    for uri in FORMS {
        let tenant = tenant_with(&format!("{uri:?}")).await;
        for resource in [uri, API_CLIENT_ID] {
            let scope = format!("{resource}/access_as_user");
            let body = SINGLE_PAGE.sign_in(&tenant, &scope, "uma").await;
            assert_eq!(body["scope"], scope);
            assert_eq!(claims(&body, "access_token")["aud"], API_CLIENT_ID);
            assert_eq!(claims(&body, "access_token")["scp"], "access_as_user");
        }
        for other in FORMS.into_iter().filter(|other| *other != uri) {
            let form = SINGLE_PAGE.authorization(&format!("{other}/access_as_user"));
            let answer = tenant.authorize(CONTOSO, &form).await;
            answer.assert_redirected_refusal("invalid_resource", 500_011);
        }
    }
}

#[tokio::test]
async fn every_endpoint_refuses_another_app_id_uri() {
    let tenant = tenant_with("\"https://api.contoso.example\"").await;
    let (right, wrong) = ("https://api.contoso.example/access_as_user", api_scope());
    let form = SINGLE_PAGE.authorization(&wrong);
    let answer = tenant.authorize(CONTOSO, &form).await;
    answer.assert_redirected_refusal("invalid_resource", 500_011);
    let url = tenant.url(&format!("/{CONTOSO}/v2.0/adminconsent"));
    Answer::of(form.on(tenant.browser.post(url))).await.assert_page_refusal(500_011);

    let code = tenant.code_for(CONTOSO, &SINGLE_PAGE.authorization(right), "uma").await;
    let redemption = SINGLE_PAGE.redemption(&code).without("client_secret");
    let mut requests = vec![(SINGLE_PAGE, redemption.with("scope", &wrong))];
    let lasting = format!("{right} offline_access");
    let refresh = text(&WEB.sign_in(&tenant, &lasting, "uma").await, "refresh_token");
    requests.push((WEB, WEB.renewal(&refresh).with("scope", &wrong)));
    let default = format!("api://{API_CLIENT_ID}/.default");
    requests.push((WEB, client_credentials(DAEMON_CLIENT_ID, DAEMON_SECRET, &default)));
    let assertion = text(&SINGLE_PAGE.sign_in(&tenant, right, "uma").await, "access_token");
    requests.push((WEB, on_behalf_of(&assertion, &wrong)));
    for (program, form) in requests {
        program.ask(&tenant, &form).await.assert_refusal(400, "invalid_resource", 500_011);
    }
    let device = Form::empty().with("client_id", NATIVE.client_id).with("scope", &wrong);
    let answer = tenant.post("devicecode", &device).await;
    answer.assert_refusal(400, "invalid_resource", 500_011);
}

#[tokio::test]
async fn an_api_may_have_several_app_id_uris() {
    let tenant = tenant_with("[\"https://api.contoso.example\", \"api://todo\"]").await;
    for uri in ["https://api.contoso.example", "api://todo", "API://Todo", "api://todo/"] {
        let scope = format!("{uri}/access_as_user");
        let body = SINGLE_PAGE.sign_in(&tenant, &scope, "uma").await;
        assert_eq!(claims(&body, "access_token")["scp"], "access_as_user", "{uri}");
    }
    let answer = tenant.authorize(CONTOSO, &SINGLE_PAGE.authorization(&api_scope())).await;
    answer.assert_redirected_refusal("invalid_resource", 500_011);
    let page = tenant.dev_page().await;
    for shown in ["https://api.contoso.example/access_as_user", "<code>api://todo</code>"] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn the_options_replace_the_app_id_uris_of_the_directory() {
    let uris = vec!["api://app.contoso.example".to_owned(), "api://todo".to_owned()];
    let options = Options { api_app_id_uris: uris, ..Options::ephemeral() };
    let tenant = TestTenant::start_with(shared_keys(), options).await;
    for uri in ["api://app.contoso.example", "api://todo", API_CLIENT_ID] {
        let scope = format!("{uri}/access_as_user");
        assert_eq!(SINGLE_PAGE.sign_in(&tenant, &scope, "uma").await["scope"], scope);
    }
    let answer = tenant.authorize(CONTOSO, &SINGLE_PAGE.authorization(&api_scope())).await;
    answer.assert_redirected_refusal("invalid_resource", 500_011);
}

#[tokio::test]
async fn an_unusable_app_id_uri_in_the_options_is_refused() {
    let reports = "api://88888888-8888-4888-8888-888888888888";
    for uri in ["", "todo", "api://to do", reports, "https://graph.microsoft.com/"] {
        let options = Options { api_app_id_uris: vec![uri.to_owned()], ..Options::ephemeral() };
        let Err(error) = DevTenant::start_with(options).await else { panic!("{uri}") };
        assert!(matches!(error, StartError::AppIdUri(BadAppIdUri { .. })), "{uri}: {error}");
        assert!(error.to_string().contains(&format!("{uri:?}")), "{error}");
    }
}

/// `--check` and a start warn, because Entra does not register it.
#[tokio::test]
async fn an_app_id_uri_with_http_works_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let uri = "http://localhost:3000";
    std::fs::write(folder.path().join("mcp.toml"), registered(&format!("{uri:?}"))).unwrap();
    let warning =
        format!("the app id URI {uri:?} of \"Todo API\" works only here: Entra registers");
    let checked = run_to_end(&folder, &["--check", "--config", "mcp.toml"]).await;
    assert!(checked.status.success());
    let told = output_of(&checked);
    assert!(told.starts_with(&format!("warning: {warning}")), "{told}");
    assert!(told.contains("no faults found"), "{told}");
    let program =
        EntraDev::start_in(folder, &["--config", "mcp.toml", "--port=0", "--https-port=0"]).await;
    let log = program.log();
    assert!(log.lines().any(|line| line.contains("WARN") && line.contains(&warning)), "{log}");

    let tenant = tenant_with(&format!("{uri:?}")).await;
    let scope = format!("{uri}/access_as_user");
    assert_eq!(SINGLE_PAGE.sign_in(&tenant, &scope, "uma").await["scope"], scope);
    let quiet = Directory::parse(&registered("\"https://localhost:3000\""), "".as_ref()).unwrap();
    assert_eq!(quiet.warnings().chain(Directory::default().warnings()).next(), None);
}

/// APIs that are older than `requestedAccessTokenVersion` check it.
#[tokio::test]
async fn the_audience_of_version_1_tokens_is_the_first_app_id_uri() {
    let uris = "[\"https://api.contoso.example\", \"api://todo\"]\naccess_token_version = 1";
    let tenant = tenant_with(uris).await;
    for resource in ["https://api.contoso.example", "api://todo", API_CLIENT_ID] {
        let scope = format!("{resource}/access_as_user");
        let body = SINGLE_PAGE.sign_in(&tenant, &scope, "uma").await;
        assert_eq!(claims(&body, "access_token")["aud"], "https://api.contoso.example");
        // Such a token is also an assertion for its own API.
        let graph = "https://graph.microsoft.com/User.Read";
        let form = on_behalf_of(&text(&body, "access_token"), graph);
        let answer = WEB.ask(&tenant, &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
}
