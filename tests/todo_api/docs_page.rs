//! The docs page and its files, fetched as a browser would.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

use crate::support::{Answer, App};

/// The redirects are relative, so they also work below a prefix that a proxy removes.
#[tokio::test]
async fn the_root_and_a_slash_at_the_end_redirect_to_the_docs_page() {
    let app = App::start().await;
    for (path, location) in [("/", "docs"), ("/docs/", "../docs")] {
        let answer = app.send(None, Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{path}");
        assert_eq!(answer.header("location"), location);
        let target = Url::parse(&app.url).unwrap().join(path).unwrap().join(location).unwrap();
        assert_eq!(target.path(), "/docs");
    }
}

#[tokio::test]
async fn the_docs_page_uses_no_inline_script_and_no_other_origin() {
    let app = App::start().await;
    for page in ["/docs", "/oauth2-redirect"] {
        let answer = app.send(None, Method::GET, page, None).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.header("content-type").starts_with("text/html"));
        let policy = answer.header("content-security-policy");
        let strict = "default-src 'none'; script-src 'self'; style-src 'self';";
        assert!(policy.starts_with(strict), "{policy}");
        assert!(policy.contains(&format!("connect-src 'self' {};", app.tenant.base_url())));
        assert!(!policy.contains("unsafe"), "{policy}");
        let html = answer.body.as_str().unwrap();
        for script in html.split("<script").skip(1) {
            let (attributes, rest) = script.split_once('>').unwrap();
            assert!(attributes.contains(" src=\"docs/"), "{script}");
            assert!(rest.starts_with("</script>"), "{script}");
        }
        assert!(!html.contains("<style") && !html.contains("style="), "{html}");
        assert!(!html.contains("http:") && !html.contains("https:"), "{html}");
    }
    let docs = app.send(None, Method::GET, "/docs", None).await;
    assert_eq!(docs.header("cross-origin-opener-policy"), "same-origin-allow-popups");
}

#[tokio::test]
async fn the_sign_in_is_filled_in_and_knows_no_secret() {
    let app = App::start().await;
    let answer = app.send(None, Method::GET, "/docs/settings.js", None).await;
    let settings = answer.body.as_str().unwrap();
    let settings = settings.strip_prefix("export const settings = ").unwrap();
    let settings: Value = serde_json::from_str(settings.trim_end().trim_end_matches(';')).unwrap();
    assert_eq!(
        settings,
        serde_json::json!({
            "clientId": entra_dev::ids::SWAGGER_UI_CLIENT_ID,
            "scopes": [format!("api://{}/access_as_user", entra_dev::ids::API_CLIENT_ID)],
        })
    );
}

#[tokio::test]
async fn a_file_is_compressed_on_request_and_cached_by_its_tag() {
    let app = App::start().await;
    for (path, media_type) in
        [("/docs/swagger-ui-bundle.js", "text/javascript"), ("/docs/swagger-ui.css", "text/css")]
    {
        let plain = fetch(&app, path, &[]).await;
        assert!(plain.header("content-type").starts_with(media_type), "{path}");
        assert_eq!(plain.header("content-encoding"), "");
        assert_eq!(plain.header("cache-control"), "no-cache");
        let gzip = fetch(&app, path, &[("accept-encoding", "br, gzip;q=0.8")]).await;
        assert_eq!(gzip.header("content-encoding"), "gzip");
        assert_eq!(gzip.header("vary"), "accept-encoding");
        let length = |answer: &Answer| answer.header("content-length").parse::<usize>().unwrap();
        assert!(length(&gzip) * 2 < length(&plain), "{path}");
        assert_ne!(gzip.header("etag"), plain.header("etag"));
        let refused = fetch(&app, path, &[("accept-encoding", "gzip;q=0")]).await;
        assert_eq!(refused.header("content-encoding"), "");

        let etag = gzip.header("etag").to_owned();
        let headers = [("accept-encoding", "gzip"), ("if-none-match", etag.as_str())];
        let again = fetch(&app, path, &headers).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        assert_eq!(again.header("etag"), etag);
        let other = fetch(&app, path, &[("if-none-match", &etag)]).await;
        assert_eq!(other.status, StatusCode::OK, "the uncompressed file has another tag");
        let weak = format!("W/{etag}");
        for (name, value, status) in [
            ("if-none-match", weak.as_str(), 304),
            ("if-none-match", "*", 304),
            ("if-none-match", "1", 400),
            ("if-match", &etag, 200),
            ("if-match", "*", 200),
            ("if-match", &weak, 412),
            ("if-match", "\"other\"", 412),
        ] {
            let headers = [("accept-encoding", "gzip"), (name, value)];
            let answer = fetch(&app, path, &headers).await;
            assert_eq!(answer.status.as_u16(), status, "{name}: {value}");
        }
    }
}

/// The document is generated for its first request. Several such requests may generate it at once.
#[tokio::test]
async fn simultaneous_first_requests_get_the_same_document_and_tag() {
    let app = App::start().await;
    let answers = join_all((0..8).map(|_| fetch(&app, "/openapi.json", &[]))).await;
    let etag = answers[0].header("etag");
    assert!(!etag.is_empty());
    for answer in &answers {
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.body["info"]["title"], "Todo API");
        assert_eq!(answer.body, answers[0].body);
        assert_eq!(answer.header("etag"), etag);
    }
    let again = fetch(&app, "/openapi.json", &[("if-none-match", etag)]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_eq!(again.header("etag"), etag);
}

#[tokio::test]
async fn the_resource_metadata_names_the_issuer_and_the_scope() {
    let url = "https://api.contoso.example/todo";
    let app = App::start_with(|environment| environment.with("PUBLIC_URL", url)).await;
    let api = format!("api://{}", entra_dev::ids::API_CLIENT_ID);
    let issuer = format!("{}/{}/v2.0", app.tenant.base_url(), entra_dev::ids::CONTOSO);
    let expected = serde_json::json!({
        "resource": url,
        "authorization_servers": [issuer],
        "scopes_supported": [format!("{api}/access_as_user")],
        "bearer_methods_supported": ["header"],
    });
    // The proxy that removes the path leaves the well-known one as it is.
    for path in
        ["/.well-known/oauth-protected-resource/todo", "/.well-known/oauth-protected-resource"]
    {
        let answer = app.send(None, Method::GET, path, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.body, expected);
    }
    let answer = app.send(None, Method::GET, "/todoitems", None).await;
    let challenge = answer.header("www-authenticate");
    let metadata = "https://api.contoso.example/.well-known/oauth-protected-resource/todo";
    assert!(challenge.contains(&format!("resource_metadata=\"{metadata}\"")), "{challenge}");

    let app = App::start().await;
    let path = "/.well-known/oauth-protected-resource";
    let answer = app.send(None, Method::GET, path, None).await;
    assert_eq!(answer.body["resource"], app.url.as_str());
    let answer = app.send(None, Method::GET, &format!("{path}/todo"), None).await;
    answer.assert_problem(404, "not_found");
}

async fn fetch(app: &App, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = app.client.get(format!("{}{path}", app.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request.send().await.unwrap()).await
}
