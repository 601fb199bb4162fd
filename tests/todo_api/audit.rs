//! The audit log of a real server: changes to the todos of other people.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Database, Launch, Program, client, on_both};

on_both!(
    each_change_to_the_todos_of_others_is_logged_once,
    todos_that_were_deleted_before_are_not_counted_again,
    changes_to_own_todos_are_not_in_the_audit_log,
    changes_that_were_refused_are_not_in_the_audit_log,
    changes_that_change_nothing_are_not_in_the_audit_log,
    a_delete_all_that_failed_is_logged_as_unknown,
);

async fn each_change_to_the_todos_of_others_is_logged_once(database: Database) {
    let mut server = Server::start(&database, "json").await;
    let (first, second) = (server.create("uma").await, server.create("uma").await);
    let answers = [
        server.send("ada", Method::PATCH, &first, &[], renamed()).await,
        server.send("ada", Method::DELETE, &second, &[], None).await,
    ];
    assert_eq!(answers, [StatusCode::OK, StatusCode::NO_CONTENT]);
    server.create("ada").await;
    server.create("ulf").await;
    let answer = server.send("ada", Method::DELETE, "/todoitems", &[], None).await;
    assert_eq!(answer, StatusCode::NO_CONTENT);
    // Deleting all todos of the tenant is an event even if all are the admin's own.
    server.create("ada").await;
    server.send("ada", Method::DELETE, "/todoitems", &[], None).await;

    let claims = claims(&server.token("ada"));
    let log = server.stop().await;
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let events: Vec<_> =
        lines.filter(|line| line["message"].to_string().contains("audit")).collect();
    let operations: Vec<_> =
        events.iter().map(|event| (&event["operation"], &event["todos"])).collect();
    let expected = [
        (json!("updateTodo"), json!(1)),
        (json!("deleteTodo"), json!(1)),
        (json!("deleteAllTodos"), json!(3)),
        (json!("deleteAllTodos"), json!(1)),
    ];
    assert_eq!(operations, expected.each_ref().map(|(name, todos)| (name, todos)), "{log}");
    for event in &events {
        assert_eq!(event["level"], "INFO", "{event}");
        for (field, claim) in [("tenant", "tid"), ("object_id", "oid"), ("client", "azp")] {
            assert!(claims[claim].is_string(), "{claims}");
            assert_eq!(event[field], claims[claim], "{event}");
        }
    }
}

/// Deleted rows stay in the table for a while.
async fn todos_that_were_deleted_before_are_not_counted_again(database: Database) {
    let mut server = Server::start(&database, "text").await;
    database.fill(20_000).await;
    server.send("ada", Method::DELETE, "/todoitems", &[], None).await;
    server.create("uma").await;
    server.send("ada", Method::DELETE, "/todoitems", &[], None).await;
    let log = server.stop().await;
    let events: Vec<_> = log.lines().filter(|line| line.contains("audit")).collect();
    let [first, second] = events[..] else { panic!("{log}") };
    assert!(first.ends_with("todos=20000"), "{first}");
    assert!(second.ends_with("todos=1"), "{second}");
}

async fn changes_to_own_todos_are_not_in_the_audit_log(database: Database) {
    let mut server = Server::start(&database, "text").await;
    for person in ["ada", "uma"] {
        let todo = server.create(person).await;
        for (method, body) in [(Method::PATCH, renamed()), (Method::DELETE, None)] {
            let status = server.send(person, method, &todo, &[], body).await;
            assert!(status.is_success(), "{status}");
        }
    }
    assert_no_event(&server.stop().await);
}

async fn changes_that_were_refused_are_not_in_the_audit_log(database: Database) {
    let mut server = Server::start(&database, "text").await;
    let todo = server.create("uma").await;
    let outdated = &[("if-match", "\"outdated\"")][..];
    let malformed = &[("if-match", "malformed")][..];
    for (person, method, path, headers, status) in [
        ("ada", Method::PATCH, todo.as_str(), outdated, 412),
        ("ada", Method::DELETE, &todo, outdated, 412),
        ("ada", Method::DELETE, "/todoitems", outdated, 412),
        ("ada", Method::DELETE, "/todoitems", malformed, 400),
        ("ada", Method::DELETE, "/todoitems/999", &[], 404),
        ("ulf", Method::DELETE, &todo, &[], 403),
        ("uma", Method::DELETE, "/todoitems", &[], 403),
    ] {
        let body = renamed().filter(|_| method == Method::PATCH);
        let answer = server.send(person, method, path, headers, body).await;
        assert_eq!(answer.as_u16(), status, "{person} {path}");
    }
    assert_no_event(&server.stop().await);
}

