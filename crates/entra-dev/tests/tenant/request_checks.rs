//! Checks of every request: host, origin, method and size.

use entra_dev::{DevTenant, Options, StartError, ids::CONTOSO};
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Answer, Form, ORIGIN, TestTenant};

#[tokio::test]
async fn a_host_that_is_not_loopback_is_refused() {
    let tenant = TestTenant::start().await;
    for host in ["evil.example", "localhost.evil.example:8001", "127.0.0.1.nip.example", "10.0.0.1"]
    {
        for path in ["/", "/common/discovery/v2.0/keys", "/nothing"] {
            let answer =
                Answer::of(tenant.browser.get(tenant.url(path)).header("host", host)).await;
            assert_eq!(answer.status, 400, "{host}");
            assert!(!answer.body.contains(host));
        }
        let form = Form::authorization().with("account", "ada");
        let url = tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/authorize"));
        let answer = Answer::of(form.on(tenant.browser.post(url)).header("host", host)).await;
        assert_eq!(answer.status, 400, "{host}");
        assert_eq!(answer.header("location"), None);
    }
    for host in ["localhost", "LocalHost:1", "127.0.0.1", "[::1]:8001"] {
        let answer = Answer::of(tenant.browser.get(tenant.url("/")).header("host", host)).await;
        assert_eq!(answer.status, 200, "{host}");
    }
}

#[tokio::test]
async fn a_missing_repeated_or_contradictory_host_is_refused() {
    let tenant = TestTenant::start().await;
    let address = tenant.tenant.base_url().trim_start_matches("http://").to_owned();
    for head in [
        "GET / HTTP/1.0\r\n",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n",
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n",
        "GET / HTTP/1.1\r\nHost: \r\n",
    ] {
        let mut connection = TcpStream::connect(&address).await.unwrap();
        let request = format!("{head}Connection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.lines().next().unwrap().contains(" 400 "), "{head}: {answer}");
    }
}

#[tokio::test]
async fn both_loopback_addresses_answer_on_the_same_port() {
    let tenant = TestTenant::start().await;
    let port = tenant.tenant.base_url().rsplit(':').next().unwrap();
    let mut addresses = vec!["127.0.0.1"];
    if tokio::net::TcpListener::bind("[::1]:0").await.is_ok() {
        addresses.push("[::1]");
    }
    for address in addresses {
        let answer = Answer::of(tenant.browser.get(format!("http://{address}:{port}/"))).await;
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn only_registered_origins_can_read_tokens() {
    let tenant = TestTenant::start().await;
    let form = Form::redemption("unknown");
    for (origin, allowed) in [
        (ORIGIN, true),
        // The port of a loopback redirect URI is not compared.
        ("http://localhost:8001", true),
        ("http://localhost", true),
        ("https://localhost:8000", false),
        ("http://127.0.0.1:8000", false),
        ("http://[::1]:8000", false),
        ("http://localhost.evil.example", false),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let request = tenant.token_request(CONTOSO).header("origin", origin);
        let answer = Answer::of(form.on(request)).await;
        let expected = allowed.then_some(origin);
        assert_eq!(answer.header("access-control-allow-origin"), expected, "{origin}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("vary"), Some("origin"));
    }
}

#[tokio::test]
async fn preflights_of_registered_origins_are_allowed() {
    let tenant = TestTenant::start().await;
    let url = tenant.url(&format!("/{CONTOSO}/oauth2/v2.0/token"));
    for (origin, expected) in [(ORIGIN, Some(ORIGIN)), ("https://evil.example", None)] {
        let request = tenant
            .browser
            .request(Method::OPTIONS, &url)
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "x-requested-with");
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), expected);
        assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
        assert_eq!(answer.header("access-control-allow-headers"), Some("x-requested-with"));
    }
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let tenant = TestTenant::start().await;
    let padding = "x".repeat(64 * 1024);
    let form = Form::redemption("unknown").with("padding", &padding);
    tenant.redeem(CONTOSO, &form).await.assert_refusal(413, "invalid_request", 90023);
    let form = Form::authorization().with("padding", &padding);
    assert_eq!(tenant.pick(CONTOSO, &form, "ada").await.status, 413);
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let tenant = TestTenant::start().await;
    for (method, path, allowed) in [
        (Method::GET, "/common/oauth2/v2.0/token", "POST, OPTIONS"),
        (Method::PUT, "/common/oauth2/v2.0/authorize", "HEAD, GET, POST"),
        (Method::POST, "/common/discovery/v2.0/keys", "HEAD, GET, OPTIONS"),
    ] {
        let answer = Answer::of(tenant.browser.request(method.clone(), tenant.url(path))).await;
        answer.assert_refusal(405, "invalid_request", 900_561);
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
        let words = format!("only accepts {allowed} requests. Received a {method} request.");
        assert!(answer.body.contains(&words), "{}", answer.body);
    }
    for (method, path, allowed) in [
        (Method::POST, "/", "HEAD, GET"),
        (Method::POST, "/_dev/clock", "HEAD, GET, PUT"),
        (Method::GET, "/_dev/faults/keys", "PUT, DELETE"),
    ] {
        let answer = Answer::of(tenant.browser.request(method, tenant.url(path))).await;
        answer.assert_problem(405, &format!("send one of {allowed}"));
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
    }
    let head = Answer::of(tenant.browser.head(tenant.url("/common/discovery/v2.0/keys"))).await;
    assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""));
}

#[tokio::test]
async fn a_taken_port_is_named_in_the_error() {
    let tenant = TestTenant::start().await;
    let port = tenant.tenant.base_url().rsplit(':').next().unwrap();
    let options = Options { port: port.parse().unwrap(), data_dir: None, ..Options::default() };
    let error = DevTenant::start_with(options).await.err().unwrap();
    assert!(matches!(error, StartError::Bind { .. }));
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}")), "{error}");
}

#[tokio::test]
async fn an_unusable_redirect_uri_is_named_in_the_error() {
    for uri in ["/relative", "javascript:alert(1)", "http://localhost:8000/#x", "http://ü/"] {
        let spa_redirect_uris = vec![uri.to_owned()];
        let options = Options { spa_redirect_uris, ..Options::ephemeral() };
        let error = DevTenant::start_with(options).await.err().unwrap();
        assert!(matches!(error, StartError::RedirectUri(_)), "{error}");
        assert!(error.to_string().contains(uri), "{error}");
    }
}

#[tokio::test]
async fn a_stopped_tenant_frees_its_port_even_with_idle_connections() {
    let tenant = TestTenant::start().await;
    let address = tenant.tenant.base_url().trim_start_matches("http://").to_owned();
    tenant.get("/").await;
    tenant.tenant.stop().await;
    assert!(TcpStream::connect(&address).await.is_err());
}
