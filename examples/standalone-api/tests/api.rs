//! The API over HTTP, with real tokens of a development tenant.

use std::path::Path;

use entra_dev::{DevTenant, Directory, Forgery, Options, TokenKind, ids};
use poem::{Server, listener::TcpAcceptor};
use poem_entra::Settings;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use standalone_api::routes;

#[tokio::test]
async fn each_operation_admits_the_callers_that_it_names() {
    let api = TestApi::start().await;
    let callers = [
        None,
        Some(api.tenant.access_token("uma").unwrap()),
        Some(api.tenant.access_token("ada").unwrap()),
        Some(api.nightly_job()),
    ];
    // Nobody, Uma, Ada, who is an admin, and the nightly job.
    let operations = [
        (Method::GET, "/me", [401, 200, 200, 403]),
        (Method::GET, "/runs", [401, 200, 200, 200]),
        (Method::POST, "/runs", [401, 403, 403, 200]),
        (Method::DELETE, "/runs", [401, 403, 200, 403]),
    ];
    for (method, path, expected) in operations {
        for (token, status) in callers.iter().zip(expected) {
            let response = api.send(&method, path, token.as_deref()).await;
            assert_eq!(response.status(), status, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_recorded_run_is_listed_until_an_admin_deletes_all() {
    let api = TestApi::start().await;
    let job = api.nightly_job();
    let ada = api.tenant.access_token("ada").unwrap();
    let list = async || api.send(&Method::GET, "/runs", Some(&ada)).await.json::<Value>().await;
    api.send(&Method::POST, "/runs", Some(&job)).await;
    assert_eq!(list().await.unwrap(), json!([{ "summary": "Tidied up" }]));
    api.send(&Method::DELETE, "/runs", Some(&ada)).await;
    assert_eq!(list().await.unwrap(), json!([]));
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let api = TestApi::start().await;
    let token = api.tenant.forge(&Forgery::of("ada").expires_in(-3600)).unwrap();
    let response = api.send(&Method::GET, "/me", Some(&token)).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.json::<Value>().await.unwrap()["code"], "invalid_token");
}

#[tokio::test]
async fn the_document_names_the_scope_and_the_roles() {
    let api = TestApi::start().await;
    let document: Value = api.send(&Method::GET, "/openapi.json", None).await.json().await.unwrap();
    let delete = &document["paths"]["/runs"]["delete"];
    let scope = format!("api://{}/access_as_user", ids::API_CLIENT_ID);
    assert_eq!(delete["security"], json!([{ "oauth2": [scope] }]));
    assert_eq!(delete["x-required-roles"], json!(["Admin"]));

    let docs = api.send(&Method::GET, "/docs", None).await;
    assert!(docs.text().await.unwrap().contains(ids::SWAGGER_UI_CLIENT_ID));
}

/// The API and its development tenant, on free ports.
struct TestApi {
    url: String,
    tenant: DevTenant,
    client: Client,
}

impl TestApi {
    async fn start() -> Self {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/dev-tenant.toml"));
        let directory = Directory::read(file).unwrap();
        let options = Options { directory, https_port: None, ..Options::ephemeral() };
        let tenant = DevTenant::start_with(options).await.unwrap();
        let mut settings = Settings::new(ids::CONTOSO, ids::API_CLIENT_ID);
        settings.instance = tenant.base_url().to_owned();
        let routes = routes(&settings, ids::SWAGGER_UI_CLIENT_ID).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener).unwrap());
        tokio::spawn(server.run(routes));
        Self { url, tenant, client: Client::builder().no_proxy().build().unwrap() }
    }

    /// The token of the nightly job.
    fn nightly_job(&self) -> String {
        let mut token = Forgery::default().kind(TokenKind::App);
        token.client = Some("Nightly job".to_owned());
        self.tenant.forge(&token).unwrap()
    }

    async fn send(&self, method: &Method, path: &str, token: Option<&str>) -> Response {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if *method == Method::POST {
            request = request.json(&json!({ "summary": "Tidied up" }));
        }
        request.send().await.unwrap()
    }
}