async fn changes_that_change_nothing_are_not_in_the_audit_log(database: Database) {
    let mut server = Server::start(&database, "text").await;
    let status = server.send("ada", Method::DELETE, "/todoitems", &[], None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let todo = server.create("uma").await;
    let same = Some(json!({ "item": { "is_complete": false } }));
    assert_eq!(server.send("ada", Method::PATCH, &todo, &[], same).await, StatusCode::OK);
    assert_no_event(&server.stop().await);
}

#[tokio::test]
async fn an_audit_event_has_ids_but_no_names_or_tokens() {
    let database = Database::sqlite();
    let mut server = Server::start(&database, "text").await;
    let todo = server.create("uma").await;
    server.send("ada", Method::PATCH, &todo, &[("x-request-id", "walk-1")], renamed()).await;
    let token = server.token("ada");
    let log = server.stop().await;
    let events: Vec<_> = log.lines().filter(|line| line.contains("audit")).collect();
    let [event] = events[..] else { panic!("{log}") };
    for part in ["INFO", "walk-1", "operation=updateTodo", "todos=1", "object_id=ada00000-"] {
        assert!(event.contains(part), "{event} lacks {part}");
    }
    let signature = token.rsplit('.').next().unwrap();
    for secret in [signature, NAME, NEW_NAME, "ada@", "Ada"] {
        assert!(!event.contains(secret), "{event} has {secret}");
    }
}

const NAME: &str = "Buy a surprise";
const NEW_NAME: &str = "Buy another one";

fn renamed() -> Option<Value> {
    Some(json!({ "item": { "name": NEW_NAME } }))
}

fn assert_no_event(log: &str) {
    assert!(log.contains("operation=createTodo"), "the log has no requests: {log}");
    assert!(!log.contains("audit"), "{log}");
}

async fn a_delete_all_that_failed_is_logged_as_unknown(database: Database) {
    let mut server = Server::start(&database, "text").await;
    server.create("uma").await;
    database.execute("ALTER TABLE deletions RENAME TO elsewhere").await;
    let answer = server.send("ada", Method::DELETE, "/todoitems", &[], None).await;
    assert_eq!(answer, StatusCode::INTERNAL_SERVER_ERROR);
    let log = server.stop().await;
    let events: Vec<_> = log.lines().filter(|line| line.contains("audit")).collect();
    let [event] = events[..] else { panic!("{log}") };
    for part in [" WARN ", "object_id=ada0", "operation=deleteAllTodos", "outcome=unknown"] {
        assert!(event.contains(part), "{event} lacks {part}");
    }
    assert!(!event.contains("todos="), "{event}");
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

struct Server {
    program: Program,
    tokens: [(&'static str, String); 3],
    client: Client,
}

impl Server {
    async fn start(database: &Database, format: &str) -> Self {
        let launch = Launch::dev().with("DATABASE_URL", database.url()).with("LOG_FORMAT", format);
        let client = client();
        let program = Program::launch(launch).await;
        let tokens = ["ada", "uma", "ulf"].map(|person| (person, program.token(person)));
        Self { program, tokens, client }
    }

    fn token(&self, person: &str) -> String {
        self.tokens.iter().find(|(name, _)| *name == person).unwrap().1.clone()
    }

    async fn send(
        &self,
        person: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> StatusCode {
        let request = self.client.request(method, format!("{}{path}", self.program.url));
        let mut request = request.bearer_auth(self.token(person));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap().status()
    }

    /// Creates a todo for this person and returns its path.
    async fn create(&self, person: &str) -> String {
        let request = self.client.post(format!("{}/todoitems", self.program.url));
        let request = request.bearer_auth(self.token(person));
        let answer = request.json(&json!({ "item": { "name": NAME } })).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Stops the server and returns its log.
    async fn stop(&mut self) -> String {
        assert!(self.program.stop("TERM").await.success());
        self.program.log()
    }
}
