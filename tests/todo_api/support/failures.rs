//! Servers that fail in different ways, and requests that get each error of the document.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Answer, App, Database, Operation, Transaction, free_ports, operations, wait_until};

/// An error response that a server has sent.
pub(crate) struct Failure<'a> {
    pub(crate) operation: Operation<'a>,
    pub(crate) code: &'a str,
    /// The example of this error in the document.
    pub(crate) example: &'a Value,
    pub(crate) answer: Answer,
}

/// Servers that fail in different ways.
pub(crate) struct FailingApps {
    normal: App,
    /// An owner may have one todo.
    limited: App,
    /// A caller may send one request per minute.
    slow: App,
    /// Its database has no tables.
    broken: App,
    /// Its authority is down.
    without_keys: App,
    /// Its database is damaged.
    damaged: App,
    /// It is shutting down.
    stopping: App,
    /// Its database is locked: only PostgreSQL can lock readers out.
    locked: Option<(App, Transaction)>,
}

impl FailingApps {
    /// Starts all of them for this test.
    pub(crate) async fn start(test: &str) -> Self {
        let database = Database::sqlite();
        let broken = App::on(database.clone()).await;
        database.execute("ALTER TABLE todos RENAME TO elsewhere").await;
        let [unused] = free_ports();
        let authority = format!("http://127.0.0.1:{unused}");
        let locked = match Database::postgres(test).await {
            Some(database) => {
                let app = App::with_short_timeout(database.clone()).await;
                app.wait_until_ready().await;
                let lock = "LOCK TABLE todos IN ACCESS EXCLUSIVE MODE";
                Some((app, Transaction::begin(&database, lock).await))
            }
            None => None,
        };
        Self {
            normal: App::start().await,
            limited: App::start_with(|environment| environment.with("TODO_LIMIT", "1")).await,
            slow: App::start_with(|environment| environment.with("RATE_LIMIT", "1")).await,
            broken,
            without_keys: App::start_with(|environment| {
                environment.with("AAD_INSTANCE", authority)
            })
            .await,
            damaged: damaged().await,
            stopping: stopping().await,
            locked,
        }
    }

    /// The document of these servers.
    pub(crate) async fn document(&self) -> Value {
        self.normal.send(None, Method::GET, "/openapi.json", None).await.body
    }

    /// Whether there is a server that is overloaded.
    pub(crate) fn can_overload(&self) -> bool {
        self.locked.is_some()
    }

    /// Gets each error of each operation for which the document has an example.
    pub(crate) async fn cause_all<'a>(&self, document: &'a Value) -> Vec<Failure<'a>> {
        let mut failures = Vec::new();
        for operation in operations(document) {
            let responses = operation.object["responses"].as_object().unwrap();
            for (status, response) in
                responses.iter().filter(|(status, _)| status.as_str() >= "400")
            {
                let examples = &response["content"]["application/problem+json"]["examples"];
                let examples = examples.as_object().unwrap_or_else(|| {
                    panic!("{} has no examples for {status}", operation.id);
                });
                for (code, example) in examples {
                    let Some(app) = self.failing_with(status, code) else { continue };
                    let request = failing_request(app, &operation, status, code).await;
                    let answer = Answer::of(request.send().await.unwrap()).await;
                    let context = format!("{} {status} {code}", operation.id);
                    assert_eq!(answer.status.as_str(), status, "{context}: {answer:?}");
                    assert_eq!(answer.body["code"], *code, "{context}");
                    let example = &example["value"];
                    failures.push(Failure { operation: operation.clone(), code, example, answer });
                }
            }
        }
        failures
    }

    /// The server that fails with this status and code. `None` if there is none on this machine.
    fn failing_with(&self, status: &str, code: &str) -> Option<&App> {
        match (status, code) {
            ("408", _) => None,
            ("409", _) => Some(&self.limited),
            ("429", _) => Some(&self.slow),
            ("500", _) => Some(&self.broken),
            ("503", "keys_unavailable") => Some(&self.without_keys),
            ("503", "internal") => Some(&self.damaged),
            ("503", "shutting_down") => Some(&self.stopping),
            ("503", "overloaded") => self.locked.as_ref().map(|(app, _)| app),
            _ => Some(&self.normal),
        }
    }
}

