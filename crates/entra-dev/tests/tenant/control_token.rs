//! The token that protects `/_dev`.

use entra_dev::{ControlToken, Directory, Options, TokenError, ids::CONTOSO, running_access_token};
use reqwest::{Method, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{Answer, Form, GIVE_UP_AFTER, TestTenant, shared_keys};

const TOKEN: &str = "the-token-of-the-tests";

async fn protected() -> TestTenant {
    let control_token = Some(TOKEN.parse().unwrap());
    TestTenant::start_with(shared_keys(), Options { control_token, ..Options::ephemeral() }).await
}

/// Requests below `/_dev`, and the statuses with the token. Also paths that do not exist.
const REQUESTS: [(Method, &str, u16); 23] = [
    (Method::GET, "/_dev", 200),
    (Method::HEAD, "/_dev", 200),
    (Method::GET, "/_dev/audit", 200),
    (Method::GET, "/_dev/clock", 200),
    (Method::PUT, "/_dev/clock", 415),
    (Method::GET, "/_dev/directory", 200),
    (Method::GET, "/_dev/directory/people/ada", 200),
    (Method::PUT, "/_dev/directory", 415),
    (Method::DELETE, "/_dev/directory/people/nobody", 404),
    (Method::GET, "/_dev/directory.toml", 200),
    (Method::POST, "/_dev/directory/reset", 415),
    (Method::GET, "/_dev/faults", 200),
    (Method::DELETE, "/_dev/faults", 204),
    (Method::POST, "/_dev/keys/rotate", 415),
    (Method::GET, "/_dev/tenants", 200),
    (Method::POST, "/_dev/tenants", 415),
    (Method::GET, "/_dev/tenants/unknown", 404),
    (Method::DELETE, "/_dev/tenants/unknown", 404),
    (Method::GET, "/_dev/tenants/unknown/audit", 404),
    (Method::POST, "/_dev/tokens", 415),
    (Method::OPTIONS, "/_dev/tokens", 405),
    (Method::GET, "/_dev/unlock", 404),
    (Method::GET, "/_dev/nothing/here", 404),
];

#[tokio::test]
async fn every_path_below_dev_needs_the_control_token() {
    let tenant = protected().await;
    for (method, path, status) in REQUESTS {
        let request = || tenant.browser.request(method.clone(), tenant.url(path));
        let answer = Answer::of(request().bearer_auth(TOKEN)).await;
        assert_eq!(answer.status, status, "{method} {path}");
        let query = format!("?control_token={TOKEN}&access_token={TOKEN}");
        let in_query =
            || tenant.browser.request(method.clone(), tenant.url(&format!("{path}{query}")));
        for request in [
            request(),
            request().bearer_auth("wrong"),
            request().bearer_auth(format!("{TOKEN}x")),
            request().basic_auth("control", Some(TOKEN)),
            request().header("authorization", TOKEN),
            request().bearer_auth(TOKEN).bearer_auth("wrong"),
            in_query(),
            request().header("cookie", "entra-dev-control=1"),
        ] {
            let answer = Answer::of(request).await;
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{method} {path}");
            if method == Method::HEAD {
                assert_eq!(answer.status, 401);
            } else {
                answer.assert_problem(401, "control token");
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_token_is_not_called_a_missing_one() {
    let tenant = protected().await;
    let request = || tenant.browser.get(tenant.url("/_dev/clock"));
    Answer::of(request()).await.assert_problem(401, "send the control token");
    let wrong = Answer::of(request().bearer_auth("wrong")).await;
    wrong.assert_problem(401, "the bearer token is not the control token");
}

#[tokio::test]
async fn the_controls_of_an_isolated_tenant_need_the_control_token() {
    let tenant = protected().await;
    let isolated = tenant.tenant.isolate(&Directory::default()).await.unwrap();
    let controls = format!("/_dev/tenants/{}", isolated.id());
    for path in ["", "/audit", "/clock", "/directory", "/directory.toml", "/faults"] {
        let request = || tenant.browser.get(tenant.url(&format!("{controls}{path}")));
        Answer::of(request()).await.assert_problem(401, "control token");
        assert_eq!(Answer::of(request().bearer_auth(TOKEN)).await.status, 200, "{path}");
    }
    let page = tenant.browser.get(tenant.url(&controls)).header("accept", "text/html");
    let locked = Answer::of(page.try_clone().unwrap()).await;
    assert_eq!(
        (locked.status.as_u16(), locked.hidden_input("next")),
        (401, Some(controls.clone()))
    );
    let page = Answer::of(page.bearer_auth(TOKEN)).await;
    assert!(page.body.contains(&format!("href=\"{controls}/apps/")), "{}", page.body);
}

#[tokio::test]
async fn everything_else_works_without_the_token() {
    let tenant = protected().await;
    for path in ["/", "/_assets/style.css", "/_assets/form-post.js", "/ca.pem"] {
        assert_eq!(tenant.get(path).await.status, 200, "{path}");
    }
    let answer = tenant.sign_in(CONTOSO, &Form::authorization(), "ada").await;
    assert!(answer["access_token"].is_string());
    // Without the option, nothing is protected.
    assert_eq!(TestTenant::start().await.get("/_dev/audit").await.status, 200);
}

#[tokio::test]
async fn a_person_enters_the_token_once() {
    let tenant = protected().await;
    for (base, browser) in tenant.listeners() {
        let open = |path: &str| browser.get(format!("{base}{path}")).header("accept", "text/html");
        let page = Answer::of(open("/_dev")).await;
        assert_eq!(page.status, 401);
        assert!(page.body.contains("<h1>Control token required</h1>"), "{}", page.body);
        assert_eq!(page.hidden_input("next").as_deref(), Some("/_dev"));

        let unlock = |form: Form| form.on(browser.post(format!("{base}/_dev/unlock")));
        let form = Form::empty().with("control_token", TOKEN).with("next", "/_dev/audit");
        let wrong = Answer::of(unlock(form.clone().with("control_token", "wrong"))).await;
        assert_eq!((wrong.status.as_u16(), wrong.header("set-cookie")), (401, None));
        assert!(wrong.body.contains("This is not the control token."), "{}", wrong.body);
        assert_eq!(wrong.hidden_input("next").as_deref(), Some("/_dev/audit"));

        let right = Answer::of(unlock(form.clone())).await;
        assert_eq!(right.status, StatusCode::SEE_OTHER);
        assert_eq!(right.header("location"), Some("/_dev/audit"));
        let cookie = right.header("set-cookie").unwrap();
        assert!(!cookie.contains(TOKEN), "{cookie}");
        let (pair, rules) = cookie.split_once("; ").unwrap();
        let secure = if base.starts_with("https:") { "; Secure" } else { "" };
        assert_eq!(rules, format!("Path=/_dev; HttpOnly; SameSite=Strict{secure}"));
        let opened = Answer::of(open("/_dev/audit").header("cookie", pair)).await;
        assert_eq!(opened.status, 200);
        let guessed = format!("{}={}", pair.split_once('=').unwrap().0, "A".repeat(43));
        assert_eq!(Answer::of(open("/_dev").header("cookie", guessed)).await.status, 401);

        for elsewhere in ["https://evil.example/", "//evil.example", "/_devil", "/"] {
            let answer = Answer::of(unlock(form.clone().with("next", elsewhere))).await;
            assert_eq!(answer.header("location"), Some("/_dev"), "{elsewhere}");
        }
    }
}

#[tokio::test]
async fn the_command_line_is_told_that_the_token_is_missing() {
    let tenant = protected().await;
    let port = tenant.url("").rsplit(':').next().unwrap().parse().unwrap();
    let ask = move || running_access_token(port, "ada");
    let error = tokio::task::spawn_blocking(ask).await.unwrap().unwrap_err();
    assert!(
        matches!(&error, TokenError::Refused(text) if text.contains("control token")),
        "{error}"
    );
}

#[test]
fn the_control_token_is_never_printed() {
    let token: ControlToken = TOKEN.parse().unwrap();
    let options = Options { control_token: Some(token), ..Options::ephemeral() };
    assert!(!format!("{options:?}").contains(TOKEN));
    for text in ["", "two words", "line\nbreak", "ümlaut"] {
        assert!(text.parse::<ControlToken>().is_err(), "{text:?}");
    }
}

#[tokio::test]
async fn a_caller_without_the_token_is_refused_before_the_body_is_read() {
    let tenant = protected().await;
    let announced = "Content-Type: application/json\r\nContent-Length: 4000000";
    for (request, fields) in [
        ("PUT /_dev/directory", announced.to_owned()),
        ("POST /_dev/tenants", format!("{announced}\r\nAuthorization: Bearer wrong")),
        ("POST /_dev/tokens", format!("{announced}\r\nExpect: 100-continue")),
        ("PUT /_dev/directory", "Transfer-Encoding: chunked".to_owned()),
    ] {
        let mut connection = connect(&tenant).await;
        let head = format!("{request} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n");
        connection.write_all(head.as_bytes()).await.unwrap();
        let response = head_of_response(&mut connection).await;
        assert!(response.starts_with("HTTP/1.1 401 "), "{request}: {response}");
    }
    // With the token, the body is expected.
    let mut connection = connect(&tenant).await;
    let head = format!(
        "PUT /_dev/clock HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 12\r\nAuthorization: Bearer {TOKEN}\r\nExpect: 100-continue\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let response = head_of_response(&mut connection).await;
    assert!(response.starts_with("HTTP/1.1 100 "), "{response}");
    connection.write_all(b"{\"offset\":7}").await.unwrap();
    let response = head_of_response(&mut connection).await;
    assert!(response.starts_with("HTTP/1.1 204 "), "{response}");
}

#[tokio::test]
async fn a_client_that_sends_the_whole_body_sees_the_refusal() {
    let tenant = protected().await;
    let body = "x".repeat(4 * 1024 * 1024);
    for _ in 0..5 {
        let request = tenant.browser.put(tenant.url("/_dev/directory")).body(body.clone());
        Answer::of(request).await.assert_problem(401, "control token");
    }
}

async fn connect(tenant: &TestTenant) -> TcpStream {
    let port: u16 = tenant.url("").rsplit(':').next().unwrap().parse().unwrap();
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

/// The status line and the header fields. A server that waits for the body responds with 408.
async fn head_of_response(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let read = async {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.unwrap());
        }
    };
    timeout(GIVE_UP_AFTER, read).await.unwrap();
    String::from_utf8(head).unwrap()
}
