//! What a real server logs about refused tokens.

use futures_util::future::join_all;
use poem_entra::{Clock, SystemClock};
use reqwest::{Client, StatusCode};
use serde_json::Value;

use crate::support::{App, Launch, Program, TestClock, client, free_ports, wait_until};

#[tokio::test]
async fn a_refused_token_is_one_line_in_the_text_log() {
    let (server, log) = log_of_one_refusal("text").await;
    let lines: Vec<_> = log.lines().filter(|line| line.contains("refused")).collect();
    let [line] = lines[..] else { panic!("{log}") };
    assert!(line.contains(" INFO "), "{line}");
    for (name, value) in server.expected() {
        let field = if name == "tenant" || name == "client" {
            format!("{name}={value}")
        } else {
            format!("{name}={value:?}")
        };
        assert!(line.contains(&field), "{line} lacks {field}");
    }
}

#[tokio::test]
async fn a_refused_token_is_one_line_in_the_json_log() {
    let (server, log) = log_of_one_refusal("json").await;
    let lines = refusals(&log);
    let [line] = &lines[..] else { panic!("{log}") };
    assert_eq!(line["level"], "INFO", "{line}");
    for (name, value) in server.expected() {
        assert_eq!(line[name], value, "{line}");
    }
    assert!(line.get("left_out").is_none(), "{line}");
}

#[tokio::test]
async fn a_refusal_by_the_policy_names_tenant_and_client_too() {
    let mut server = Server::start("json").await;
    let token = server.tenant.forged(|claims| claims["scp"] = "another_scope".into());
    assert_eq!(server.send(Some(&token)).await, StatusCode::FORBIDDEN);
    let log = server.stop().await;
    let lines = refusals(&log);
    let [line] = &lines[..] else { panic!("{log}") };
    for (name, value) in [
        ("rule", "policy"),
        ("code", "insufficient_scope"),
        ("expected", "access_as_user"),
        ("received", "another_scope"),
        ("tenant", entra_dev::ids::CONTOSO),
        ("client", entra_dev::ids::SWAGGER_UI_CLIENT_ID),
    ] {
        assert_eq!(line[name], value, "{line}");
    }
}

#[tokio::test]
async fn a_request_without_a_token_is_not_logged_as_a_refusal() {
    for format in ["text", "json"] {
        let mut server = Server::start(format).await;
        for _ in 0..3 {
            assert_eq!(server.send(None).await, StatusCode::UNAUTHORIZED);
        }
        let log = server.stop().await;
        assert!(log.contains("listTodos"), "the log has no requests: {log}");
        assert!(!log.contains("refused"), "{log}");
    }
}

#[tokio::test]
async fn at_most_ten_refusals_are_logged_per_second() {
    let mut server = Server::start("json").await;
    // The real clock of this machine, which the server uses too.
    let start = SystemClock.now();
    let mut sent = 0;
    // The first line of a second counts what was left out before.
    wait_until("refusals are over the limit", async || {
        join_all((0..20).map(|_| server.send(Some("a.b.c")))).await;
        sent += 20;
        server.program.log().contains("left_out")
    })
    .await;
    let end = SystemClock.now();
    wait_until("the next second begins", async || SystemClock.now() > end).await;
    server.send(Some("a.b.c")).await;
    sent += 1;

    let lines = refusals(&server.stop().await);
    // Ten for each second of the burst, and one for the last request.
    let allowed = usize::try_from(end - start + 1).unwrap() * 10 + 1;
    assert!(lines.len() <= allowed, "{} lines instead of {allowed}", lines.len());
    let left_out = |line: &Value| line.get("left_out").map_or(0, |count| count.as_u64().unwrap());
    let total: u64 = lines.iter().map(left_out).sum();
    assert!(total > 0, "no line has `left_out`");
    assert_eq!(lines.len() as u64 + total, sent, "{lines:?}");
}

/// The log lines about refusals, in JSON.
fn refusals(log: &str) -> Vec<Value> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"].to_string().contains("refused")).collect()
}

/// The log after one request with a token for another API, which must not contain personal data.
async fn log_of_one_refusal(format: &str) -> (Server, String) {
    let mut server = Server::start(format).await;
    let token = server.tenant.forged(|claims| {
        claims["aud"] = ANOTHER_API.into();
        claims["name"] = "Uma User".into();
        claims["preferred_username"] = "uma@contoso.example".into();
    });
    assert_eq!(server.send(Some(&token)).await, StatusCode::UNAUTHORIZED);
    let log = server.stop().await;
    for part in token.split('.') {
        assert!(!log.contains(part), "the log has a part of the token: {log}");
    }
    for secret in ["Uma User", "uma@", "0a000000-0000-4000-8000-000000000002"] {
        assert!(!log.contains(secret), "the log has {secret}: {log}");
    }
    (server, log)
}

const ANOTHER_API: &str = "88888888-8888-4888-8888-888888888888";

/// A server process, with the tenant of another server in this process.
pub(crate) struct Server {
    program: Program,
    client: Client,
    pub(crate) tenant: App,
}

impl Server {
    pub(crate) async fn start(format: &str) -> Self {
        let tenant = App::start_at(TestClock::real(), |environment| environment).await;
        let [port] = free_ports();
        let launch = Launch::serve(tenant.tenant.base_url())
            .with("PORT", port.to_string())
            .with("LOG_FORMAT", format);
        Self { program: Program::launch(launch).await, client: client(), tenant }
    }

    /// Requests the list of todos.
    pub(crate) async fn send(&self, token: Option<&str>) -> StatusCode {
        let mut request = self.client.get(format!("{}/todoitems", self.program.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().status()
    }

    /// Stops the server and returns its log.
    pub(crate) async fn stop(&mut self) -> String {
        assert!(self.program.stop("TERM").await.success());
        self.program.log()
    }

    /// The fields of the log line about a token for another API.
    fn expected(&self) -> [(&'static str, String); 6] {
        let (api, tenant) = (entra_dev::ids::API_CLIENT_ID, entra_dev::ids::CONTOSO);
        [
            ("rule", "audience".into()),
            ("code", "invalid_token".into()),
            ("expected", format!("{api} or api://{tenant}/{api} or api://{api}")),
            ("received", ANOTHER_API.into()),
            ("tenant", tenant.into()),
            ("client", entra_dev::ids::SWAGGER_UI_CLIENT_ID.into()),
        ]
    }
}