/// A server that is shutting down, and accepts connections for another minute.
async fn stopping() -> App {
    let mut app = App::start_with(|environment| environment.with("DRAIN_TIMEOUT", "600")).await;
    app.wait_until_ready().await;
    app.begin_stop();
    let code = async || app.readiness().await.body["code"] == "shutting_down";
    wait_until("the server shuts down", code).await;
    app
}

/// A server whose table of todos and its indexes were overwritten while it did not run.
async fn damaged() -> App {
    let mut app = App::start().await;
    app.stop().await;
    let database = app.database();
    let pages: Vec<u32> = {
        let connection = database.open();
        let pages = "SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'todos' AND rootpage > 0";
        let mut pages = connection.prepare(pages).unwrap();
        pages.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut file = fs::File::options().write(true).open(database.file()).unwrap();
    for page in pages {
        file.seek(SeekFrom::Start(u64::from(page - 1) * 4_096)).unwrap();
        file.write_all(&[0xff; 4_096]).unwrap();
    }
    let app = app.another().await;
    wait_until("there are keys", async || app.readiness().await.body["keys"] == "ready").await;
    app
}

/// A request that fails with this status and code in the way that the example shows.
async fn failing_request(
    app: &App,
    operation: &Operation<'_>,
    status: &str,
    code: &str,
) -> RequestBuilder {
    let token = match code {
        "missing_token" => None,
        "invalid_token" => Some("opaque".to_owned()),
        "insufficient_scope" => Some(app.forged(|claims| claims["scp"] = "another_scope".into())),
        "insufficient_role" => Some(app.token("uma").await),
        "not_owner" => Some(app.token("ulf").await),
        _ => Some(app.token("ada").await),
    };
    let id = match status {
        "400" => "abc".to_owned(),
        "404" | "429" | "500" | "503" => "999999".to_owned(),
        _ => app.create("uma", "Walk the dog").await["id"].to_string(),
    };
    let invalid = status == "400";
    let is_list = operation.parameters("query").contains(&"limit");
    let query = if invalid && is_list { "?limit=0" } else { "" };
    let path = format!("{}{query}", operation.path.replace("{id}", &id));
    let mut request = app.request(token.as_deref(), operation.method.clone(), &path);
    if status == "412" {
        request = request.header("if-match", "\"0\"");
    }
    // The other examples are about the query or the body.
    let takes_if_match = operation.parameters("header").contains(&"If-Match");
    if invalid && !is_list && (takes_if_match || !operation.is_protected()) {
        request = request.header("if-match", "0");
    }
    if status == "431" {
        request = request.header("x-large", "a".repeat(70_000));
    }
    if status == "501" {
        request = request.header("transfer-encoding", "gzip, chunked");
    }
    if status == "429" {
        app.send(token.as_deref(), Method::GET, "/todoitems", None).await;
    }
    if status == "409" {
        app.create("ada", "Walk the dog").await;
    }
    if status == "422" {
        let first = app.request(token.as_deref(), operation.method.clone(), &path);
        let first = first.header("idempotency-key", "key").json(&body("Another todo"));
        assert_eq!(first.send().await.unwrap().status().as_u16(), 201);
        request = request.header("idempotency-key", "key");
    }
    match (status, operation.has_body()) {
        ("413", _) => request.json(&body(&"a".repeat(70_000))),
        ("415", _) => request.body("Walk the dog"),
        ("400", true) => request.json(&body("")),
        (_, true) => request.json(&body("Walk the dog")),
        // The client sends a transfer coding only with a body.
        ("501", false) => request.body("Walk the dog"),
        (_, false) => request,
    }
}

fn body(name: &str) -> Value {
    json!({ "item": { "name": name } })
}
