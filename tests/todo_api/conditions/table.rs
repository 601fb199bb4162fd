//! Every operation evaluates each precondition, or refuses it.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Answer, App, Database, operations};

use super::named;

/// What a precondition contains.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// It holds.
    Holds,
    DoesNotHold,
    /// The current tag, but weak.
    Weak,
    Star,
    Malformed,
    Empty,
}

const KINDS: [Kind; 6] =
    [Kind::Holds, Kind::DoesNotHold, Kind::Weak, Kind::Star, Kind::Malformed, Kind::Empty];

/// An operation, and its statuses for each kind of `If-Match` and of `If-None-Match`.
const TABLE: [(&str, [u16; 6], [u16; 6]); 8] = [
    ("listTodos", [200, 412, 412, 200, 400, 400], [200, 304, 304, 304, 400, 200]),
    ("createTodo", [400, 400, 400, 400, 400, 400], [400, 400, 400, 400, 400, 201]),
    ("deleteAllTodos", [204, 412, 412, 204, 400, 400], [204, 412, 412, 412, 400, 204]),
    ("getTodo", [200, 412, 412, 200, 400, 400], [200, 304, 304, 304, 400, 200]),
    ("updateTodo", [200, 412, 412, 200, 400, 400], [200, 412, 412, 412, 400, 200]),
    ("deleteTodo", [204, 412, 412, 204, 400, 400], [204, 412, 412, 412, 400, 204]),
    ("getHealth", [400, 400, 400, 400, 400, 400], [400, 400, 400, 400, 400, 200]),
    ("getReadiness", [400, 400, 400, 400, 400, 400], [400, 400, 400, 400, 400, 200]),
];

pub(super) async fn every_operation_evaluates_or_refuses_each_condition(database: Database) {
    let app = App::on(database).await;
    let token = app.token("ada").await;
    let document = app.send(Some(&token), Method::GET, "/openapi.json", None).await.body;
    let operations = operations(&document);
    assert_eq!(operations.len(), TABLE.len(), "each operation has a row");
    for operation in operations {
        let row = TABLE.iter().find(|(id, ..)| *id == operation.id).unwrap();
        for (name, statuses) in [("if-match", row.1), ("if-none-match", row.2)] {
            for (kind, status) in KINDS.into_iter().zip(statuses) {
                let id = app.create("ada", "Walk the dog").await["id"].to_string();
                let path = operation.path.replace("{id}", &id);
                let send = async |method, headers: &[(&str, &str)], body| {
                    app.send_all(Some(&token), method, &path, headers, body).await
                };
                let tag = send(Method::GET, &[], None).await.header("etag").to_owned();
                let tag = if tag.is_empty() { "\"1\"".to_owned() } else { tag };
                let value = value(kind, name, &tag);
                let body = named("Rest").filter(|_| operation.has_body());
                let answer = send(operation.method.clone(), &[(name, &value)], body).await;
                let case = format!("{} {name}: {value} ({kind:?})", operation.id);
                assert_eq!(answer.status.as_u16(), status, "{case}: {answer:?}");
                assert_refusal(&answer, name, kind, &case);
                operation.assert_describes(&document, &answer);
                if answer.status.as_u16() >= 300 {
                    let names = app.names("ada").await;
                    assert!(names.iter().all(|name| name == "Walk the dog"), "{case}: {names:?}");
                    let found = send(Method::GET, &[], None).await;
                    assert_eq!(found.status, StatusCode::OK, "{case}");
                    let unchanged = ["", tag.as_str()].contains(&found.header("etag"));
                    assert!(unchanged, "{case}: {found:?}");
                } else {
                    app.send(Some(&token), Method::DELETE, "/todoitems", None).await;
                }
            }
        }
    }
}

fn value(kind: Kind, name: &str, tag: &str) -> String {
    match (kind, name) {
        (Kind::Holds, "if-match") | (Kind::DoesNotHold, "if-none-match") => tag.to_owned(),
        (Kind::Holds | Kind::DoesNotHold, _) => "\"other\"".to_owned(),
        (Kind::Weak, _) => format!("W/{tag}"),
        (Kind::Star, _) => "*".to_owned(),
        (Kind::Malformed, _) => "1".to_owned(),
        (Kind::Empty, _) => String::new(),
    }
}

#[track_caller]
fn assert_refusal(answer: &Answer, name: &str, kind: Kind, case: &str) {
    match answer.status.as_u16() {
        304 => assert_eq!(answer.body, Value::Null, "{case}"),
        400 => {
            answer.assert_problem(400, "invalid_request");
            let place = answer.body["errors"][0]["pointer"].as_str().unwrap();
            assert!(place.eq_ignore_ascii_case(&format!("header:{name}")), "{case}: {place}");
        }
        412 => {
            answer.assert_problem(412, "precondition_failed");
            // The text does not claim that somebody has changed the todo.
            let detail = answer.body["detail"].as_str().unwrap();
            let is_weak = matches!((kind, name), (Kind::Weak, "if-match"));
            assert_eq!(detail.contains("weak"), is_weak, "{case}: {detail}");
        }
        _ => {}
    }
}
