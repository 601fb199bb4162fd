//! The API below a path of its public URL. A proxy removes the path from requests.

use poem_entra::ResourceMetadata;
use reqwest::{Method, StatusCode, Url, header};
use serde_json::json;

use crate::support::{Answer, App, Proxy, Tool, client, free_ports, require, test_name};

#[tokio::test]
async fn every_url_leads_back_through_nginx() {
    let Some([nginx]) = require(test_name!(), [Tool::Nginx]) else { return };
    let [port] = free_ports();
    let site = Site::start(port).await;
    let _proxy = Proxy::below(Tool::Nginx, &nginx, port, site.server_port()).await;
    every_url_leads_back(&site).await;
}

#[tokio::test]
async fn every_url_leads_back_through_haproxy() {
    let Some([haproxy]) = require(test_name!(), [Tool::Haproxy]) else { return };
    let [port] = free_ports();
    let site = Site::start(port).await;
    let _proxy = Proxy::below(Tool::Haproxy, &haproxy, port, site.server_port()).await;
    every_url_leads_back(&site).await;
}

async fn every_url_leads_back(site: &Site) {
    the_docs_page_and_its_files_are_found(site).await;
    todos_are_found_where_the_api_says(site).await;
    the_metadata_is_found_where_the_challenge_says(site).await;
    long_tokens_and_strong_tags_pass(site).await;
    cross_origin_requests_know_no_path(site).await;
}

async fn the_docs_page_and_its_files_are_found(site: &Site) {
    // With the path alone, the proxies redirect to the path with a slash.
    for start in [site.base.clone(), format!("{}/", site.base), format!("{}/docs/", site.base)] {
        let mut url = Url::parse(&start).unwrap();
        while url.path() != "/todo/docs" {
            let answer = site.get(url.as_str()).await;
            assert!(answer.status.is_redirection(), "{url}: {answer:?}");
            url = url.join(answer.header("location")).unwrap();
            assert!(url.as_str().starts_with(&site.base), "{start} led to {url}");
        }
        assert_eq!(site.get(url.as_str()).await.status, StatusCode::OK);
    }
    for page in ["docs", "oauth2-redirect"] {
        let page = Url::parse(&format!("{}/{page}", site.base)).unwrap();
        let html = site.get(page.as_str()).await;
        let html = html.body.as_str().unwrap();
        let links = ["src=\"", "href=\""].map(|name| html.split(name).skip(1));
        let links = links.into_iter().flatten().map(|rest| rest.split_once('"').unwrap().0);
        let links: Vec<_> = links.filter(|link| !link.starts_with("data:")).collect();
        assert!(links.len() >= 2, "{html}");
        for link in links {
            let url = page.join(link).unwrap();
            assert!(url.as_str().starts_with(&site.base), "{url}");
            assert_eq!(site.get(url.as_str()).await.status, StatusCode::OK, "{url}");
        }
    }
    let document = site.get(&format!("{}/openapi.json", site.base)).await.body;
    assert_eq!(document["servers"], json!([{ "url": site.base }]));
}

async fn todos_are_found_where_the_api_says(site: &Site) {
    let list = format!("{}/todoitems", site.base);
    for name in ["Walk the dog", "Buy milk"] {
        let answer = site.create(name).await;
        let found = Url::parse(&list).unwrap().join(answer.header("location")).unwrap();
        assert!(found.as_str().starts_with(&format!("{list}/")), "{found}");
        let found = site.get(found.as_str()).await;
        assert_eq!((found.status, &found.body), (StatusCode::OK, &answer.body));
    }
    let first = site.get(&format!("{list}?limit=1")).await;
    let link = first.header("link").strip_prefix('<').unwrap();
    let (next, relation) = link.split_once('>').unwrap();
    assert_eq!(relation, "; rel=\"next\"");
    let next = Url::parse(&list).unwrap().join(next).unwrap();
    let second = site.get(next.as_str()).await;
    assert_eq!(second.body["items"][0]["name"], "Buy milk", "{next}: {second:?}");
}

async fn the_metadata_is_found_where_the_challenge_says(site: &Site) {
    let answer = Answer::of(client().get(format!("{}/todoitems", site.base)).send().await.unwrap());
    let answer = answer.await;
    answer.assert_problem(401, "missing_token");
    let challenge = answer.header("www-authenticate");
    let (_, url) = challenge.split_once("resource_metadata=\"").unwrap();
    let url = url.split_once('"').unwrap().0;
    assert_eq!(Url::parse(url).unwrap().path(), format!("{}/todo", ResourceMetadata::ROOT_PATH));
    let metadata = site.get(url).await;
    assert_eq!(metadata.body["resource"], site.base, "{metadata:?}");
}

async fn long_tokens_and_strong_tags_pass(site: &Site) {
    let request = client().get(format!("{}/todoitems", site.base)).bearer_auth("a".repeat(16_384));
    Answer::of(request.send().await.unwrap()).await.assert_problem(401, "invalid_token");

    let created = site.create("Walk the dog").await;
    let url = format!("{}/todoitems/{}", site.base, created.body["item"]["id"]);
    let request = client().get(&url).header(header::ACCEPT_ENCODING, "gzip");
    let request = request.bearer_auth(&site.token);
    let tag = Answer::of(request.send().await.unwrap()).await.header("etag").to_owned();
    let request = client().patch(&url).header(header::IF_MATCH, &tag).bearer_auth(&site.token);
    let request = request.json(&json!({ "item": { "is_complete": true } }));
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{tag}: {answer:?}");
}

async fn cross_origin_requests_know_no_path(site: &Site) {
    let request = client().request(Method::OPTIONS, format!("{}/todoitems", site.base));
    let request = request
        .header(header::ORIGIN, "https://app.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example", "{answer:?}");
    // The docs page has the origin of the proxy.
    let own = Url::parse(&site.base).unwrap().origin().ascii_serialization();
    let request = client().post(format!("{}/todoitems", site.base)).header(header::ORIGIN, own);
    let request = request.bearer_auth(&site.token);
    let request = request.json(&json!({ "item": { "name": "Walk the dog" } }));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
}

/// A server whose public URL is that of a proxy.
struct Site {
    app: App,
    /// The public URL.
    base: String,
    token: String,
}

impl Site {
    /// Starts the server for a proxy on this port.
    async fn start(port: u16) -> Self {
        let base = Proxy::url_below(port);
        let app = App::start_with(|environment| {
            environment.with("PUBLIC_URL", &base).with("CORS_ORIGINS", "https://app.example")
        });
        let app = app.await;
        let token = app.token("uma").await;
        Self { app, base, token }
    }

    fn server_port(&self) -> u16 {
        Url::parse(&self.app.url).unwrap().port().unwrap()
    }

    async fn get(&self, url: &str) -> Answer {
        let request = client().get(url).bearer_auth(&self.token);
        Answer::of(request.send().await.unwrap()).await
    }

    async fn create(&self, name: &str) -> Answer {
        let request = client().post(format!("{}/todoitems", self.base)).bearer_auth(&self.token);
        let request = request.json(&json!({ "item": { "name": name } }));
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer
    }
}
